"""Work that runs behind: while one piece is done by another thread, the next is made ready."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self


class Behind:
    """One piece of work at a time, in order. A context manager: its end waits for the last piece."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "import-writer")
        self._running: Future[None] | None = None

    def do(self, work: Callable[[], None]) -> None:
        """Begin a piece when the one before is done; raises what that one raised."""
        self.wait()
        self._running = self._pool.submit(work)

    def wait(self) -> None:
        """Until nothing is under way; raises what the last piece raised."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown(wait=True)
