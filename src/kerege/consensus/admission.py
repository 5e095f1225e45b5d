"""What a node takes in for its engine: transactions looked at against the newest durable state, signatures included.

Threads: for one thread of its own beside the one that executes. It reads committed rows and shares nothing with the
running machine but the verdicts on signatures, so that the engine's own check finds them made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kerege.consensus import rows
from kerege.consensus.door import committed_context
from kerege.consensus.embedded import Answer
from kerege.consensus.replica import Replica
from kerege.consensus.whole import check_whole, whole
from kerege.kernel.codec import decode
from kerege.kernel.context import Context
from kerege.kernel.errors import BadSignature, NotATransaction, WrongSequence
from kerege.kernel.execution import check_body
from kerege.kernel.ports import SenderPort
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Fit:
    """A transaction that may run, once `gap` others of its sender have."""

    gap: int


Verdict = Fit | Answer
"""It may run, or it is answered already: a receipt that is there, or why it is no transaction."""


class Admission:
    """Looks at transactions for a node of one ledger."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._store = replica.store

    def context(self, time: int) -> Context:
        """Committed state, read at a time later than its newest block; raises `BeingRestored`."""
        check_whole(self._store)
        ctx = committed_context(self._replica.machine.modules, self._store, self._replica.machine.ledger)
        ctx.time = max(ctx.time, time)
        return ctx

    def look(self, ctx: Context, transactions: Sequence[Transaction]) -> list[Verdict]:
        """A verdict on each; raises `BeingRestored`."""
        with whole(self._store):
            found = [self._look(ctx, transaction) for transaction in transactions]
            good = self._replica.machine.verify(list(transactions), ctx)
        return [
            self._signed(verdict, transaction, well_signed=signed)
            for verdict, transaction, signed in zip(found, transactions, good, strict=True)
        ]

    def receipt(self, transaction: bytes) -> Answer | None:
        """The durable receipt of a transaction id."""
        found = rows.find_receipt(self._store, transaction)
        return None if found is None else Answer(transaction, found[2], found[0], found[1], None)

    def _look(self, ctx: Context, transaction: Transaction) -> Verdict:
        body, reason, senders = transaction.body, NotATransaction(), ctx.port(SenderPort)
        try:
            check_body(ctx.ledger, senders, transaction, ctx.time)
            gap = body.sequence - senders.next_sequence(body.sender, body.lane)
            if gap >= 0:
                return Fit(gap)
            reason = WrongSequence(lane=body.lane, sequence=body.sequence, expected=body.sequence - gap)
        except NotATransaction as refusal:
            reason = refusal.with_traceback(None)
        return self.receipt(transaction.id) or Answer(transaction.id, None, 0, 0, reason)

    @staticmethod
    def _signed(verdict: Verdict, transaction: Transaction, *, well_signed: bool) -> Verdict:
        """A copy of what is recorded learns its receipt where it shows the same witness, or another good one."""
        receipt = verdict.receipt if isinstance(verdict, Answer) else None
        if well_signed or (isinstance(verdict, Answer) and verdict.reason is not None):
            return verdict
        if receipt is not None and decode(receipt, Receipt).witness == transaction.witness_hash:
            return verdict
        return Answer(transaction.id, None, 0, 0, BadSignature(kind=transaction.witness.kind))
