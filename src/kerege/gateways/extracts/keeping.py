"""Keeping chunks of judged rows while the next ones are judged: admitted, sealed and entered, a thread for each step.

Some chunks are made durable, entered and sent together: whatever waits for a medium waits once for all of them.

Sealing lets the interpreter go, and so does waiting for the medium: what is judged meanwhile costs no time.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, Self, TypeVar

from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Verdict

TOGETHER = 4
"""Chunks that are made durable, entered and sent at once: about 8 MiB of dossiers, so that tables are few and large."""
UNDER_WAY = 2
"""Groups of chunks at most: one is sealed while the one before is entered."""

OnKept = Callable[[Sequence[Row], Sequence[Verdict]], None]
AdmittedT = TypeVar("AdmittedT")
SealedT = TypeVar("SealedT")


class _Chunk(NamedTuple, Generic[SealedT]):
    sealed: "Future[SealedT]"
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]


class _Group(NamedTuple, Generic[SealedT]):
    entered: "Future[None]"
    chunks: Sequence[_Chunk[SealedT]]


class Keeping(Generic[SealedT]):
    """Chunks in their order: none is entered that follows one that was not, and what one raises is raised here."""

    def __init__(
        self, make_durable: Callable[[], None], enter: Callable[[Sequence[SealedT]], None], on_kept: OnKept
    ) -> None:
        """`make_durable`: have on the medium what was sealed so far; `enter` is then given the sealed chunks."""
        self._make_durable = make_durable
        self._enter = enter
        self._on_kept = on_kept
        self._admitter = ThreadPoolExecutor(1, "import-admitter")
        self._sealer = ThreadPoolExecutor(1, "import-sealer")
        self._keeper = ThreadPoolExecutor(1, "import-keeper")
        self._groups: deque[_Group[SealedT]] = deque()
        self._begun: list[_Chunk[SealedT]] = []
        """Of a group that is not whole."""

    def begin(
        self,
        admit: Callable[[], AdmittedT],
        seal: Callable[[AdmittedT], SealedT],
        rows: Sequence[Row],
        verdicts: Sequence[Verdict],
    ) -> None:
        """Begin to keep a chunk, once there is room for it."""
        self._settle(UNDER_WAY - 1)
        admitted = self._admitter.submit(admit)
        self._begun.append(_Chunk(self._sealer.submit(_seal, admitted, seal), rows, verdicts))
        if len(self._begun) == TOGETHER:
            self._close_group()

    def settle(self) -> None:
        """Wait for all chunks under way, and tell of them."""
        self._close_group()
        self._settle(0)

    def first_row(self) -> int | None:
        """Number of the first row that may not be entered yet; None where all are that were begun."""
        return next((chunk.rows[0].number for chunk in self._under_way()), None)

    def _under_way(self) -> Iterator[_Chunk[SealedT]]:
        for group in self._groups:
            yield from group.chunks
        yield from self._begun

    def _close_group(self) -> None:
        """Have what was begun entered once all of it is durable, after the group before."""
        if not self._begun:
            return
        chunks, self._begun = self._begun, []
        before = self._groups[-1].entered if self._groups else None
        durable = self._sealer.submit(_finish, chunks, self._make_durable)

        def follow() -> None:
            if before is not None:
                before.result()
            self._enter(durable.result())

        self._groups.append(_Group(self._keeper.submit(follow), chunks))

    def _settle(self, left: int) -> None:
        while len(self._groups) > left:
            group = self._groups.popleft()
            group.entered.result()
            for chunk in group.chunks:
                self._on_kept(chunk.rows, chunk.verdicts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admitter.shutdown(wait=True)
        self._sealer.shutdown(wait=True)
        self._keeper.shutdown(wait=True)


def _seal(admitted: "Future[AdmittedT]", seal: Callable[[AdmittedT], SealedT]) -> SealedT:
    """Seal a chunk once it is admitted."""
    return seal(admitted.result())


def _finish(chunks: Sequence[_Chunk[SealedT]], make_durable: Callable[[], None]) -> list[SealedT]:
    """Make sealed chunks durable."""
    sealed = [chunk.sealed.result() for chunk in chunks]
    make_durable()
    return sealed
