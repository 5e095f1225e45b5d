"""The program's entry: joins the command line with a node."""

import sys

from kerege.cli import main as run
from kerege.node.child import watch_parent
from kerege.node.wiring import NodeWiring


def main() -> int:
    """Run `kerege`; returns the exit code."""
    watch_parent()
    return run(NodeWiring())


if __name__ == "__main__":
    sys.exit(main())
