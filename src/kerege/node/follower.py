"""The process beside a node that keeps the read model up."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from kerege.node.child import child
from kerege.node.home import Home

DATABASE = "KEREGE_DATABASE"
"""Variable that names the database where no option does."""
STOP_SECONDS = 10


@contextmanager
def running(home: Home, url: str | None) -> Iterator["subprocess.Popen[bytes]"]:
    """A process beside the node that keeps the tables up; what stops it is told on standard error, the node goes on.

    The address goes by the environment: a process list must not show what may hold a password.
    """
    environment = None if url is None else {DATABASE: url}
    words = ("readmodel", "follow", "--home", str(home.path), "--json")
    quiet = subprocess.DEVNULL
    with child("kerege.node", *words, patience=STOP_SECONDS, environment=environment, stdout=quiet) as process:
        yield process
