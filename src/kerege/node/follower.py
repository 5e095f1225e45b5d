"""The process beside a node that keeps the read model up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kerege.node.home import Home

DATABASE = "KEREGE_DATABASE"
"""Variable that names the database where no option does."""
STOP_SECONDS = 10


@contextmanager
def running(home: Home, url: str | None) -> Iterator[None]:
    """A process beside the node that keeps the tables up; what stops it is told on standard error, the node goes on.

    The address goes by the environment: a process list must not show what may hold a password.
    """
    environment = {**os.environ, **({} if url is None else {DATABASE: url})}
    command = [sys.executable, "-m", "kerege.node", "readmodel", "follow", "--home", str(home.path), "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
