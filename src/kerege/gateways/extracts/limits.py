"""How large the parts of an extract may be: far above any real registry, far below what a machine cannot hold."""

MAXIMUM_COLUMNS = 256
MAXIMUM_HEADER = 16_384
"""Characters of the row of column names."""
MAXIMUM_FIELD = 16_384
"""Characters of one cell; below the csv module's own limit, which is one for the whole process."""
MAXIMUM_RECORD = 65_536
"""Characters of one row, line breaks within quotes included."""
SAMPLE = 1 << 18
"""Bytes from which encoding and delimiter are guessed."""
MAXIMUM_PROFILE = 1 << 16
"""Bytes of one profile."""
