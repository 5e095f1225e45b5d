"""A process that ends with the one that started it, however that ended.

It has a session of its own, so that Ctrl-C at a terminal reaches its parent alone, which then stops it. Where the
parent was killed nobody does: the child sees the end of the pipe that only its parent held, and stops as if told.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

WATCHED = "KEREGE_PARENT_HOLDS_STDIN"
"""Variable that tells a process to watch its standard input: one that a person or an init system started must not."""
PATIENCE = 10
"""Seconds that a child without parent has to stop in; each of them survives a hard end."""


@contextmanager
def child(
    module: str,
    *words: str,
    patience: float | None,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
    stderr: IO[str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m module words` for as long as the context lasts, and for `patience` seconds more to stop in."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **(environment or {}), WATCHED: "1"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def watch_parent() -> None:
    """Stop this process when its parent is gone, where it was started by `child`; to be called first of all."""
    if os.environ.pop(WATCHED, None) is not None:
        threading.Thread(target=_stop_at_the_end, name="parent", daemon=True).start()


def _stop_at_the_end() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)
