"""What other modules, and the kernel, may do with accounts."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel import crypto
from kerege.kernel.context import Context, Keeper
from kerege.kernel.errors import UnknownSender, WrongKey, WrongSequence
from kerege.kernel.ports import ParameterPort
from kerege.modules.accounts.errors import (
    AccountExists,
    ApprovedAlready,
    KeyHeld,
    KeyNotHeld,
    LastKey,
    NoRecovery,
    NotGuardian,
    NotOpener,
    OtherKey,
    RecoveryUnderWay,
    TooManyKeys,
    UnknownAccount,
)
from kerege.modules.accounts.events import AccountWritten, RecoveryEnded, RecoveryWritten
from kerege.modules.accounts.rules import (
    NEW,
    OFFICE_BUCKET,
    PERSON_BUCKET,
    SPONSORED_ENTRIES,
    THOUSANDTHS,
    Bucket,
    approved,
    enough_at,
    refill,
    rule_or,
    with_sequence,
)
from kerege.modules.accounts.state import ACCOUNTS, READY, RECOVERIES, USAGE
from kerege.modules.accounts.types import Account, AccountKind, AccountStatus, Key, Recovery, Usage

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

MAXIMUM_KEYS = 8
BURST = "accounts.rate_burst"
REFILL = "accounts.rate_refill_per_second"
OFFICE_BURST = "accounts.office_rate_burst"
OFFICE_REFILL = "accounts.office_rate_refill_per_second"
SPONSORED = "accounts.sponsored_entries"
RECOVERY_DELAY = 72 * 3_600_000
"""Time to object to a recovery: 72 hours."""
RECOVERY_ENTRIES = 2
"""State entries that come and go with a recovery: its row and its place in the index."""


class AccountView(Keeper):
    """Reads accounts; changes nothing."""

    MODULE = "accounts"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._accounts: Bound[bytes, Account] = self._table(ACCOUNTS)
        self._usage: Bound[bytes, Usage] = self._table(USAGE)
        self._recoveries: Bound[tuple[bytes, bytes], Recovery] = self._table(RECOVERIES)
        self._ready: Bound[tuple[int, bytes, bytes], bool] = self._table(READY)

    def find(self, address: bytes) -> Account | None:
        """The account of an address, open or closed, or None."""
        return self._accounts.find(address)

    def is_open(self, address: bytes) -> bool:
        """Whether the address has an account that may send."""
        found = self._accounts.find(address)
        return found is not None and found.status is AccountStatus.OPEN

    def open_account(self, address: bytes) -> Account:
        """The open account of an address; raises `UnknownAccount`."""
        found = self._accounts.find(address)
        if found is None or found.status is not AccountStatus.OPEN:
            raise UnknownAccount(account=address)
        return found

    def check_guardian(self, address: bytes, guardian: bytes) -> None:
        """Raise `UnknownAccount` or `NotGuardian`."""
        if guardian not in self.open_account(address).guardians:
            raise NotGuardian(account=address)

    def check_opener(self, address: bytes, office: str) -> None:
        """Raise `UnknownAccount`, or `NotOpener` where another office, or none, opened the account."""
        opener = self.open_account(address).opener
        if opener != office:
            raise NotOpener(account=address, opener=opener)

    def entries_to_cover(self, address: bytes) -> int:
        """State entries that the account created and must hold a minimum balance for; see `SenderPort`."""
        usage = self._usage.find(address)
        return self._to_cover(address, usage.entries) if usage is not None and usage.entries else 0

    def _to_cover(self, address: bytes, entries: int) -> int:
        """How many of so many entries are the account's own to cover: those beyond what a sponsor answers for."""
        account = self._accounts.find(address)
        if account is None or account.kind is not AccountKind.PERSON:
            return 0
        if account.sponsor is None:
            return entries
        limit = rule_or(self._ctx.port(ParameterPort).find(SPONSORED, self._ctx.time), SPONSORED_ENTRIES)
        return max(0, entries - limit)

    def next_ready(self) -> int | None:
        """When the next recovery takes effect."""
        return next((key[0] for key, _ in self._ready.scan(limit=1)), None)


class Senders(AccountView):
    """The kernel's `SenderPort`: may this key act for this sender, and is it the sender's turn."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._buckets: tuple[Bucket, Bucket] | None = None
        self._office = False
        """Whether the sender last checked acts for an office, so that its rate is an office's."""

    def check_sender(self, sender: bytes, kind: int, key: bytes) -> None:
        """Raise `UnknownSender` or `WrongKey`."""
        account = self._accounts.find(sender)
        if account is None or account.status is not AccountStatus.OPEN:
            raise UnknownSender(sender=sender)
        self._office = account.kind is not AccountKind.PERSON
        for held in account.keys:
            if held.key == key and held.kind == kind:
                return
        raise WrongKey(sender=sender)

    def next_sequence(self, sender: bytes, lane: int) -> int:
        """The lane's next sequence; 0 for an account that is silent so far."""
        usage = self._usage.find(sender)
        return 0 if usage is None or lane >= len(usage.sequences) else usage.sequences[lane]

    def admit(self, sender: bytes, lane: int, sequence: int, weight: int) -> int:
        """Consume the sequence and take the weight; see `SenderPort`."""
        usage, now = self._usage.find(sender) or NEW, self._ctx.time
        sequences = usage.sequences
        expected = sequences[lane] if lane < len(sequences) else 0
        if sequence != expected:
            raise WrongSequence(lane=lane, sequence=sequence, expected=expected)
        capacity, per_second = (self._buckets or self._read_buckets())[self._office]
        tokens, retry_at = refill(usage, now, capacity, per_second), 0
        if tokens >= weight * THOUSANDTHS:
            tokens -= weight * THOUSANDTHS
        else:
            retry_at = enough_at(tokens, weight, now, per_second)
        self._usage.put(sender, Usage(with_sequence(sequences, lane, sequence + 1), tokens, now, usage.entries))
        return retry_at

    def _read_buckets(self) -> tuple[Bucket, Bucket]:
        """Burst and refill in force, of persons and of offices, read once a block."""
        self._buckets = (
            self._read_bucket(BURST, REFILL, PERSON_BUCKET),
            self._read_bucket(OFFICE_BURST, OFFICE_REFILL, OFFICE_BUCKET),
        )
        return self._buckets

    def _read_bucket(self, burst: str, per_second: str, otherwise: Bucket) -> Bucket:
        parameters, now = self._ctx.port(ParameterPort), self._ctx.time
        return (
            rule_or(parameters.find(burst, now), otherwise[0]),
            rule_or(parameters.find(per_second, now), otherwise[1]),
        )

    def count_entries(self, sender: bytes, created: int) -> int:
        """Add to the entries the account created; returns those it must cover, 0 where a sponsor does."""
        usage = self._usage.find(sender)
        if usage is None:
            return 0
        entries = max(0, usage.entries + created)
        self._usage.put(sender, replace(usage, entries=entries))
        return self._to_cover(sender, entries)


class Accounts(AccountView):
    """Opens accounts and changes their keys."""

    def open(self, kind: AccountKind, key_kind: int, key: bytes, *, sponsor: bytes | None, opener: str) -> bytes:
        """Open an account for a key; returns its address. Raises `BadForm` for a bad key, `AccountExists`."""
        held = self.new_key(key_kind, key)
        address = crypto.address_of(key_kind, key)
        if self._accounts.find(address) is not None:
            raise AccountExists(account=address)
        self._write(address, Account(kind, AccountStatus.OPEN, sponsor, opener, [held], [], 0))
        return address

    def new_key(self, key_kind: int, key: bytes) -> Key:
        """A key as of now; raises `BadForm` for one under which anything, or nothing, would verify."""
        crypto.check_key(key_kind, key)
        return Key(key_kind, key, self._ctx.time)

    def add_key(self, address: bytes, key_kind: int, key: bytes) -> None:
        """Add a key; raises `BadForm`, `KeyHeld` or `TooManyKeys`."""
        account = self.open_account(address)
        self._write(address, replace(account, keys=self._with_key(address, account, key_kind, key)))

    def remove_key(self, address: bytes, key: bytes) -> None:
        """Remove a key; raises `KeyNotHeld` or `LastKey`."""
        account = self.open_account(address)
        left = self._without_key(address, account, key)
        if not left:
            raise LastKey(account=address)
        self._write(address, replace(account, keys=left))

    def rotate_key(self, address: bytes, old: bytes, key_kind: int, key: bytes) -> None:
        """Replace a key; raises what adding and removing raise."""
        account = self.open_account(address)
        left = replace(account, keys=self._without_key(address, account, old))
        self._write(address, replace(left, keys=self._with_key(address, left, key_kind, key)))

    def set_guardians(self, address: bytes, guardians: list[bytes], threshold: int) -> None:
        """Name guardians."""
        account = self.open_account(address)
        self._write(address, replace(account, guardians=guardians, threshold=threshold))

    def close(self, address: bytes) -> None:
        """Close an account."""
        self._write(address, replace(self.open_account(address), status=AccountStatus.CLOSED))

    def start_recovery(self, address: bytes, starter: bytes, key: Key, office: str, approvals: list[bytes]) -> None:
        """Begin a recovery, by an office or (empty) by a guardian who approves; raises `RecoveryUnderWay`."""
        if self._recoveries.find((address, starter)) is not None:
            raise RecoveryUnderWay(account=address)
        ready = self._ctx.time + RECOVERY_DELAY
        self._ready.put((ready, address, starter), True)  # noqa: FBT003 - the index holds nothing else
        self._write_recovery(address, starter, Recovery(key, office, ready, approvals))

    def approve_recovery(self, address: bytes, guardian: bytes, key: bytes) -> None:
        """A guardian approves a key, whoever proposed it; raises `NoRecovery`, `OtherKey` or `ApprovedAlready`."""
        for_key = [(starter, row) for starter, row in self._under_way(address) if row.key.key == key]
        if not for_key:
            raise OtherKey(account=address)
        missing = [(starter, row) for starter, row in for_key if guardian not in row.approvals]
        if not missing:
            raise ApprovedAlready(account=address)
        for starter, row in missing:
            self._write_recovery(address, starter, replace(row, approvals=[*row.approvals, guardian]))

    def cancel_recoveries(self, address: bytes) -> None:
        """The holder objects to all; raises `NoRecovery`."""
        for starter, _ in self._under_way(address):
            self._end_recovery(address, starter, done=False)

    def run_recoveries(self, limit: int) -> None:
        """Where its time has come the new key takes over all others, or the recovery ends for want of approvals."""
        due = [key for key, _ in self._ready.scan(limit=limit) if key[0] <= self._ctx.time]
        for _, address, starter in due:
            recovery, account = self._recoveries.find((address, starter)), self._accounts.get(address)
            if recovery is None:  # another one took effect in this block
                continue
            done = account.status is AccountStatus.OPEN and approved(account, recovery)
            self._end_recovery(address, starter, done=done)
            if done:
                self._write(address, replace(account, keys=[replace(recovery.key, since=self._ctx.time)]))
                for (_, other), _row in list(self._recoveries.scan(address)):
                    self._end_recovery(address, other, done=False)

    def _under_way(self, address: bytes) -> list[tuple[bytes, Recovery]]:
        """Who began which recovery of the account; raises `NoRecovery` where there is none."""
        found = [(starter, row) for (_, starter), row in self._recoveries.scan(address)]
        if not found:
            raise NoRecovery(account=address)
        return found

    def _with_key(self, address: bytes, account: Account, key_kind: int, key: bytes) -> list[Key]:
        added = self.new_key(key_kind, key)
        if any(held.key == key for held in account.keys):
            raise KeyHeld(account=address)
        if len(account.keys) >= MAXIMUM_KEYS:
            raise TooManyKeys(limit=MAXIMUM_KEYS)
        return [*account.keys, added]

    def _without_key(self, address: bytes, account: Account, key: bytes) -> list[Key]:
        left = [held for held in account.keys if held.key != key]
        if len(left) == len(account.keys):
            raise KeyNotHeld(account=address)
        return left

    def _write(self, address: bytes, row: Account) -> None:
        self._accounts.put(address, row)
        self._announce(AccountWritten(address, row))

    def _write_recovery(self, address: bytes, starter: bytes, row: Recovery) -> None:
        self._recoveries.put((address, starter), row)
        self._announce(RecoveryWritten(address, starter, row))

    def _end_recovery(self, address: bytes, starter: bytes, *, done: bool) -> None:
        ready = self._recoveries.get((address, starter)).ready
        self._recoveries.delete((address, starter))
        self._ready.delete((ready, address, starter))
        self._ctx.give_back(starter, RECOVERY_ENTRIES)
        self._announce(RecoveryEnded(address, starter, done))
