"""Proof bundles: making them from parts, and verifying them offline against a trust file.

Usable alone: the standard library and `cryptography` are all it needs, and nothing else of Kerege.
"""

from . import cli, commit, entry, final, light, note, renewal, trust
from .make import CannotMake, Disclosure, StateProof, make
from .merkle import is_consistent, sides
from .outcome import Check, Exit, Facts, Failed, Final, Issued, Malformed, Result, Status, Verdict
from .paths import field_commitment
from .tlog import tlog_proof
from .trust import Trust, TrustedKey
from .verify import verify, verify_with

__all__ = [
    "CannotMake",
    "Check",
    "Disclosure",
    "Exit",
    "Facts",
    "Failed",
    "Final",
    "Issued",
    "Malformed",
    "Result",
    "StateProof",
    "Status",
    "Trust",
    "TrustedKey",
    "Verdict",
    "cli",
    "commit",
    "entry",
    "field_commitment",
    "final",
    "is_consistent",
    "light",
    "make",
    "note",
    "renewal",
    "sides",
    "tlog_proof",
    "trust",
    "verify",
    "verify_with",
]
