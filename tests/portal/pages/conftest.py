"""`make up` as a visitor meets it: a process of its own, a port of its own."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Up:
    """A running raion."""

    url: str
    home: Path
    public: Path
    told: str
    """What the terminal said."""
    seconds: float
    """Until it served."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start it, read what it says, stop it as Ctrl-C does."""
    folder, port = tmp_path_factory.mktemp("up") / "up", free_port()
    command = [sys.executable, "-m", "kerege.testing.first_minute", "--folder", str(folder), "--port", str(port)]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if "Ctrl-C" in line and "stop " in line:
            break
    yield Up(f"http://127.0.0.1:{port}", folder / "home", folder / "public", "".join(told), time.monotonic() - started)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
