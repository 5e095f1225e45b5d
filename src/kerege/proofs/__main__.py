"""`python -m kerege.proofs`: the verifier on its own."""

# ruff: noqa: TID252 - relative imports: the folder works wherever it is copied to

import sys

from .cli import main

sys.exit(main(sys.argv[1:]))
