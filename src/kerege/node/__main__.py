"""The program's entry: joins the command line with a node."""

import sys
from importlib import import_module

from kerege.cli import main as run
from kerege.cli.wiring import Wiring
from kerege.node.child import watch_parent


def main() -> int:
    """Run `kerege`; returns the exit code."""
    watch_parent()
    return run(_wiring)


def _wiring() -> Wiring:
    """Loaded when a command asks for it: what verifies a proof needs no node."""
    made: Wiring = import_module("kerege.node.wiring").NodeWiring()
    return made


if __name__ == "__main__":
    sys.exit(main())
