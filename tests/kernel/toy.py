"""A small realistic set of modules for tests of the kernel and the engine: accounts, money, certificates.

`wallets` fills the sender's, the roles' and the parameters' port, `purse` the balance port and everything that can go
wrong, `registries` the certificates that proof bundles are about.
"""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from kerege.kernel.context import Context, Keeper
from kerege.kernel.errors import (
    KernelFault,
    MinimumBalance,
    NotFound,
    Refused,
    UnknownSender,
    WrongKey,
    WrongSequence,
)
from kerege.kernel.invariant import Difference, Invariant
from kerege.kernel.messages import Event, Message, Senders, any_account, authority, role
from kerege.kernel.module import Module, Modules, Schedule
from kerege.kernel.ports import BalancePort, ParameterPort, RolePort, SenderPort
from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Amount, Blind, Code, Commitment, Count, Currency, Identifier, Time, add

CAPACITY = 1_000
REFILL = 10
"""Units of the rate bucket, and how many come back a second."""
COST = 5
"""Minimum balance of a state entry, in KGS."""


# wallets


class Wallet(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    kind: int
    key: bytes
    sponsored: bool


class Usage(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    sequences: list[int]
    tokens: int
    at: int
    entries: int


WALLETS = Table[bytes, Wallet]("wallets.wallet", key=Address, value=Wallet, doc="Keys.")
USAGE = Table[bytes, Usage]("wallets.usage", key=Address, value=Usage, derived=True, doc="Sequences.")
ROLES = Table[tuple[bytes, str], bool]("wallets.role", key=(Address, Code), value=bool, doc="Who holds which role.")
PARAMETERS = Table[str, list[str]]("wallets.parameter", key=Code, value=list[str], doc="Parameters.")


class Opened(Event, frozen=True, tag="wallets.Opened"):
    account: Address
    kind: int
    key: bytes


class Granted(Event, frozen=True, tag="wallets.Granted"):
    account: Address
    role: Code


class Open(Message, frozen=True, tag="wallets.Open"):
    """Open an account."""

    SENDERS: ClassVar[Senders] = any_account

    account: Address
    kind: Count
    key: Annotated[bytes, Meta(min_length=32, max_length=33)]


class Grant(Message, frozen=True, tag="wallets.Grant"):
    """Give a role."""

    SENDERS: ClassVar[Senders] = authority("council")

    account: Address
    role: Code


class Close(Message, frozen=True, tag="wallets.Close"):
    """Remove the sender's account."""

    SENDERS: ClassVar[Senders] = any_account


class Wallets(Keeper):
    MODULE = "wallets"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.wallets = self._table(WALLETS)
        self.usage = self._table(USAGE)
        self.roles = self._table(ROLES)
        self.parameters = self._table(PARAMETERS)

    def check_sender(self, sender, kind, key):
        wallet = self.wallets.find(sender)
        if wallet is None:
            raise UnknownSender(sender=sender)
        if (wallet.kind, wallet.key) != (kind, key):
            raise WrongKey(sender=sender)

    def next_sequence(self, sender, lane):
        usage = self.usage.find(sender)
        return 0 if usage is None else usage.sequences[lane]

    def admit(self, sender, lane, sequence, weight):
        now = self._ctx.time
        usage = self.usage.find(sender) or Usage([0] * 16, CAPACITY, now, 0)
        if sequence != usage.sequences[lane]:
            raise WrongSequence(lane=lane, sequence=sequence, expected=usage.sequences[lane])
        tokens = min(CAPACITY, usage.tokens + (now - usage.at) * REFILL // 1000)
        retry_at = 0 if tokens >= weight else now + (weight - tokens) * 1000 // REFILL
        sequences = [*usage.sequences]
        sequences[lane] += 1
        self.usage.put(sender, Usage(sequences, tokens - (0 if retry_at else weight), now, usage.entries))
        return retry_at

    def count_entries(self, sender, created):
        usage = self.usage.get(sender)
        self.usage.put(sender, replace(usage, entries=usage.entries + created))
        wallet = self.wallets.find(sender)
        return 0 if wallet is None or wallet.sponsored else usage.entries + created

    def holds(self, address, name):
        return self.roles.find((address, name)) is not None

    def find(self, name, time):
        return self.parameters.find(name)

    def value(self, name, time):
        return self.parameters.get(name)

    def open(self, account, kind, key, *, sponsored):
        self.wallets.put(account, Wallet(kind, key, sponsored))
        self._announce(Opened(account, kind, key))

    def grant(self, account, name):
        self.roles.put((account, name), True)
        self._announce(Granted(account, name))


class WalletsGenesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    wallets: list[tuple[Address, Wallet]]
    roles: list[tuple[Address, Code]]
    parameters: list[tuple[Code, list[str]]]


def load_wallets(ctx, genesis):
    keeper = ctx.use(Wallets)
    for account, wallet in genesis.wallets:
        keeper.open(account, wallet.kind, wallet.key, sponsored=wallet.sponsored)
    for account, name in genesis.roles:
        keeper.grant(account, name)
    for name, value in genesis.parameters:
        keeper.parameters.put(name, value)


WALLETS_MODULE = Module(
    name="wallets",
    handlers={
        Open: lambda ctx, m: ctx.use(Wallets).open(m.account, m.kind, m.key, sponsored=False),
        Grant: lambda ctx, m: ctx.use(Wallets).grant(m.account, m.role),
        Close: lambda ctx, _: ctx.use(Wallets).wallets.delete(ctx.sender),
    },
    tables=(WALLETS, USAGE, ROLES, PARAMETERS),
    events=(Opened, Granted),
    genesis=WalletsGenesis,
    load=load_wallets,
    sender_tables=(WALLETS, USAGE),
    ports={SenderPort: Wallets, RolePort: Wallets, ParameterPort: Wallets},
)


# purse


class Due(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    to: Address
    amount: Amount


BALANCES = Table[tuple[bytes, str], int]("purse.balance", key=(Address, Currency), value=Amount, doc="Money.")
SUPPLY = Table[str, int]("purse.supply", key=Currency, value=Amount, doc="How much there is.")
DUES = Table[tuple[int, bytes], Due]("purse.due", key=(Time, Identifier), value=Due, derived=True, doc="Queue.")
NOTES = Table[tuple[str, int], str]("purse.note", key=(str, Count), value=str, doc="Texts.")


class TooPoor(Refused, code="purse.1"):
    """The account holds less."""

    available: int
    asked: int


class Moved(Event, frozen=True, tag="purse.Moved"):
    source: Address
    target: Address
    currency: Currency
    amount: Amount


class Paid(Event, frozen=True, tag="purse.Paid"):
    to: Address
    amount: Amount


class Noted(Event, frozen=True, tag="purse.Noted"):
    name: str
    number: Count
    text: str


class Pay(Message, frozen=True, tag="purse.Pay"):
    """Move money."""

    SENDERS: ClassVar[Senders] = any_account

    to: Address
    currency: Currency
    amount: Amount


class Mint(Message, frozen=True, tag="purse.Mint"):
    """Make money."""

    SENDERS: ClassVar[Senders] = role("minter") | authority("council")

    to: Address
    currency: Currency
    amount: Amount


class Later(Message, frozen=True, tag="purse.Later"):
    """Make money at a time to come."""

    SENDERS: ClassVar[Senders] = any_account

    due: Time
    identifier: Identifier
    to: Address
    amount: Amount


class Note(Message, frozen=True, tag="purse.Note"):
    """Write entries, as many as asked."""

    SENDERS: ClassVar[Senders] = any_account

    name: str
    count: Count
    text: str


class Echo(Message, frozen=True, tag="purse.Echo"):
    """Announce a text so many times."""

    SENDERS: ClassVar[Senders] = any_account

    count: Count
    text: str


class Erase(Message, frozen=True, tag="purse.Erase"):
    """Remove all entries of a name, found by a scan."""

    SENDERS: ClassVar[Senders] = any_account

    name: str


class Enact(Message, frozen=True, tag="purse.Enact"):
    """Dispatch a message on behalf of an authority."""

    SENDERS: ClassVar[Senders] = any_account

    authority: Code
    message: Annotated[bytes, Meta(max_length=5_000)]


class Chain(Message, frozen=True, tag="purse.Chain"):
    """Dispatch itself so many times."""

    SENDERS: ClassVar[Senders] = any_account | authority("chain")

    depth: Count


class Break(Message, frozen=True, tag="purse.Break"):
    """Change something, then go wrong."""

    SENDERS: ClassVar[Senders] = any_account

    how: Code


class Heavy(Message, frozen=True, tag="purse.Heavy"):
    """Ask for much work."""

    SENDERS: ClassVar[Senders] = any_account
    WEIGHT: ClassVar[int] = 600


class Unsaid(Message, frozen=True, tag="purse.Unsaid"):
    """Says not who may send it: nobody may."""


class Purse(Keeper):
    MODULE = "purse"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.balances = self._table(BALANCES)
        self.supply = self._table(SUPPLY)
        self.dues = self._table(DUES)
        self.notes = self._table(NOTES)

    def balance(self, account, currency):
        return self.balances.find((account, currency)) or 0

    def move(self, source, target, currency, amount):
        available = self.balance(source, currency)
        if available < amount:
            raise TooPoor(available=available, asked=amount)
        self._set(source, currency, available - amount)
        self._set(target, currency, add(self.balance(target, currency), amount))
        self._announce(Moved(source, target, currency, amount))

    def mint(self, to, currency, amount):
        self.supply.put(currency, add(self.supply.find(currency) or 0, amount))
        self._set(to, currency, add(self.balance(to, currency), amount))
        self._announce(Paid(to, amount))

    def forge(self, to):
        self._set(to, "KGS", self.balance(to, "KGS") + 1)

    def _set(self, account, currency, amount):
        if amount:
            self.balances.put((account, currency), amount)
        else:
            self.balances.delete((account, currency))

    def check_minimum(self, address, entries):
        available = self.balance(address, "KGS")
        if available < entries * COST:
            raise MinimumBalance(needed=entries * COST, available=available)

    def note(self, name, count, text):
        last = max((key[1] for key, _ in self.notes.scan(name)), default=-1)
        for number in range(last + 1, last + 1 + count):
            self.notes.put((name, number), text)
        if count:
            self._announce(Noted(name, count, text))

    def echo(self, count, text):
        for _ in range(count):
            self._announce(Noted("echo", 0, text))

    def erase(self, name):
        for key, _ in self.notes.scan(name):
            self.notes.delete(key)


WRONGS = {
    "error": ValueError("unforeseen"),
    "found": NotFound(table="purse.note"),
    "untellable": TooPoor(available=2**70, asked=13),
    "recursion": RecursionError(),
    "memory": MemoryError(),
    "disk": OSError("disk"),
    "fault": KernelFault("fault"),
}


def go_wrong(ctx, message):
    purse = ctx.use(Purse)
    purse.note("broken", 1, "x")
    if message.how == "invariant":
        purse.forge(ctx.sender)
        return
    if message.how == "block":  # what only the look at the whole block sees
        purse.notes.put(("late", 0), "x")
        return
    raise WRONGS[message.how]


def chain(ctx, message):
    if message.depth:
        ctx.dispatch(Chain(message.depth - 1), "chain")


def later(ctx, message):
    ctx.use(Purse).dues.put((message.due, message.identifier), Due(message.to, message.amount))


PER_BLOCK = 3


def run_due(ctx):
    purse = ctx.use(Purse)
    for (due, identifier), row in purse.dues.scan(limit=PER_BLOCK):
        if due > ctx.time:
            return
        if row.amount == 13:
            raise TooPoor(available=0, asked=13)
        if row.amount == 14:
            raise ValueError("unforeseen")
        purse.dues.delete((due, identifier))
        purse.mint(row.to, "KGS", row.amount)


def next_due(ctx):
    return next((due for (due, _), _ in ctx.use(Purse).dues.scan(limit=1)), None)


def _total(changes: list[Difference]) -> int:
    return sum((now or 0) - (before or 0) for _, before, now in changes)


def supply_holds_cheaply(ctx, differences):
    return _total(differences.get("purse.supply", [])) == _total(differences.get("purse.balance", []))


def supply_holds(ctx):
    return sum(v for _, v in ctx.scan(BALANCES)) == sum(v for _, v in ctx.scan(SUPPLY))


def never_late(ctx, differences):
    """Holds for a transaction, fails for the block: it looks for a mark that outlives its transaction."""
    late = any(now is not None for key, _, now in differences["purse.note"] if key == NOTES.encode_key(("late", 0)))
    return not late or bool(ctx.state.undo)


class PurseGenesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    balances: list[tuple[Address, Currency, Amount]]


def load_purse(ctx, genesis):
    for account, currency, amount in genesis.balances:
        ctx.use(Purse).mint(account, currency, amount)


PURSE_MODULE = Module(
    name="purse",
    handlers={
        Pay: lambda ctx, m: ctx.use(Purse).move(ctx.sender, m.to, m.currency, m.amount),
        Mint: lambda ctx, m: ctx.use(Purse).mint(m.to, m.currency, m.amount),
        Later: later,
        Note: lambda ctx, m: ctx.use(Purse).note(m.name, m.count, m.text),
        Echo: lambda ctx, m: ctx.use(Purse).echo(m.count, m.text),
        Erase: lambda ctx, m: ctx.use(Purse).erase(m.name),
        Enact: lambda ctx, m: ctx.dispatch(ctx.decode_message(m.message), m.authority),
        Chain: chain,
        Break: go_wrong,
        Heavy: lambda ctx, m: None,
        Unsaid: lambda ctx, m: None,
    },
    tables=(BALANCES, SUPPLY, DUES, NOTES),
    events=(Moved, Paid, Noted),
    invariants=(
        Invariant(name="purse.supply", watches=(BALANCES, SUPPLY), cheap=supply_holds_cheaply, full=supply_holds),
        Invariant(name="purse.late", watches=(NOTES,), cheap=never_late, full=lambda ctx: True),
    ),
    genesis=PurseGenesis,
    load=load_purse,
    declares={
        Pay: lambda sender, m: ((BALANCES, (sender, m.currency)), (BALANCES, (m.to, m.currency))),
        Note: lambda _, m: ((NOTES, (m.name, 0)),),
    },
    schedule=Schedule(run=run_due, due=next_due),
    ports={BalancePort: Purse},
)


# registries: as proof bundles read them


class Row(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    record: Identifier
    version: int
    kind: str
    status: str
    since: Time
    blind: Blind


CERTIFICATES = Table[bytes, Row](
    "registries.certificate", key=Identifier, value=Row, doc="Certificates.", personal=True
)


class CertificateIssued(Event, frozen=True, tag="registries.CertificateIssued"):
    certificate: Identifier
    record: Identifier
    version: int
    kind: str
    content: Commitment
    blank: Commitment
    service: Code
    office: Code
    role: Code
    appointment: Identifier


class Issue(Message, frozen=True, tag="registries.Issue"):
    """Issue a certificate."""

    SENDERS: ClassVar[Senders] = any_account

    certificate: Identifier
    blind: Blind


class Revoke(Message, frozen=True, tag="registries.Revoke"):
    """Revoke a certificate; forgetting it altogether is for tests of absence."""

    SENDERS: ClassVar[Senders] = any_account

    certificate: Identifier
    forget: bool


class Certificates(Keeper):
    MODULE = "registries"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.rows = self._table(CERTIFICATES)

    def issue(self, certificate, blind):
        record = certificate[::-1]
        self.rows.put(certificate, Row(record, 1, "primary", "valid", self._ctx.time, blind))
        self._announce(
            CertificateIssued(
                certificate, record, 1, "primary", bytes(32), bytes(32), "birth", "ЗАГС-1", "registrar", bytes(16)
            )
        )

    def revoke(self, certificate, *, forget):
        row = self.rows.get(certificate)
        if forget:
            self.rows.delete(certificate)
        else:
            self.rows.put(certificate, replace(row, status="revoked", since=self._ctx.time))


REGISTRIES_MODULE = Module(
    name="registries",
    handlers={
        Issue: lambda ctx, m: ctx.use(Certificates).issue(m.certificate, m.blind),
        Revoke: lambda ctx, m: ctx.use(Certificates).revoke(m.certificate, forget=m.forget),
    },
    tables=(CERTIFICATES,),
    events=(CertificateIssued,),
)

ALL = (WALLETS_MODULE, PURSE_MODULE, REGISTRIES_MODULE)
MODULES = Modules(ALL)
