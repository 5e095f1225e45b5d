"""The embedded engine: one machine, one operator, the same state machine as everywhere.

Group commit: a lone transaction makes a block at once; a loaded node fills blocks. Two threads: the
*maker* executes block N+1 while the *committer* computes roots of block N, writes it in one durable batch
and answers. An answer means durable.
"""

import threading
import time as clock
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from kerege.consensus import rows
from kerege.kernel.block import Block, Executed, Outcome, Prepared, StoredBlock
from kerege.kernel.codec import encode
from kerege.kernel.errors import NotATransaction
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.storage.port import Store

MAXIMUM_TRANSACTIONS = 4_000
"""Transactions of one block: about 50 ms of work."""
MAXIMUM_BYTES = 4 * 1024 * 1024
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
"""Waiting submissions beyond which the engine answers "busy"."""
BLOCKS_AHEAD = 2
"""Executed blocks that may wait for the disk."""

Clock = Callable[[], int]


def wall_clock() -> int:
    """Milliseconds since the Unix epoch, UTC."""
    return clock.time_ns() // 1_000_000


class Busy(Exception):
    """The engine has as much waiting as it takes: nothing was accepted, send it again later."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"{waiting} bytes are waiting; try again in {retry_after} ms")
        self.waiting = waiting
        self.retry_after = retry_after


class Stopped(Exception):
    """The engine does not run: nothing was accepted, or whether it was is told by asking for the receipt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a submitted transaction: a durable receipt, or why it was not a transaction."""

    id: bytes
    receipt: bytes | None
    height: int
    leaf: int
    """Log index of the receipt."""
    reason: NotATransaction | None


class Submission:
    """Transactions handed in together; each is answered on its own."""

    __slots__ = ("_answers", "_done", "_missing", "failure", "raws")

    def __init__(self, raws: list[bytes]) -> None:
        self.raws = raws
        self.failure: BaseException | None = None
        self._answers: list[Answer | None] = [None] * len(raws)
        self._missing = len(raws)
        self._done = threading.Event()
        if not raws:
            self._done.set()

    def answer(self, position: int, answer: Answer) -> None:
        """Settle one (the committer calls this)."""
        self._answers[position] = answer
        self._missing -= 1
        if self._missing == 0:
            self._done.set()

    def fail(self, failure: BaseException) -> None:
        """The engine stopped before everything was answered."""
        self.failure = failure
        self._done.set()

    def wait(self, timeout: float | None = None) -> list[Answer]:
        """All answers; raises `TimeoutError`, or `Stopped` where the engine stopped meanwhile."""
        if not self._done.wait(timeout):
            raise TimeoutError
        if self.failure is not None:
            reason = f"the ledger stopped: {self.failure}"
            raise Stopped(reason) from self.failure
        return [answer for answer in self._answers if answer is not None]


class _Work:
    """A block on its way through the two threads, with who waits for which of its outcomes."""

    __slots__ = ("block", "executed", "prepared", "waiting")

    def __init__(self, prepared: Prepared, waiting: list[tuple[Submission, int]]) -> None:
        self.prepared = prepared
        self.waiting = waiting
        self.executed: Executed | None = None
        self.block: Block | None = None


class EmbeddedEngine:
    """Makes blocks of what is submitted. One per machine; `start` and `stop`, or use as a context manager.

    `alarm(text)` is called for a broken invariant or an unforeseen exception inside a transaction, and for what
    stopped the engine; `on_block(block)` after each durable block, in order.
    """

    def __init__(
        self,
        machine: Machine,
        store: Store,
        *,
        now: Clock = wall_clock,
        alarm: Callable[[str], None] = lambda _text: None,
        on_block: Callable[[Block], None] = lambda _block: None,
        undo_kept: int = rows.KEPT_HEIGHTS,
    ) -> None:
        self.machine = machine
        self.store = store
        self.now = now
        self.failure: BaseException | None = None
        self._alarm = alarm
        self._on_block = on_block
        self._undo_kept = undo_kept
        self._lock = threading.Condition()
        self._queue: deque[tuple[Submission, int]] = deque()
        self._waiting_bytes = 0
        self._commit = threading.Condition()
        self._executed: deque[_Work] = deque()
        self._open = False
        self._in_hand: list[_Work] = []
        """What the maker took from the queue and has not yet handed to the committer."""
        self._maker = threading.Thread(target=self._guard, args=(self._make_blocks,), name="maker", daemon=True)
        self._committer = threading.Thread(target=self._guard, args=(self._commit_blocks,), name="committer", daemon=True)

    # Life

    def begin(self, genesis: Genesis) -> None:
        """Write block 0."""
        rows.write_genesis(self.store, encode(genesis))
        block = self.machine.begin(genesis)
        self.store.write(rows.batch_of(block, 0))
        self.machine.durable(block)

    def start(self) -> None:
        """Start both threads."""
        self._open = True
        self._maker.start()
        self._committer.start()

    def stop(self) -> None:
        """Finish what was accepted, then stop."""
        with self._lock:
            self._open = False
            self._lock.notify_all()
        for thread in (self._maker, self._committer):
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join()

    def __enter__(self) -> "EmbeddedEngine":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Submitting

    def submit(self, raws: list[bytes]) -> Submission:
        """Hand in transactions; raises `Busy` before memory fills, `Stopped` where the engine does not run."""
        submission, size = Submission(raws), sum(map(len, raws))
        with self._lock:
            if not self._open:
                reason = "the ledger is stopped"
                raise Stopped(reason) from self.failure
            if self._waiting_bytes and self._waiting_bytes + size > MAXIMUM_WAITING_BYTES:
                raise Busy(self._waiting_bytes, 200)
            self._queue.extend((submission, position) for position in range(len(raws)))
            self._waiting_bytes += size
            self._lock.notify()
        return submission

    def send(self, raw: bytes, timeout: float | None = 30) -> Answer:
        """Submit one and wait until it is durable."""
        return self.submit([raw]).wait(timeout)[0]

    # The maker: prepares a block while the one before executes

    def _make_blocks(self) -> None:
        ahead: _Work | None = None
        while True:
            work = self._take(wait=ahead is None)
            if work is None and ahead is None:
                break
            if ahead is not None:
                self._execute(ahead)
            ahead = work
            if ahead is not None and not self._queue:
                self._execute(ahead)
                ahead = None
        with self._commit:
            self._executed.append(_END)
            self._commit.notify()

    def _take(self, *, wait: bool) -> _Work | None:
        """What waits, up to a block; None where nothing does and the engine closes (or `wait` is off)."""
        with self._lock:
            while not self._queue:
                if not wait or not self._open:
                    return None
                self._lock.wait()
            waiting: list[tuple[Submission, int]] = []
            size, queue = 0, self._queue
            while queue and len(waiting) < MAXIMUM_TRANSACTIONS and size < MAXIMUM_BYTES:
                entry = queue.popleft()
                size += len(entry[0].raws[entry[1]])
                waiting.append(entry)
            self._waiting_bytes -= size
        raws = [submission.raws[position] for submission, position in waiting]
        work = _Work(self.machine.prepare(raws), waiting)
        self._in_hand.append(work)
        return work

    def _execute(self, work: _Work) -> None:
        machine = self.machine
        height, last = machine.last
        work.executed = machine.execute(height + 1, max(last, self.now()), work.prepared)
        for text in work.executed.alarms:
            self._alarm(text)
        _leave_out_non_transactions(work.executed)
        if work.executed.empty:
            machine.forget(work.executed)
        with self._commit:
            while len(self._executed) >= BLOCKS_AHEAD and self.failure is None:
                self._commit.wait()
            self._executed.append(work)
            self._in_hand.remove(work)
            self._commit.notify_all()

    # The committer: roots, one durable write, answers

    def _commit_blocks(self) -> None:
        while True:
            with self._commit:
                while not self._executed:
                    self._commit.wait()
                work = self._executed[0]
            if work is _END:
                return
            self._persist(work)
            with self._commit:
                self._executed.popleft()
                self._commit.notify_all()

    def _persist(self, work: _Work) -> None:
        executed = work.executed
        if executed is None:
            return
        first = 0
        if not executed.empty:
            block = self.machine.seal(executed)
            self.store.write(rows.batch_of(block, block.head.height - self._undo_kept + 1))
            self.machine.durable(block)
            first = block.stored.first_leaf
            self._on_block(block)
        for (submission, position), outcome in zip(work.waiting, executed.outcomes, strict=True):
            submission.answer(position, self._answer(outcome, submission.raws[position], executed.height, first))

    def _answer(self, outcome: Outcome, raw: bytes, height: int, first: int) -> Answer:
        if outcome.receipt is not None and outcome.leaf is not None:
            return Answer(outcome.id, outcome.receipt, height, first + outcome.leaf, None)
        known = self.find(outcome.id or _id_of(raw))
        return known or Answer(outcome.id, None, 0, 0, outcome.reason)

    def find(self, transaction: bytes) -> Answer | None:
        """The durable receipt of a transaction id: also what a resubmission is answered with."""
        place = rows.find_place(self.store, transaction)
        if place is None:
            return None
        block = rows.read_block(self.store, place[0])
        if block is None:
            return None
        return Answer(transaction, block.leaves[place[1]], place[0], block.first_leaf + place[1], None)

    # Failure

    def _guard(self, body: Callable[[], None]) -> None:
        """A thread that fails stops the engine: nothing is half done, everybody waiting is told."""
        try:
            body()
        except BaseException as failure:  # noqa: BLE001 - told to everybody who waits, and to the alarm
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        self.failure = failure
        self._alarm(f"the ledger stops: {failure!r}")
        with self._lock:
            self._open = False
            told = {id(s): s for s, _ in self._queue}
            self._queue.clear()
            self._lock.notify_all()
        with self._commit:
            told.update((id(s), s) for work in (*self._executed, *self._in_hand) for s, _ in work.waiting)
            self._executed.clear()
            self._executed.append(_END)
            self._commit.notify_all()
        for submission in told.values():
            submission.fail(failure)


_END = _Work(Prepared([], [], None), [])


def _id_of(raw: bytes) -> bytes:
    """Transaction id of bytes whose envelope can be read, else an id that no receipt has."""
    try:
        body = msgspec.msgpack.decode(raw)[0]
        return sha256(body).digest()
    except (msgspec.DecodeError, TypeError, IndexError, KeyError):
        return b""


def _leave_out_non_transactions(executed: Executed) -> None:
    """The embedded maker keeps out of its block what was no transaction: as if admission had refused it."""
    kept = [raw for raw, outcome in zip(executed.transactions, executed.outcomes, strict=True) if outcome.receipt]
    executed.transactions = kept


def replay_blocks(machine: Machine, blocks: list[StoredBlock]) -> list[Block]:
    """Apply stored blocks again, in order."""
    return [machine.apply_block(block.height, block.time, block.transactions) for block in blocks]
