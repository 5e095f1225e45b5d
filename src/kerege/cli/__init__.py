"""The command line: everything a ledger can be asked, from a terminal."""

from kerege.cli.app import app, main

__all__ = ["app", "main"]
