"""The embedded engine: one machine, one operator, the same state machine as everywhere.

Group commit: a lone transaction makes a block at once; a loaded node fills blocks. One thread, the *maker*, executes
block N+1 while the trees of block N are hashed and block N−1 is written in one durable batch, both beside it
(`kerege.consensus.underway`); then it answers. An answer means durable.

What cannot be a transaction whatever the state (malformed, of unknown messages) is answered where it is handed in and
never waits; everything else is decided when it is executed.
"""

import gc
import threading
import time as clock
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Self

from msgspec import Struct

from kerege.consensus import rows
from kerege.consensus.shares import OF_A_POOL, Shares
from kerege.consensus.underway import UnderWay
from kerege.kernel.block import Block, Executed, Outcome, Prepared
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import NotATransaction, TooManyWaiting, WrongSequence
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Transaction
from kerege.storage.port import Store

MAXIMUM_TRANSACTIONS = 4_000
"""Transactions of one block: about 50 ms of work."""
MAXIMUM_BYTES = 4 * 1024 * 1024
MAXIMUM_WAITING_BYTES = 128 * 1024 * 1024
"""Memory of waiting transactions beyond which the engine answers "busy": some seconds of work."""
MAXIMUM_OF_ONE, MAXIMUM_BYTES_OF_ONE = 20_000, MAXIMUM_WAITING_BYTES // OF_A_POOL
"""Transactions of one sender that may wait, about a second of work, and the memory they may take."""
DECODED_BYTES = 1_000
"""What a decoded transaction takes in memory beside its bytes, about."""
COLLECTED_EVERY = 64
"""Blocks between two collections of cyclic garbage, of which a block makes next to none."""
RETRY_AFTER = 200
"""Milliseconds after which a submission that met a busy engine may be sent again."""

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


class Answer(Struct, frozen=True, array_like=True, gc=False):
    """What became of a submitted transaction: a durable receipt, or why it was not a transaction.

    Neither: it was accepted, is kept by the node, and is not final yet.
    """

    id: bytes
    """Of the transaction; empty where the bytes are none of this ledger."""
    receipt: bytes | None
    height: int
    leaf: int
    """Log index of the receipt."""
    reason: NotATransaction | None

    @property
    def pending(self) -> bool:
        """Whether it is accepted only."""
        return self.receipt is None and self.reason is None


class Submission:
    """Transactions handed in together; each is answered on its own."""

    __slots__ = ("_done", "_missing", "answers", "failure")

    def __init__(self, size: int) -> None:
        self.failure: BaseException | None = None
        self.answers: list[Answer | None] = [None] * size
        """By position; what stands here counts once `settle` was told of it."""
        self._missing = size
        self._done = threading.Event()
        if not size:
            self._done.set()

    @property
    def settled(self) -> bool:
        """Whether everything is answered."""
        return self._done.is_set()

    def answer(self, position: int, answer: Answer) -> None:
        """Settle one."""
        self.answers[position] = answer
        self.settle(1)

    def settle(self, number: int) -> None:
        """So many more stand in `answers`."""
        self._missing -= number
        if self._missing == 0:
            self._done.set()

    def fail(self, failure: BaseException | None) -> None:
        """The engine stopped before everything was answered."""
        if not self.settled:
            self.failure = failure or Stopped("the ledger was closed")
            self._done.set()

    def wait(self, timeout: float | None = None) -> list[Answer]:
        """All answers; raises `TimeoutError`, or `Stopped` where the engine stopped meanwhile."""
        if not self._done.wait(timeout):
            raise TimeoutError
        if self.failure is not None:
            raise Stopped(f"the ledger stopped: {self.failure}") from self.failure
        return [answer for answer in self.answers if answer is not None]


Waiting = tuple[Submission, int, Transaction]
"""Who waits, for which position of the submission, with which transaction."""
_who = itemgetter(0)


def open_submission(machine: Machine, raws: list[bytes]) -> tuple[Submission, list[Waiting]]:
    """What was handed in, with what is no transaction answered already; the others wait."""
    submission, waiting = Submission(len(raws)), list[Waiting]()
    decode_one = machine.modules.decoder.transaction
    for position, raw in enumerate(raws):
        try:
            waiting.append((submission, position, decode_one(raw)))
        except NotATransaction as reason:
            submission.answer(position, Answer(b"", None, 0, 0, reason.with_traceback(None)))
    return submission, waiting


def _raws_of(waiting: list[Waiting]) -> list[bytes]:
    return [transaction.raw for _, _, transaction in waiting]


def _size(raws: list[bytes]) -> int:
    """Memory that these transactions take once they are decoded, about."""
    return sum(map(len, raws)) + DECODED_BYTES * len(raws)


class _Work:
    """Transactions of a block to be, with who waits for which of their outcomes."""

    __slots__ = ("prepared", "waiting")

    def __init__(self, prepared: Prepared, waiting: list[Waiting]) -> None:
        self.prepared = prepared
        self.waiting = waiting


class EmbeddedEngine:
    """Makes blocks of what is submitted. One per machine; `start` and `stop`, or use as a context manager.

    `alarm(text)` is called for a broken invariant or an unforeseen exception inside a transaction, and for what
    stopped the engine; `on_block(block)` after each durable block, in order, before its submitters are answered.
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
        """What stopped the engine, where it did not stop because it was told to."""
        self._alarm = alarm
        self._on_block = on_block
        self._undo_kept = undo_kept
        self._changed = threading.Condition()
        """Guards all that follows."""
        self._open = False
        self._queue: deque[Waiting] = deque()
        self._queued_bytes = 0
        self._shares = Shares(MAXIMUM_OF_ONE, MAXIMUM_BYTES_OF_ONE, RETRY_AFTER, DECODED_BYTES)
        self._unsettled: dict[int, Submission] = {}
        """Accepted and not wholly answered, by identity."""
        self._maker = threading.Thread(target=self._run_maker, name="maker", daemon=True)
        self._under_way = UnderWay(machine, self._write, self._wake)

    # Life

    def begin(self, genesis: Genesis) -> None:
        """Write block 0 and the genesis in one write."""
        block = self.machine.begin(genesis)
        self.store.write(rows.batch_of(block, 0, encode(genesis)))
        self.machine.durable(block)

    def start(self) -> None:
        """Start the maker."""
        self._open = True
        # A full collection walks every cached value and halves the rate (measured 13,400 against 19,000 transfers/s at
        # 100,000 accounts): what exists is frozen, and cycles are collected among young objects, between blocks.
        gc.collect()
        gc.freeze()
        gc.disable()
        self._maker.start()

    def stop(self) -> None:
        """Finish what was accepted, then stop. Everybody who still waits then is told."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        if self._maker.is_alive() and self._maker is not threading.current_thread():
            self._maker.join()
        gc.enable()
        gc.unfreeze()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Submitting

    def submit(self, raws: list[bytes]) -> Submission:
        """Hand in transactions; raises `Busy` before memory fills, `Stopped` where the engine does not run.

        What is more than its sender's share is answered with `TooManyWaiting`.
        """
        submission, waiting = open_submission(self.machine, raws)
        size = _size(raws if len(waiting) == len(raws) else _raws_of(waiting))
        with self._changed:
            if not self._open:
                raise Stopped("the ledger is stopped") from self.failure
            if self._queued_bytes and self._queued_bytes + size > MAXIMUM_WAITING_BYTES:
                raise Busy(self._queued_bytes, RETRY_AFTER)
            fitting = [entry for entry in waiting if self._has_room(entry)]
            if fitting:
                self._unsettled[id(submission)] = submission
                self._queue.extend(fitting)
                self._queued_bytes += size if len(fitting) == len(waiting) else _size(_raws_of(fitting))
                self._changed.notify_all()
        return submission

    def _has_room(self, entry: Waiting) -> bool:
        submission, position, transaction = entry
        try:
            self._shares.take(transaction)
        except TooManyWaiting as reason:
            submission.answer(position, Answer(transaction.id, None, 0, 0, reason.with_traceback(None)))
            return False
        return True

    def accept(self, raws: list[bytes]) -> Submission:
        """The same as `submit`: here a transaction is final as soon as it can be kept."""
        return self.submit(raws)

    def send(self, raw: bytes, timeout: float | None = 30) -> Answer:
        """Submit one and wait until it is durable."""
        return self.submit([raw]).wait(timeout)[0]

    def find(self, transaction: bytes) -> Answer | None:
        """The durable receipt of a transaction id: also what a resubmission is answered with."""
        found = rows.find_receipt(self.store, transaction)
        return None if found is None else Answer(transaction, found[2], found[0], found[1], None)

    # The maker: prepares a block while the one before executes

    def _run_maker(self) -> None:
        try:
            for act in (self._make_blocks, self._finish):
                try:
                    act()
                except BaseException as failure:  # noqa: BLE001 - told to everybody who waits, and to the alarm
                    self._fail(failure)
        finally:  # also where nobody hears the alarm
            self._under_way.close()
            with self._changed:
                unsettled, self._unsettled = list(self._unsettled.values()), {}
            for submission in unsettled:
                submission.fail(self.failure)

    def _make_blocks(self) -> None:
        ahead: _Work | None = None
        while True:
            work = self._take(wait=ahead is None)
            if ahead is not None:
                self._execute(ahead)
            elif work is None and not self._under_way:
                return
            ahead = work
            if ahead is not None and not self._queue:
                self._execute(ahead)
                ahead = None
            self._under_way.advance()

    def _finish(self) -> None:
        """What was executed becomes durable also where the maker failed."""
        while self._under_way:
            with self._changed:
                self._changed.wait_for(lambda: self._under_way.ready)
            self._under_way.advance()

    def _take(self, *, wait: bool) -> _Work | None:
        """What waits, up to a block; None where a block can be advanced first, where the engine closes and none is
        under way, and where nothing can be taken and `wait` is off.
        """
        under_way = self._under_way
        with self._changed:
            while not self._queue or under_way.full:
                if not wait or under_way.ready or not (self._open or under_way):
                    return None
                self._changed.wait()
            waiting = self._next_block()
        return _Work(self.machine.prepare_decoded([transaction for _, _, transaction in waiting]), waiting)

    def _next_block(self) -> list[Waiting]:
        """The head of the queue as far as one block goes: number, bytes and the machine's own budget of work."""
        waiting: list[Waiting] = []
        size, weight, queue = 0, 0, self._queue
        for entry in islice(queue, MAXIMUM_TRANSACTIONS):
            transaction = entry[2]
            weight += transaction.weight
            if weight > MAXIMUM_BLOCK_WEIGHT or size >= MAXIMUM_BYTES:
                break
            size += len(transaction.raw)
            waiting.append(entry)
        for _, _, transaction in waiting:
            queue.popleft()
            self._shares.remove(transaction)
        self._queued_bytes -= size + DECODED_BYTES * len(waiting)
        return waiting

    def _execute(self, work: _Work) -> None:
        machine = self.machine
        height, last = machine.last
        executed = machine.execute(height + 1, max(last, self.now()), work.prepared)
        for text in executed.alarms:
            self._alarm(text)
        _leave_out_non_transactions(executed)
        if executed.empty:
            machine.discard(executed)
        self._under_way.enter(executed, partial(self._settle, work.waiting, executed))

    # What became durable

    def _settle(self, waiting: list[Waiting], executed: Executed, block: Block | None) -> None:
        first = 0
        if block is not None:
            self.machine.durable(block)
            first = block.stored.first_leaf
            self._on_block(block)
            if block.head.height % COLLECTED_EVERY == 0:
                gc.collect(1)
        self._answer(waiting, executed, first)

    def _write(self, block: Block) -> None:
        self.store.write(rows.batch_of(block, block.head.height - self._undo_kept + 1))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _answer(self, waiting: list[Waiting], executed: Executed, first: int) -> None:
        """Tell everybody who waits for the block: all answers first, then each submission once."""
        height = executed.height
        for (submission, position, transaction), outcome in zip(waiting, executed.outcomes, strict=True):
            leaf = outcome.leaf
            submission.answers[position] = (
                self._answer_left_out(transaction, outcome)
                if leaf is None
                else Answer(outcome.id, outcome.receipt, height, first + leaf, None)
            )
        answered = Counter(map(_who, waiting))
        for submission, number in answered.items():
            submission.settle(number)
        with self._changed:
            for submission in answered:
                if submission.settled:
                    del self._unsettled[id(submission)]

    def _answer_left_out(self, transaction: Transaction, outcome: Outcome) -> Answer:
        """What is no transaction here and now may be a copy of one that is recorded."""
        known = self.find(outcome.id)
        if known is not None and _may_learn(known, transaction, outcome.reason):
            return known
        return Answer(outcome.id, None, 0, 0, outcome.reason)

    # Failure

    def _fail(self, failure: BaseException) -> None:
        """Stop: nothing new is taken; what was executed becomes durable where it can, then the rest is told."""
        if self.failure is not None:
            return
        with self._changed:
            self.failure = failure
            self._open = False
            self._queue.clear()
            self._changed.notify_all()
        self._alarm(f"the ledger stops: {failure!r}")


def _leave_out_non_transactions(executed: Executed) -> None:
    """The embedded maker keeps out of its block what was no transaction: as if admission had refused it."""
    pairs = zip(executed.transactions, executed.outcomes, strict=True)
    executed.transactions = [raw for raw, outcome in pairs if outcome.receipt is not None]


def _may_learn(known: Answer, transaction: Transaction, reason: NotATransaction | None) -> bool:
    """Whether a copy of what is recorded gets its receipt: signed with the very witness that the receipt names, or with
    another good one (only what passed key and signature comes as far as the sequence).

    A body alone is no resubmission: the witness is no part of a transaction's id, and whoever cannot sign is told so.
    """
    if isinstance(reason, WrongSequence):
        return True
    return known.receipt is not None and decode(known.receipt, Receipt).witness == transaction.witness_hash
