"""Keeping chunks of judged rows while the next ones are judged: one thread seals, one enters what is sealed.

Sealing lets the interpreter go, and so does waiting for the medium: what is judged meanwhile costs no time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Self, TypeVar

from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Verdict

UNDER_WAY = 2
"""Chunks at most: one is sealed while the one before is entered."""

OnKept = Callable[[Sequence[Row], Sequence[Verdict]], None]
SealedT = TypeVar("SealedT")


class _Chunk(NamedTuple):
    entered: "Future[None]"
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]


class Keeping:
    """Chunks in their order: none is entered that follows one that was not, and what one raises is raised here."""

    def __init__(self, on_kept: OnKept) -> None:
        self._on_kept = on_kept
        self._sealer = ThreadPoolExecutor(1, "import-sealer")
        self._keeper = ThreadPoolExecutor(1, "import-keeper")
        self._under_way: deque[_Chunk] = deque()

    def begin(
        self,
        seal: Callable[[], SealedT],
        enter: Callable[[SealedT], None],
        rows: Sequence[Row],
        verdicts: Sequence[Verdict],
    ) -> None:
        """Begin to keep a chunk, once there is room for it."""
        self._settle(UNDER_WAY - 1)
        before = self._under_way[-1].entered if self._under_way else None
        sealed = self._sealer.submit(seal)

        def follow() -> None:
            if before is not None:
                before.result()
            enter(sealed.result())

        self._under_way.append(_Chunk(self._keeper.submit(follow), rows, verdicts))

    def settle(self) -> None:
        """Wait for all chunks under way, and tell of them."""
        self._settle(0)

    def first_row(self) -> int:
        """Number of the first row that may not be entered yet."""
        return self._under_way[0].rows[0].number

    def _settle(self, left: int) -> None:
        while len(self._under_way) > left:
            chunk = self._under_way.popleft()
            chunk.entered.result()
            self._on_kept(chunk.rows, chunk.verdicts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sealer.shutdown(wait=True)
        self._keeper.shutdown(wait=True)
