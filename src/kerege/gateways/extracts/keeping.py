"""Keeping a chunk of judged rows in a thread of its own, while the next one is judged.

Sealing lets the interpreter go, and so does waiting for the medium: what is judged meanwhile costs no time.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Verdict

OnKept = Callable[[Sequence[Row], Sequence[Verdict]], None]


class Keeping:
    """One chunk at a time: the next begins when the one before is kept, so that none follows one that was not."""

    def __init__(self, on_kept: OnKept) -> None:
        self._on_kept = on_kept
        self._pool = ThreadPoolExecutor(1, "import-keeper")
        self._under_way: tuple[Future[None], Sequence[Row], Sequence[Verdict]] | None = None

    def begin(self, keep: Callable[[], None], rows: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
        """Begin to keep a chunk; the one before is settled."""
        self._under_way = self._pool.submit(keep), rows, verdicts

    def settle(self) -> None:
        """Wait for the chunk under way, and tell of it; raises what keeping it raised."""
        if self._under_way is not None:
            kept, rows, verdicts = self._under_way
            self._under_way = None
            kept.result()
            self._on_kept(rows, verdicts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)
