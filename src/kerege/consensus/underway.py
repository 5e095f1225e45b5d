"""Executed blocks on their way to the disk: roots, one durable write, then whoever waits is told.

One thread executes blocks and takes them through all this, so that a block's many small objects stay with one
processor: sealed and answered on a second thread they cost a sixth of the rate (two cores, 50,000 accounts). Beside it
runs what needs the interpreter for little of its time: hashing into the state trees, and the write with its sync.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from kerege.kernel.block import Block, Executed, Sealing
from kerege.kernel.machine import Machine

MOST = 3
"""Blocks under way from which on none is taken: one being hashed, one being written, one that is next to either. What
was taken before may still join them.
"""

T = TypeVar("T")


Settle = Callable[[Block | None], None]
"""Tells whoever waits for a block that it is durable; None: it was empty, and all before it are durable."""


class _Step:
    """A block, and how far it is; an empty one has nothing to hash or to write, and waits for those before it."""

    __slots__ = ("block", "hashed", "sealing", "settle", "written")

    def __init__(self, settle: Settle) -> None:
        self.settle = settle
        self.sealing: Sealing | None = None
        self.hashed: Future[list[bytes]] | None = None
        self.block: Block | None = None
        self.written: Future[None] | None = None

    @property
    def durable(self) -> bool:
        return self.written.done() if self.written is not None else self.hashed is None


class UnderWay:
    """The blocks that are executed and not yet durable, oldest first; for the one thread that executes.

    `write(block)` makes a block durable; `wake()` is called, on any thread, when something became `ready`.
    """

    def __init__(self, machine: Machine, write: Callable[[Block], None], wake: Callable[[], None]) -> None:
        self._machine = machine
        self._write = write
        self._wake = wake
        self._steps: deque[_Step] = deque()
        self._failure: BaseException | None = None
        self._last_written: Future[None] | None = None
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="trees")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="committer")

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def full(self) -> bool:
        """Whether the next block has to wait."""
        return len(self._steps) >= MOST

    @property
    def ready(self) -> bool:
        """Whether `advance` would get on."""
        return bool(self._steps) and (self._steps[0].durable or self._sealable() is not None)

    def enter(self, executed: Executed, settle: Settle) -> None:
        """The newest block begins its way; at its end, after those before it, `settle` is called."""
        step = _Step(settle)
        if not executed.empty:

            def hash_beside(job: Callable[[], list[bytes]]) -> Callable[[], list[bytes]]:
                step.hashed = self._begin(self._hashing, job)
                return step.hashed.result

            step.sealing = self._machine.begin_seal(executed, hash_beside)
        self._steps.append(step)

    def advance(self) -> None:
        """Take every block as far as it goes without waiting; those that are durable now are settled and leave.

        Raises what hashing, writing or settling a block raised, now and from then on: nothing after it may be kept.
        """
        if self._failure is not None:
            raise self._failure
        try:
            self._seal()
            self._let_go()
        except BaseException as failure:
            self._failure = failure
            raise

    def close(self) -> None:
        """End both threads."""
        self._hashing.shutdown()
        self._writing.shutdown()

    def _sealable(self) -> tuple[_Step, Sealing] | None:
        """The oldest block that is not sealed, where it is hashed: no later one is sealed before it."""
        for step in self._steps:
            if step.block is None and step.sealing is not None and step.hashed is not None:
                return (step, step.sealing) if step.hashed.done() else None
        return None

    def _seal(self) -> None:
        while (found := self._sealable()) is not None:
            step, sealing = found
            step.block = self._machine.finish_seal(sealing)
            self._last_written = step.written = self._begin(
                self._writing, partial(self._write_after, self._last_written, step.block)
            )

    def _write_after(self, before: Future[None] | None, block: Block) -> None:
        """Raises what writing the block before raised: no block is written upon one that the store does not have."""
        if before is not None:
            before.result()
        self._write(block)

    def _let_go(self) -> None:
        while self._steps and self._steps[0].durable:
            step = self._steps.popleft()
            if step.written is not None:
                step.written.result()
            step.settle(step.block)

    def _begin(self, pool: ThreadPoolExecutor, job: Callable[[], T]) -> Future[T]:
        begun = pool.submit(job)
        begun.add_done_callback(lambda _: self._wake())
        return begun
