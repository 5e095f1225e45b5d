"""What waits to be in a block: the index over the engine's pool, by which it is let in and looked at again.

The engine asks again about everything that waits after each block; the answer is a look-up of key, sequence and expiry.
What was neither asked about nor decided between two blocks is in its pool no longer, and is forgotten.

Of one sender so much may wait, and little of it out of turn: see `Lines`. A parcel is turned away only where nothing in
it may wait, so that what one sender has sent harms nobody else's.
"""

from collections.abc import Iterable, Sequence

from kerege.consensus import parcels
from kerege.consensus.ahead import Ahead
from kerege.consensus.codes import APPLIED, BUSY, NOT_A_TRANSACTION
from kerege.consensus.cometbft import messages as m
from kerege.consensus.entries import Entry, open_entry
from kerege.consensus.lines import Lines
from kerege.consensus.packing import is_gateway
from kerege.consensus.turns import is_signed
from kerege.kernel.context import Context
from kerege.kernel.errors import (
    BadSignature,
    NotATransaction,
    TooLarge,
    TooManyOutOfTurn,
    TooManyWaiting,
    WrongKey,
    WrongSequence,
)
from kerege.kernel.execution import check_body
from kerege.kernel.machine import Machine
from kerege.kernel.ports import SenderPort
from kerege.kernel.transaction import Transaction

MAXIMUM_BYTES = 6 * 1024 * 1024
"""That may wait; beyond them the answer is "busy". Below the bound of the engine's pool, which would drop them."""
PARCELS_CHECKED_AT_ONCE = 16
"""Parcels that may wait for the verdicts on their signatures."""
STALE = 10_000
"""Milliseconds after which what still waits may come in another parcel: the first may have met busy validators only."""
RETRY_AFTER = 1_000
"""Milliseconds after which a client that met a busy pool may try again."""
IDLE = 20_000
"""Milliseconds for which something may wait whose turn does not come: a node packs what was lost again before."""


class Pool:
    """The index of one machine; for the thread that executes."""

    def __init__(self, machine: Machine, ahead: Ahead) -> None:
        self._machine = machine
        self._ahead = ahead
        self._entries: dict[bytes, Entry] = {}
        self._brought: dict[bytes, Entry] = {}
        """Bytes of a ledger transaction that waits → the newest entry that brings it."""
        self._lines = Lines(MAXIMUM_BYTES, RETRY_AFTER)
        self._uncounted: dict[bytes, list[Entry]] = {}
        """Sender → parcels with something of that sender in them which is in no line yet: it is put there, as far as it
        is known to be signed, when somebody asks about the sender. Most leave with the next block before."""
        self.passed_over = False
        """Whether the newest block was empty although something waited for it."""
        self._bytes = 0
        self._round = 0

    def find(self, raw: bytes) -> Entry | None:
        """What was let in: its signatures were checked, or are being checked."""
        return self._entries.get(raw)

    def entry(self, raw: bytes) -> Entry:
        """What an engine transaction brings, whether it was let in or not; raises `NotATransaction`."""
        return self._entries.get(raw) or open_entry(self._machine, raw)

    def opened(self, raw: bytes) -> list[bytes]:
        """What an engine transaction brings, as `parcels.opened` says it: one that was let in is not opened again."""
        known = self._entries.get(raw)
        if known is None:
            return parcels.opened(raw)
        return [raw] if known.parcel is None else known.parcel.transactions

    # Asked by the engine

    def check(self, requests: Sequence[m.RequestCheckTx], time: int) -> list[m.ResponseCheckTx]:
        """One answer each. New single ones: signatures in one batch; new parcels: begun; old ones: looked up."""
        ctx = self._machine.context(time)
        self._ahead.waiting()
        answers: dict[int, m.ResponseCheckTx] = {}
        singles: dict[int, Entry] = {}
        for position, request in enumerate(requests):
            found = self._answer(ctx, request)
            if isinstance(found, Entry):
                singles[position] = found
            else:
                answers[position] = found
        good = self._machine.verify([entry.transaction for entry in singles.values()]) if singles else []
        for (position, entry), signed in zip(singles.items(), good, strict=True):
            answers[position] = self._let_in_alone(ctx, entry, well_signed=signed)
        return [answers[position] for position in range(len(requests))]

    def _answer(self, ctx: Context, request: m.RequestCheckTx) -> m.ResponseCheckTx | Entry:
        """An answer, or a single transaction whose signature is still to be checked."""
        raw = bytes(request.tx)
        try:
            known = self._entries.get(raw)
            if known is not None:
                return self._stay(ctx, known)
            if self._bytes + len(raw) > MAXIMUM_BYTES:
                return self._busy()
            if parcels.is_parcel(raw):
                return self._check_parcel(ctx, raw)
            entry = open_entry(self._machine, raw)
            self._machine.check(entry.transaction, ctx.time)
            self._count(ctx, entry.transaction.body.sender)
            self._lines.check_share(entry.transaction)
        except NotATransaction as reason:
            self._forget(raw)
            return _refusal(reason)
        return entry

    def _stay(self, ctx: Context, entry: Entry) -> m.ResponseCheckTx:
        """Raise `NotATransaction` where nothing of it may run any more, or nothing had its turn for long."""
        reason: NotATransaction = BadSignature(kind=0)
        senders, hopeful = ctx.port(SenderPort), False
        for transaction in () if entry.worthless else entry.transactions:
            body = transaction.body
            expected = senders.next_sequence(body.sender, body.lane)
            reason = WrongSequence(lane=body.lane, sequence=body.sequence, expected=expected)
            if body.sequence < expected:
                continue
            try:
                check_body(ctx.ledger, senders, transaction, ctx.time)
            except NotATransaction as refusal:
                reason = refusal.with_traceback(None)
                continue
            hopeful = True
            self._count(ctx, body.sender)
            if self._lines.may_run(transaction, expected):
                entry.idle_since = None
                return self._stays(entry)
        if entry.idle_since is None:
            entry.idle_since = ctx.time
        if hopeful and ctx.time - entry.idle_since <= IDLE:
            return self._stays(entry)
        raise reason

    def _stays(self, entry: Entry) -> m.ResponseCheckTx:
        entry.round = self._round
        return _welcome(entry)

    def _check_parcel(self, ctx: Context, raw: bytes) -> m.ResponseCheckTx:
        """From a gateway that counts now, and with something new in it. A stranger's is not opened: that costs most."""
        if self._ahead.waiting() >= PARCELS_CHECKED_AT_ONCE:
            return self._busy()
        parcel = parcels.read(raw)
        if not is_gateway(ctx, parcel.gateway):
            raise WrongKey(sender=parcel.gateway)
        if not parcels.is_signed(parcel, self._machine.ledger):
            raise BadSignature(kind=0)
        entry = open_entry(self._machine, raw)
        if entry.weight > parcels.MAXIMUM_WEIGHT:
            raise TooLarge(size=entry.weight, limit=parcels.MAXIMUM_WEIGHT)
        self._check_new(ctx, entry.transactions)
        self._ahead.begin([entry])
        if raw not in self._entries:
            for sender in {transaction.body.sender for transaction in entry.transactions}:
                self._uncounted.setdefault(sender, []).append(entry)
        return self._let_in(entry, ctx.time)

    def _check_new(self, ctx: Context, transactions: Iterable[Transaction]) -> None:
        """Raise the last reason where none of them may run or wait, or all of them wait already."""
        reason: NotATransaction = WrongSequence(lane=0, sequence=0, expected=0)
        for transaction in transactions:
            try:
                self._machine.check(transaction, ctx.time)
                brought = self._brought.get(transaction.raw)
                if brought is None:
                    self._count(ctx, transaction.body.sender)
                    self._lines.check(transaction, _expected(ctx, transaction))
            except NotATransaction as refusal:
                reason = refusal.with_traceback(None)
                continue
            if brought is None or brought.since < ctx.time - STALE:
                return
        raise reason

    def _busy(self) -> m.ResponseCheckTx:
        text = f"busy: {self._bytes} bytes wait; try again after {RETRY_AFTER} ms"
        return m.ResponseCheckTx(code=BUSY, codespace="kerege", log=text)

    # Kept

    def decided(self, raws: Iterable[bytes]) -> None:
        """A block was committed: what was in it waits no longer, nor does what the engine has dropped meanwhile."""
        decided = list(raws)
        self.passed_over = not decided and bool(self._entries)
        for raw in decided:
            self._forget(raw)
        for entry in [entry for entry in self._entries.values() if entry.round < self._round]:
            self._forget(entry.raw)
        self._round += 1

    def _let_in_alone(self, ctx: Context, entry: Entry, *, well_signed: bool) -> m.ResponseCheckTx:
        """A single one, where its sender signed it and may have it wait."""
        transaction = entry.transaction
        if not well_signed:
            return _refusal(BadSignature(kind=transaction.witness.kind))
        expected = _expected(ctx, transaction)
        self._count(ctx, transaction.body.sender)
        if not self._lines.is_counted(transaction.raw):
            try:
                self._lines.check(transaction, expected)
            except NotATransaction as reason:
                return _refusal(reason)
            self._lines.add(transaction, expected)
        entry.good = [True]
        return self._let_in(entry, ctx.time)

    def _let_in(self, entry: Entry, time: int) -> m.ResponseCheckTx:
        if entry.raw not in self._entries:
            self._entries[entry.raw] = entry
            self._bytes += len(entry.raw)
            entry.since = time
            for transaction in entry.transactions:
                self._brought[transaction.raw] = entry
        entry.round = self._round
        return _welcome(entry)

    def _forget(self, raw: bytes) -> None:
        entry = self._entries.pop(raw, None)
        if entry is None:
            return
        self._bytes -= len(raw)
        for transaction in entry.transactions:
            if self._brought.get(transaction.raw) is entry:
                del self._brought[transaction.raw]
                self._lines.remove(transaction)
        for sender in {transaction.body.sender for transaction in entry.transactions}:
            self._leave_uncounted(sender, entry)

    def _leave_uncounted(self, sender: bytes, entry: Entry) -> None:
        entries = self._uncounted.get(sender)
        if entries is not None and entry in entries:
            entries.remove(entry)
            if not entries:
                del self._uncounted[sender]

    def _count(self, ctx: Context, sender: bytes) -> None:
        """What parcels bring of a sender counts, as far as it is known that this sender signed it."""
        entries = self._uncounted.get(sender)
        if entries is None:
            return
        for entry in [entry for entry in entries if entry.good is not None]:
            self._leave_uncounted(sender, entry)
            for transaction in entry.transactions:
                if transaction.body.sender == sender and transaction.raw in self._brought:
                    self._count_one(ctx, transaction)

    def _count_one(self, ctx: Context, transaction: Transaction) -> None:
        body, senders = transaction.body, ctx.port(SenderPort)
        if self._lines.is_counted(transaction.raw) or not is_signed(senders, transaction):
            return
        expected = senders.next_sequence(body.sender, body.lane)
        if body.sequence >= expected:
            self._lines.add(transaction, expected)


def _welcome(entry: Entry) -> m.ResponseCheckTx:
    return m.ResponseCheckTx(code=APPLIED, gas_wanted=entry.weight)


def _expected(ctx: Context, transaction: Transaction) -> int:
    return int(ctx.port(SenderPort).next_sequence(transaction.body.sender, transaction.body.lane))


def _refusal(reason: NotATransaction) -> m.ResponseCheckTx:
    """Of what says nothing about the transaction: busy."""
    code = BUSY if isinstance(reason, TooManyWaiting | TooManyOutOfTurn) else NOT_A_TRANSACTION
    return m.ResponseCheckTx(code=code, codespace=reason.code, log=str(reason))
