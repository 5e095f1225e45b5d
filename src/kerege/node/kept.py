"""A process beside a node that is kept: told and started again where it ended by itself."""

import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from kerege.node.home import HomeError

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before it is started again, doubled each time: what cannot run must not fill the log."""

Start = Callable[[], AbstractContextManager["subprocess.Popen[bytes]"]]


class Kept:
    """Runs as long as the context lasts; `tend`, called now and then, notices its end."""

    def __init__(self, name: str, start: Start, tell: Callable[[str], None]) -> None:
        self._name = name
        self._start = start
        self._tell = tell
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._again: float | None = None
        self._wait = FIRST_WAIT

    def __enter__(self) -> Self:
        """Start it; raises `HomeError` where it cannot be."""
        self._process = self._stack.enter_context(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tend(self) -> None:
        """Where it ended: say so, and start it again after a while."""
        if self._again is None:
            if self._process is not None and self._process.poll() is not None:
                self._put_off(f"ended with code {self._process.returncode}")
        elif time.monotonic() >= self._again:
            self._stack.close()
            try:
                self._process = self._stack.enter_context(self._start())
            except HomeError as fault:
                self._put_off(f"cannot be started ({fault})")
            else:
                self._again = None
                self._tell(f"{self._name} runs again")

    def _put_off(self, what: str) -> None:
        self._tell(f"{self._name} {what}: started again in {self._wait:.0f} s")
        self._again = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)
