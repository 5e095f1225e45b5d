"""One block being executed: every transaction into one of its three classes, then what time asks for.

Raises only what stops a node. The state in memory is changed; nothing is hashed or stored here.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn

from kerege.kernel.block import Executed, Outcome
from kerege.kernel.codec import encode
from kerege.kernel.context import NOBODY, Context
from kerege.kernel.errors import (
    BadSignature,
    BlockFull,
    Expired,
    InternalError,
    InvariantBroken,
    KernelFault,
    NotATransaction,
    RateExceeded,
    Refused,
    ValidTooLong,
    WorkExceeded,
    WrongLedger,
)
from kerege.kernel.invariant import Difference, Invariant
from kerege.kernel.messages import Event, tag_of
from kerege.kernel.module import Modules
from kerege.kernel.ports import BalancePort, SenderPort, ValidatorPort
from kerege.kernel.receipts import BlockReceipt, Receipt
from kerege.kernel.transaction import MAXIMUM_AHEAD, MAXIMUM_BLOCK_WEIGHT, Transaction

MAXIMUM_OPERATIONS = 50_000
"""Work of one transaction: table operations, and one more for every 32 bytes of its receipt.

Events carry all that tables hold, so that the receipt's bytes bound the bytes of state too.
"""

RECEIPT_BYTES_PER_OPERATION = 32

NO_TRANSACTION = bytes(32)
"""Transaction id of what the ledger does by itself."""

FATAL = (RecursionError, MemoryError, OSError, KernelFault)
"""Never receipted: another node might not have met them. The node stops."""

Watched = dict[str, list[Invariant]]
"""Table name → invariants that its changes call for."""


def watched_tables(modules: Modules) -> Watched:
    """Which invariants watch which table."""
    watched: Watched = {}
    for invariant in modules.invariants:
        for table in invariant.watches:
            watched.setdefault(table.name, []).append(invariant)
    return watched


def check_body(ledger: str, senders: SenderPort, transaction: Transaction, time: int) -> None:
    """What can be said of a transaction before its turn: ledger, validity, sender and key; raises `NotATransaction`."""
    body = transaction.body
    if body.ledger != ledger:
        raise WrongLedger(ledger=body.ledger)
    if body.valid_until < time:
        raise Expired(valid_until=body.valid_until, time=time)
    if body.valid_until > time + MAXIMUM_AHEAD:
        raise ValidTooLong(valid_until=body.valid_until, time=time, limit=time + MAXIMUM_AHEAD)
    senders.check_sender(body.sender, transaction.witness.kind, transaction.witness.key)


class Execution:
    """The run of one block over the state of its context."""

    def __init__(self, modules: Modules, watched: Watched, ctx: Context, executed: Executed) -> None:
        self._modules = modules
        self._watched = watched
        self._ctx = ctx
        self._state = ctx.state
        self._cells = ctx.state.cells
        self._executed = executed
        self._budget = MAXIMUM_BLOCK_WEIGHT
        self._asked: dict[tuple[str, ...], tuple[Invariant, ...]] = {}
        """Changed tables → the invariants they call for: few combinations, met again and again."""

    def run(self, decoded: Iterable[Transaction | NotATransaction], verdicts: list[bool]) -> None:
        """What the engine told, all transactions in order, the schedules, and the invariants over the whole block."""
        state, verdict = self._state, iter(verdicts)
        state.limit = MAXIMUM_OPERATIONS
        events, senders = self._report(), self._ctx.port(SenderPort)
        for transaction in decoded:
            if isinstance(transaction, NotATransaction):
                self._leave_out(b"", transaction)
            else:
                self._admit(transaction, senders, signed=next(verdict))
        events += self._run_schedules()
        if events:
            self._executed.leaves.append(encode(BlockReceipt(self._ctx.height, self._ctx.time, events)))
        self.end()

    def end(self) -> None:
        """Close the block; raises `KernelFault`, and has changed nothing, where an invariant does not hold over it."""
        self._executed.weight = MAXIMUM_BLOCK_WEIGHT - self._budget
        changes = self._executed.changes = self._state.end_block(self._watched)
        try:
            self._check_block(changes.differences)
            self._name_validators()
        except BaseException:
            self._state.discard(changes)
            raise

    # One transaction

    def _admit(self, transaction: Transaction, senders: SenderPort, *, signed: bool) -> None:
        """Not a transaction here and now, or executed."""
        body, ctx = transaction.body, self._ctx
        self._cells.begin_transaction()
        ctx.begin(body.sender, transaction.id)
        try:
            if transaction.weight > self._budget:
                _refuse(BlockFull(limit=MAXIMUM_BLOCK_WEIGHT))
            check_body(ctx.ledger, senders, transaction, ctx.time)
            if not signed:
                _refuse(BadSignature(kind=transaction.witness.kind))
            retry_at = senders.admit(body.sender, body.lane, body.sequence, transaction.weight)
        except NotATransaction as reason:
            self._state.rollback(0)
            self._leave_out(transaction.id, reason)
            return
        self._budget -= transaction.weight
        self._apply(transaction, retry_at)

    def _leave_out(self, identifier: bytes, reason: NotATransaction) -> None:
        self._executed.outcomes.append(Outcome(identifier, None, None, reason))

    def _apply(self, transaction: Transaction, retry_at: int) -> None:
        """Refused or applied: the sequence is consumed, a receipt says which."""
        ctx, cells, executed = self._ctx, self._cells, self._executed
        mark, cells.created = len(cells.undo), 0
        refusal, receipt = self._run_messages(transaction, retry_at), b""
        if refusal is None:
            receipt, refusal = self._receipt_or_fault(transaction, None)
        work = cells.operations + len(receipt) // RECEIPT_BYTES_PER_OPERATION
        if refusal is None and work > MAXIMUM_OPERATIONS:
            refusal = WorkExceeded(operations=work, limit=MAXIMUM_OPERATIONS)
        if refusal is not None:
            self._state.rollback(mark)
            ctx.events = []
            receipt = self._receipt_or_fault(transaction, refusal)[0]
            executed.refused += 1
        executed.outcomes.append(Outcome(transaction.id, receipt, len(executed.leaves)))
        executed.leaves.append(receipt)

    def _run_messages(self, transaction: Transaction, retry_at: int) -> Refused | None:
        """Run the messages and the checks after them; the refusal, where there is one."""
        ctx, running = self._ctx, transaction.body.messages[0]
        try:
            if retry_at:
                return RateExceeded(weight=transaction.weight, available=0, retry_at=retry_at)
            for message in transaction.body.messages:
                running = message
                ctx.run(message)
            if self._cells.created:
                self._check_entries(transaction.body.sender)
            self._check_invariants()
        except InvariantBroken as broken:
            self._alarm(transaction, str(broken))
            return broken
        except Refused as refusal:
            return refusal
        except FATAL:
            raise
        except Exception as unforeseen:  # noqa: BLE001 - ADR: receipted as kernel.internal, with an alarm
            self._alarm(transaction, repr(unforeseen))
            return InternalError(message=tag_of(running))
        return None

    def _receipt_or_fault(self, transaction: Transaction, refusal: Refused | None) -> tuple[bytes, Refused | None]:
        """The receipt; where what it should tell has no form (a number beyond 64 bits), that of `kernel.internal`."""
        try:
            return self._receipt(transaction, refusal), refusal
        except (OverflowError, TypeError, ValueError) as unforeseen:
            self._alarm(transaction, repr(unforeseen))
        self._ctx.events = []
        internal = InternalError(message=tag_of(transaction.body.messages[0]))
        return self._receipt(transaction, internal), internal

    def _receipt(self, transaction: Transaction, refusal: Refused | None) -> bytes:
        ctx = self._ctx
        code, facts = ("", []) if refusal is None else (refusal.code, refusal.facts())
        return encode(Receipt(transaction.id, transaction.witness_hash, ctx.height, ctx.time, code, facts, ctx.events))

    def _alarm(self, transaction: Transaction, what: str) -> None:
        self._executed.alarms.append(f"transaction {transaction.id.hex()}: {what}")

    def _check_entries(self, sender: bytes) -> None:
        """New state needs a minimum balance or a sponsor."""
        created = self._cells.created
        entries = self._ctx.port(SenderPort).count_entries(sender, created)
        if created > 0 and entries:
            self._ctx.port(BalancePort).check_minimum(sender, entries)

    # Truths

    def _check_invariants(self) -> None:
        """The cheap forms, over what the transaction changed."""
        differences = self._cells.differences(self._watched)
        if differences:
            broken = self._broken(differences)
            if broken is not None:
                raise InvariantBroken(name=broken)

    def _broken(self, differences: dict[str, list[Difference]]) -> str | None:
        """Name of the first invariant that does not hold over these differences."""
        tables, ctx = tuple(differences), self._ctx
        for invariant in self._asked.get(tables) or self._called_for(tables):
            if not invariant.cheap(ctx, differences):
                return invariant.name
        return None

    def _called_for(self, tables: tuple[str, ...]) -> tuple[Invariant, ...]:
        by_name = {i.name: i for name in tables for i in self._watched[name]}
        asked = self._asked[tables] = tuple(by_name.values())
        return asked

    def _check_block(self, differences: dict[str, list[Difference]]) -> None:
        """The cheap forms over the whole block; a violation stops the node before it commits."""
        name = self._broken(differences)
        if name is not None:
            raise KernelFault(
                f"invariant {name} does not hold over block {self._executed.height}: see docs/operating, recovery"
            )

    # What no transaction asks for

    def _report(self) -> list[Event]:
        """What the engine told of its validators, put on record before anything else."""
        events = list[Event]()
        for told in self._executed.misbehaviour:
            if ValidatorPort in self._modules.ports:
                events += self._do("validators", partial(self._ctx.port(ValidatorPort).report, told))
        return events

    def _run_schedules(self) -> list[Event]:
        """What is due, bounded by each module."""
        events = list[Event]()
        for module in self._modules.all:
            if module.schedule is not None:
                events += self._do(f"schedule of {module.name}", partial(module.schedule.run, self._ctx))
        return events

    def _do(self, what: str, act: Callable[[], None]) -> list[Event]:
        """Act for nobody; the events go into the block's own receipt.

        An act that refuses, breaks an invariant or meets the unforeseen is rolled back alone, with an alarm.
        """
        ctx, executed = self._ctx, self._executed
        self._state.begin_transaction()
        ctx.begin(NOBODY, NO_TRANSACTION)
        try:
            act()
            self._check_invariants()
        except FATAL:
            raise
        except Exception as reason:  # noqa: BLE001 - as for transactions: the alarm tells it
            self._state.rollback(0)
            executed.alarms.append(f"{what} at block {executed.height}: {reason!r}")
            return []
        return ctx.events

    def _name_validators(self) -> None:
        """Which set signs this block."""
        if ValidatorPort in self._modules.ports:
            self._executed.validators = self._ctx.port(ValidatorPort).hash_at(self._executed.height)


def _refuse(reason: NotATransaction) -> NoReturn:
    raise reason
