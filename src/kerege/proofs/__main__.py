"""`python -m kerege.proofs`: the verifier on its own."""

import sys

from .cli import main

sys.exit(main(sys.argv[1:]))
