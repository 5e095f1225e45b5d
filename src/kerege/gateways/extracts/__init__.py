"""Extracts of old registries: reading a file of rows, and which outcome each row deserves.

`reader` streams records from a CSV file, `profile` says what its columns mean, `row` holds one row's values, `rules`
judges it, `outcomes` and `report` write down what was judged. Nothing here knows the ledger or a dossier.
"""
