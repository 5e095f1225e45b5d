"""Starting and stopping the HTTP worker of a node (`web_worker.py`)."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from kerege.node.child import child
from kerege.node.home import Home, HomeError

HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 5


def check_port(port: int) -> None:
    """Raise `HomeError` where nobody can listen there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = f"port {port} cannot be used ({getattr(error, 'strerror', None) or error}): choose another --port."
            raise HomeError(reason) from None


def address_of(port: int) -> str:
    """Where a worker answers."""
    return f"http://{HOST}:{port}/"


@contextmanager
def web_worker(home: Home, port: int, public: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that answers at `address_of(port)`, for as long as the context lasts. Raises `HomeError`."""
    check_port(port)
    words = ["--home", str(home.path), "--port", str(port)]
    words += [] if public is None else ["--public", str(public)]
    with child("kerege.node.web_worker", *words, patience=STOP_SECONDS) as worker:
        _wait(worker, address_of(port))
        yield worker


def _wait(worker: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if worker.poll() is not None:
            raise HomeError(f"the web worker ended with code {worker.returncode}: look at what it printed above.")
        try:
            with urlopen(f"{url}api/v1/health/live", timeout=2):  # noqa: S310 - our own address
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise HomeError(f"the web worker did not answer within {START_SECONDS} s: look at what it printed above.")
