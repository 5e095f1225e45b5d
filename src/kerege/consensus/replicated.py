"""The engine of a node that follows a network: a twin of the embedded one, whose blocks others decide too.

What is submitted is looked at, handed to the node's own engine, and settled by the blocks that the ledger of this
process commits. Until then it is kept here and handed in again where the engine lost it: its pool is emptied by every
restart. Two threads: the *sender* talks to the engine, the *settler* reads what was committed; the engine's own calls
wait for neither.
"""

import threading
import time as clock
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from queue import SimpleQueue
from typing import Self

from kerege.consensus.admission import Admission, Fit
from kerege.consensus.broadcast import Broadcaster, Offered
from kerege.consensus.cometbft.rpc import Unreachable
from kerege.consensus.embedded import Answer, Busy, Clock, Stopped, Submission, open_submission, wall_clock
from kerege.consensus.outbox import Outbox
from kerege.consensus.packing import Packer
from kerege.consensus.parcels import LARGEST, MAXIMUM_SIZE
from kerege.consensus.proposals import Classes, classes_at
from kerege.consensus.replica import Replica
from kerege.consensus.turns import in_turn
from kerege.consensus.unanswered import RETRY_AFTER, Item, Place, Unanswered
from kerege.consensus.whole import BeingRestored, check_whole
from kerege.kernel.block import Block, Outcome
from kerege.kernel.codec import decode
from kerege.kernel.context import Context
from kerege.kernel.errors import NotATransaction, TooManyOutOfTurn, TooManyWaiting, WrongSequence
from kerege.kernel.machine import Machine
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Transaction

MAXIMUM_WAITING_BYTES = 6 * 1024 * 1024
"""Bytes of transactions without an answer beyond which the engine answers "busy": a few seconds of a network's work."""
MAXIMUM_FLYING_BYTES = 3 * 1024 * 1024
"""Bytes of those that were handed to the engine: its pool never fills through one node."""
GAP_SECONDS = 5.0
"""How long a transaction may wait for the one before it of its sender, submitted here or committed."""
LATER_SECONDS = 0.3
"""After which a transaction is offered again that met a busy engine."""
AGAIN_SECONDS = 15.0
"""After which one is looked at and packed again of which nothing was heard: busy validators may have let it drop."""
SWEEP_SECONDS = 0.25
GATHER_SECONDS = 0.02
GATHERED_BYTES = MAXIMUM_SIZE
"""How long, or until how many bytes, transactions wait for company in a parcel."""
TAKEN_BYTES = 8 * MAXIMUM_SIZE
"""Bytes that are looked at together at most: what is next waits for them."""
EXPIRED_MARGIN = 10_000
"""Milliseconds after `valid_until`, by the node's clock, in which a block may still come that has the transaction."""

Settled = tuple[int, int, Sequence[Outcome]]
"""Height of a durable block, log index of its first leaf, what became of what was in it."""


class _Load:
    """What is offered to the engine as one: the bytes, and the transactions in them."""

    __slots__ = ("due", "items", "raw", "waits")

    def __init__(self, raw: bytes, items: list[Item]) -> None:
        self.raw = raw
        self.items = items
        self.due = 0.0
        """When it is offered (again)."""
        self.waits = False
        """Whether it was in the engine's pool."""


def _rank(item: Item) -> int:
    return item.rank


def _may_be_packed(item: Item) -> bool:
    return not item.alone and len(item.transaction.raw) <= LARGEST


class ReplicatedEngine:
    """Settles what is submitted through the engine of a `Replica` of this process; `start` and `stop` it.

    `rpc`: the RPC of that engine, `http://host:port` or `unix:///path`. `key`: seed of this node's gateway key; once
    that is registered in the state, what comes close together goes in parcels. `alarm(text)` is told when the engine
    does not answer, and what stopped this one. `waiting_bytes`: of transactions without an answer, beyond which it is
    busy. `outbox`: where it is kept what is only accepted; it is closed by `stop`.
    """

    def __init__(
        self,
        replica: Replica,
        *,
        rpc: str,
        key: bytes | None = None,
        now: Clock = wall_clock,
        alarm: Callable[[str], None] = lambda _text: None,
        waiting_bytes: int = MAXIMUM_WAITING_BYTES,
        outbox: Outbox | None = None,
    ) -> None:
        self._replica = replica
        self.store = replica.store
        self.now = now
        self.failure: BaseException | None = None
        """What stopped the engine, where it did not stop because it was told to."""
        self._alarm = alarm
        self._waiting_bytes = waiting_bytes
        self._outbox = outbox
        self._admission = Admission(replica)
        self._broadcaster = Broadcaster(rpc)
        self._rpc = rpc
        self._packer = None if key is None else Packer(key, replica.machine.ledger)
        self._told: SimpleQueue[Settled | None] = SimpleQueue()
        self._changed = threading.Condition()
        """Guards all that follows."""
        self._open = False
        self._answered: list[bytes] = []
        """What need not be kept any longer."""
        self._items = Unanswered(waiting_bytes)
        self._unsettled: dict[int, Submission] = {}
        self._queue: deque[Item] = deque()
        """To be looked at."""
        self._queued_bytes = 0
        self._held: list[Item] = []
        self._to_keep: list[Item] = []
        """With the engine already when somebody asked that they be kept."""
        self._fresh: list[_Load] = []
        """To be offered to the engine now."""
        self._given: list[_Load] = []
        """Offered to it, of which something is still waited for."""
        self._settled_height = 0
        """Height of the newest block that was learned from."""
        self._away = False
        """Whether the engine did not answer last."""
        self._sender = threading.Thread(target=self._run, args=(self._send,), name="sender", daemon=True)
        self._settler = threading.Thread(target=self._run, args=(self._settle_blocks,), name="settler", daemon=True)
        replica.listen(self._hear)

    @property
    def machine(self) -> Machine:
        """The replica's: another one after it was filled from a snapshot."""
        return self._replica.machine

    # Running

    def start(self) -> None:
        """Begin to take transactions, and go on with what was accepted before."""
        with self._changed:
            for raw in () if self._outbox is None else self._outbox.all():
                self._go_on_with(raw)
            self._open = True
        self._sender.start()
        self._settler.start()

    def _go_on_with(self, raw: bytes) -> None:
        """What was accepted before; what is no transaction any more, as after an upgrade, must not stop the node."""
        try:
            self._item(self.machine.modules.decoder.transaction(raw)).kept = True
        except NotATransaction as reason:
            self._alarm(f"a transaction accepted before is none any more ({reason}): it is dropped")
            self._answered.append(raw)

    def stop(self) -> None:
        """Take no more; whoever waits is told that it stopped. What the engine was given may still be committed."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._told.put(None)
        self._broadcaster.close()
        for thread in (self._sender, self._settler):
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join()
        self._give_up(self.failure)
        if self._outbox is not None:
            self._outbox.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - told to everybody who waits, and to the alarm
            self._alarm(f"nothing can be submitted any more: {failure!r}")
            with self._changed:
                self.failure = self.failure or failure
                self._open = False
                self._changed.notify_all()
            self._give_up(failure)

    def _give_up(self, failure: BaseException | None) -> None:
        with self._changed:
            unsettled, self._unsettled = list(self._unsettled.values()), {}
        for submission in unsettled:
            submission.fail(failure)

    @property
    def unanswered(self) -> int:
        """Transactions that somebody submitted and nobody was answered about, with those given to the engine."""
        return len(self._items)

    # Submitting

    def submit(self, raws: list[bytes]) -> Submission:
        """Hand in transactions; raises `Busy` before the engine's pool fills, `Stopped` where this does not run, and
        `BeingRestored`.

        What is more than its sender's share is answered with `TooManyWaiting`.
        """
        return self._submit(raws, lambda item: item.waiters)

    def accept(self, raws: list[bytes]) -> Submission:
        """The same, but each is answered as soon as it is kept, pending: `find` tells its receipt later.

        Without an outbox it is `submit`.
        """
        return self._submit(raws, lambda item: item.waiters if self._outbox is None else item.accepting)

    def _submit(self, raws: list[bytes], whose: Callable[[Item], list[Place]]) -> Submission:
        check_whole(self.store)
        submission, waiting = open_submission(self.machine, raws)
        size = sum(len(transaction.raw) for _, _, transaction in waiting)
        with self._changed:
            if not self._open:
                raise Stopped("the ledger is stopped") from self.failure
            if self._items.size and self._items.size + size > self._waiting_bytes:
                raise Busy(self._items.size, RETRY_AFTER)
            if waiting:
                self._unsettled[id(submission)] = submission
                for _, position, transaction in waiting:
                    self._take_in(submission, position, transaction, whose)
                self._changed.notify_all()
        return submission

    def _take_in(
        self,
        submission: Submission,
        position: int,
        transaction: Transaction,
        whose: Callable[[Item], list[Place]],
    ) -> None:
        place = submission, position
        if self._items.find(transaction.raw) is None:
            try:
                self._items.check_share(transaction)
            except TooManyWaiting as reason:
                answer = Answer(transaction.id, None, 0, 0, reason.with_traceback(None))
                self._tell([place], answer)
                return
        item = self._item(transaction)
        whose(item).append(place)
        if item.accepting and item.kept:
            self._tell(item.accepting, item.pending)
        elif item.accepting and item.flying:
            self._to_keep.append(item)

    def send(self, raw: bytes, timeout: float | None = 30) -> Answer:
        """Submit one and wait until it is final."""
        return self.submit([raw]).wait(timeout)[0]

    def find(self, transaction: bytes) -> Answer | None:
        """The durable receipt of a transaction id: also what a resubmission is answered with."""
        return self._admission.receipt(transaction)

    def _item(self, transaction: Transaction) -> Item:
        """What is kept of these bytes; new ones are queued."""
        known = self._items.find(transaction.raw)
        if known is not None:
            return known
        item = self._items.add(transaction)
        self._enqueue(item)
        return item

    def _enqueue(self, item: Item) -> None:
        self._queue.append(item)
        self._queued_bytes += len(item.transaction.raw)

    # The sender: looks at what was submitted, gives it to the engine, again where it must

    def _send(self) -> None:
        swept = 0.0
        while (taken := self._take()) is not None:
            if taken:
                self._look_at(taken)
            time = clock.monotonic()
            if time - swept > SWEEP_SECONDS:
                self._sweep(time)
                self._keep([])
                swept = time
            self._offer()

    def _take(self) -> list[Item] | None:
        """What waits to be looked at, as far as the engine has room; None where this closes.

        A lone one is taken at once; where others are under way, it waits for company in a parcel.
        """
        with self._changed:
            if self._open and not (self._queue and self._items.flying < MAXIMUM_FLYING_BYTES):
                self._changed.wait(SWEEP_SECONDS)
            if self._open and self._packer is not None and self._items.flying:
                self._changed.wait_for(lambda: not self._open or self._queued_bytes >= GATHERED_BYTES, GATHER_SECONDS)
            if not self._open:
                return None
            taken, size = list[Item](), self._items.flying
            enough = min(MAXIMUM_FLYING_BYTES, size + TAKEN_BYTES)
            while self._queue and size < enough:
                item = self._queue.popleft()
                self._queued_bytes -= len(item.transaction.raw)
                if item in self._items:
                    taken.append(item)
                    size += len(item.transaction.raw)
        return taken

    def _look_at(self, taken: list[Item]) -> None:
        """Answer what is no transaction or known already; load the rest. Nothing is while a snapshot is restored."""
        items = in_turn(taken)
        try:
            ctx = self._admission.context(self.now())
            verdicts = self._admission.look(ctx, [item.transaction for item in items])
        except BeingRestored:
            self._put_off(items)
            return
        classes = Classes(classes_at(ctx))
        fit: list[Item] = []
        with self._changed:
            for item, verdict in zip(items, verdicts, strict=True):
                if isinstance(verdict, Answer):
                    self._settle(item, verdict)
                elif self._follows(item, verdict, classes.of(item.transaction)):
                    self._items.fly(item)
                    fit.append(item)
                elif self._settled_height > ctx.height:  # it may be its turn in a state newer than what was looked at
                    self._look_again(item)
                else:
                    self._hold(item, verdict, ctx.height)
        self._keep(fit)
        self._fresh.extend(self._loads(ctx, fit))

    def _put_off(self, items: list[Item]) -> None:
        """Wait a moment before they are looked at."""
        with self._changed:
            for item in items:
                self._enqueue(item)
            if self._open:
                self._changed.wait(SWEEP_SECONDS)

    def _keep(self, fit: list[Item]) -> None:
        """Into the outbox with what is only to be accepted; out of it with what was answered."""
        if self._outbox is None:
            return
        with self._changed:
            kept, answered = [item for item in (*fit, *self._to_keep) if item.accepting], self._answered
            self._to_keep, self._answered = [], []
        self._outbox.put(item.transaction.raw for item in kept)
        self._outbox.drop(answered)
        with self._changed:
            for item in kept:
                item.kept = True
                self._tell(item.accepting, item.pending)

    def _loads(self, ctx: Context, fit: list[Item]) -> list[_Load]:
        """Parcels of one class each, where this node may pack; singly otherwise."""
        if self._packer is None or not self._packer.is_registered(ctx):
            return [_Load(item.transaction.raw, [item]) for item in fit]
        loads = [_Load(item.transaction.raw, [item]) for item in fit if not _may_be_packed(item)]
        for _, ranked in groupby(sorted(filter(_may_be_packed, fit), key=_rank), key=_rank):
            loads.extend(_Load(raw, items) for raw, items in self._packer.pack(list(ranked), self.now()))
        return loads

    def _follows(self, item: Item, fit: Fit, rank: int) -> bool:
        """Whether it is the sender's turn, or comes after a transaction that the engine has; notes its class.

        Where the engine has another one for the same turn it waits what becomes of that.
        """
        if self._items.has_rival(item):
            return False
        before = self._items.before(item)
        follows = before is not None and before.flying
        item.rank = max(rank, before.rank) if before is not None and follows else rank
        return fit.gap == 0 or follows

    def _look_again(self, item: Item) -> None:
        self._items.land(item)
        self._enqueue(item)

    def _hold(self, item: Item, fit: Fit, height: int) -> None:
        """Wait for the one before it: for a while, or where it was accepted until it expires."""
        time = clock.monotonic()
        if item.held_since is None:
            item.held_since = time
        item.held_at = height
        self._items.land(item)
        reason = None if item.kept else self._why_not_held(item, fit, time - item.held_since)
        if reason is not None:
            self._settle(item, Answer(item.transaction.id, None, 0, 0, reason))
            return
        self._items.put_apart(item)
        self._held.append(item)

    def _why_not_held(self, item: Item, fit: Fit, seconds: float) -> NotATransaction | None:
        """It waits too long, or too many of its sender wait like it."""
        body = item.transaction.body
        expected = body.sequence + 1 if self._items.has_rival(item) else body.sequence - fit.gap
        try:
            self._items.check_out_of_turn(item, expected)
        except TooManyOutOfTurn as reason:
            return reason.with_traceback(None)
        if seconds > GAP_SECONDS:
            return WrongSequence(lane=body.lane, sequence=body.sequence, expected=expected)
        return None

    def _sweep(self, time: float) -> None:
        """Look again at what waits for another one and at what has expired; offer again what is due."""
        past = self.now() - EXPIRED_MARGIN
        with self._changed:
            held, self._held = self._held, []
            for item in held:
                if self._may_be_its_turn(item):
                    self._enqueue(item)
                else:
                    self._held.append(item)
            for item in self._items.all():
                if item.flying and item.transaction.body.valid_until < past:
                    self._look_again(item)
            due = [load for load in self._given if load.due <= time]
            self._given = [load for load in self._given if load.due > time and self._is_wanted(load)]
            self._fresh.extend(load for load in due if not load.waits)
            for item in (item for load in due if load.waits for item in load.items if item.flying):
                self._look_again(item)

    def _may_be_its_turn(self, item: Item) -> bool:
        """Whether to look again at one that is held; what was accepted may wait long: not where nothing has changed."""
        before = self._items.before(item)
        return (
            not item.kept
            or self._settled_height > item.held_at
            or (before is not None and before.flying)
            or item.transaction.body.valid_until < self.now()
        )

    def _is_wanted(self, load: _Load) -> bool:
        """Whether anything in a load is still waited for."""
        return any(item.flying and item in self._items for item in load.items)

    def _offer(self) -> None:
        """Give the engine what it has not been given, or must be given again."""
        with self._changed:
            fresh, self._fresh = [load for load in self._fresh if self._is_wanted(load)], []
        if not fresh:
            return
        connections = self._broadcaster.connections
        try:
            said = self._broadcaster.offer([load.raw for load in fresh])
        except Unreachable as reason:
            self._lose(fresh, reason)
            return
        self._away, time = False, clock.monotonic()
        with self._changed:
            if connections != self._broadcaster.connections:  # perhaps it was started anew, with an empty pool
                self._fresh, self._given = self._given, []
            for load, answer in zip(fresh, said, strict=True):
                load.waits = answer is Offered.WAITS
                load.due = time + (AGAIN_SECONDS if load.waits else LATER_SECONDS)
                if answer is Offered.REFUSED:
                    self._reconsider(load.items)
            self._given.extend(fresh)

    def _lose(self, fresh: list[_Load], reason: Unreachable) -> None:
        """The engine is away, and with it all that was in its pool: everything is offered again."""
        with self._changed:
            self._fresh, self._given = [*self._given, *fresh, *self._fresh], []
            if self._open and not self._away:
                self._alarm(f"the engine at {self._rpc} does not answer ({reason}): {len(self._items)} wait for it")
            self._away = True
            if self._open:
                self._changed.wait(LATER_SECONDS)

    def _reconsider(self, items: Iterable[Item]) -> None:
        """Look again at what the engine refused: that tells why."""
        for item in items:
            if item.flying:
                self._items.land(item)
                item.alone = True
                self._held.append(item)

    # The settler: answers what was committed

    def _hear(self, height: int, block: Block | None, outcomes: Sequence[Outcome]) -> None:
        """Inside a commit: note it and return."""
        if outcomes and self._open:
            self._told.put((height, 0 if block is None else block.stored.first_leaf, outcomes))

    def _settle_blocks(self) -> None:
        while (told := self._told.get()) is not None:
            height, first_leaf, outcomes = told
            with self._changed:
                self._settled_height = height
                for outcome in outcomes:
                    for item in self._items.of_id(outcome.id):
                        self._learn(item, height, first_leaf, outcome)
                self._changed.notify_all()

    def _learn(self, item: Item, height: int, first_leaf: int, outcome: Outcome) -> None:
        """Answer with the receipt; what was left out, or ran with another witness, is looked at again."""
        receipt, leaf = outcome.receipt, outcome.leaf
        if receipt is None or leaf is None or decode(receipt, Receipt).witness != item.transaction.witness_hash:
            if item.flying:
                self._look_again(item)
        else:
            self._settle(item, Answer(outcome.id, receipt, height, first_leaf + leaf, None))

    def _settle(self, item: Item, answer: Answer) -> None:
        if not self._items.remove(item):
            return
        self._tell(item.waiters, answer)
        self._tell(item.accepting, answer)
        if item.kept:
            self._answered.append(item.transaction.raw)

    def _tell(self, places: list[Place], answer: Answer) -> None:
        for submission, position in places:
            submission.answer(position, answer)
            if submission.settled:
                self._unsettled.pop(id(submission), None)
        places.clear()
