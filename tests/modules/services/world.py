"""A small country on a real machine in memory: the kg pack's services, a handful of offices, people with keys.

What it answers is what a ledger answers: signed transactions in, receipts out. After every block the full
invariants hold and the tables rebuilt from the events equal the state, or the test that called fails.
"""

import functools
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from kerege.kernel import crypto
from kerege.kernel.block import Block, Outcome
from kerege.kernel.codec import encode
from kerege.kernel.context import Context
from kerege.kernel.days import DAY, day_of, start_of
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Message
from kerege.kernel.module import Modules
from kerege.kernel.receipts import BlockReceipt, BlockRecord, Receipt
from kerege.kernel.rows import Put, Remove
from kerege.kernel.transaction import Body
from kerege.modules import MODULES as ALL
from kerege.modules.accounts.genesis import Founding
from kerege.modules.accounts.genesis import Genesis as AccountsGenesis
from kerege.modules.accounts.types import AccountKind
from kerege.modules.authority.genesis import Genesis as AuthorityGenesis
from kerege.modules.authority.messages import Propose
from kerege.modules.authority.types import Appointment, Board, Institution, Office, Role
from kerege.modules.bank.genesis import Genesis as BankGenesis
from kerege.modules.bank.types import CurrencyRow
from kerege.modules.policy.genesis import Genesis as PolicyGenesis
from kerege.modules.policy.types import CalendarDay, LegalBasis, Revision
from kerege.modules.services.genesis import Genesis as ServicesGenesis
from kerege.modules.services.types import Case, ServiceDefinition
from kerege.node.pack import Pack, nation_folder, read_pack
from kerege.testing.signers import Ed25519Signer

OFFSET = 360
MODULES = Modules(ALL)
NOON = start_of(day_of(2026, 11, 20), OFFSET) + DAY // 2
"""Friday, 20 November 2026, noon in Bishkek: where every world begins."""

POSTS = (
    ("РД-708203", "maternity", "health-ministry", "midwife", ("midwife", "midwife-2")),
    ("ЦОН-708203", "tson", "public-service-centres", "acceptor", ("acceptor", "acceptor-2")),
    ("ЗАГС-708203", "zags", "civil-registration-authority", "registrar", ("registrar", "registrar-2", "registrar-3")),
    ("ЗАГС-711000", "zags", "civil-registration-authority", "registrar", ("bishkek",)),
    ("ЗАГС-000000", "civil-registration-head", "civil-registration-authority", "registry-supervisor", ("supervisor",)),
    ("ЗАГС-000000", "civil-registration-head", "civil-registration-authority", "blanks-keeper", ("keeper",)),
    ("СОТ-708000", "court", "courts", "judge", ("judge",)),
    ("СОТ-708000", "court", "courts", "court-clerk", ("clerk",)),
    ("КОНС-DE-1", "consulate", "foreign-ministry", "consul", ("consul", "consul-2")),
    ("МЮ-1", "head-office", "justice-ministry", "minister-justice", ("minister",)),
)
PEOPLE = ("parent", "other", "payer", "treasury")
UNVERIFIED = [LegalBasis("", "", "", None, unverified=True)]
DERIVED = {name for name, table in MODULES.tables.items() if table.derived}


def digest(name: str, length: int) -> bytes:
    """Bytes that a name stands for: ids, blinds, commitments."""
    return sha256(name.encode()).digest()[:length]


@functools.cache
def signer(name: str) -> Ed25519Signer:
    """The key of a name."""
    return Ed25519Signer(sha256(b"world/" + name.encode()).digest())


def address(name: str) -> bytes:
    """The account of a name."""
    return signer(name).address


@functools.cache
def pack() -> Pack:
    """The Kyrgyz pack."""
    return read_pack(nation_folder("kg"))


@functools.cache
def definition(code: str) -> ServiceDefinition:
    """A service of the pack."""
    return pack().service(code).definition


class Store:
    """Committed state in memory, as the machine reads it."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self._sorted: list[bytes] | None = []

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        if self._sorted is None:
            self._sorted = sorted(self.rows)
        for key in self._sorted:
            if start <= key < end:
                yield key, self.rows[key]

    def apply(self, changes: dict[bytes, bytes | None]) -> None:
        for key, raw in changes.items():
            if raw is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = raw
        self._sorted = None


class World:
    """The ledger and its people. `extra`: further definitions; `parameters`: further or other rules."""

    def __init__(
        self, *extra: ServiceDefinition, parameters: dict[str, Any] | None = None, rebuild: bool = True
    ) -> None:
        self.store = Store()
        self.time = NOON
        self.rebuild = rebuild
        self.machine = Machine(
            MODULES, ledger="kg-test", prefix="kg", reader=self.store, read_tile=lambda *_: b"",
        )  # fmt: skip
        self.tables: dict[str, dict[Any, Any]] = {}
        self.alarms: list[str] = []
        self.block_events: list[Any] = []
        self._keep(self.machine.begin(self._genesis([*map(definition, CODES), *extra], parameters or {})))
        self.tables = self._state()

    # What happens

    def send(self, sender: str, *messages: Message) -> Receipt:
        """Sign, make a block of it, give the receipt."""
        return self.block([(sender, list(messages))])[0]

    def block(self, sent: Sequence[tuple[str, list[Message]]]) -> list[Receipt]:
        """One block of several transactions; the receipts in order."""
        counts: dict[str, int] = {}
        raws = []
        for sender, messages in sent:
            sequence = self.sequence(sender) + counts.get(sender, 0)
            counts[sender] = counts.get(sender, 0) + 1
            salt = digest(f"{sender}/{sequence}", 16)
            who = signer(sender)
            raws.append(who.transaction(Body("kg-test", who.address, 0, sequence, self.time + 1000, salt, messages)))
        block = self.apply(raws)
        assert all(o.reason is None for o in block.executed.outcomes), [o.reason for o in block.executed.outcomes]
        return [msgspec.msgpack.decode(o.receipt or b"", type=Receipt) for o in block.executed.outcomes]

    def outcome(self, sender: str, message: Message) -> Outcome:
        """What became of bytes that may be no transaction."""
        body = Body("kg-test", address(sender), 0, self.sequence(sender), self.time + 1000, bytes(16), [message])
        return self.apply([signer(sender).transaction(body)]).executed.outcomes[0]

    def govern(self, message: Message) -> Receipt:
        """The government's board, of one member, dispatches a message."""
        identifier = digest(f"proposal/{self.sequence('minister')}", 16)
        return self.send("minister", Propose(identifier, "government", [encode(message)], self.time + DAY))

    def wait(self, *, days: int = 0, milliseconds: int = 0) -> list[Any]:
        """Let time pass, then a block without transactions: what the schedules announced."""
        self.time += days * DAY + milliseconds
        self.block_events = []
        self.apply([])
        return self.block_events

    def apply(self, raws: list[bytes]) -> Block:
        """One block."""
        self.time += 1
        block = self.machine.apply_block(self.machine.last[0] + 1, self.time, raws)
        self._keep(block)
        self.alarms += block.executed.alarms
        self._follow(block)
        assert self.alarms == []
        assert self.machine.full_invariants() == []
        return block

    # What stands

    def context(self) -> Context:
        """For keepers and views."""
        return self.machine.context(self.time)

    def case(self, name: str) -> Case:
        """The case of a name."""
        table = MODULES.tables["services.case"]
        return table.decode_value(self.store.rows[table.encode_key(digest(name, 16))])  # type: ignore[no-any-return]

    def sequence(self, name: str) -> int:
        """The next of lane 0."""
        table = MODULES.tables["accounts.usage"]
        raw = self.store.rows.get(table.encode_key(address(name)))
        return 0 if raw is None else table.decode_value(raw).sequences[0]

    # Parts

    def _keep(self, block: Block) -> None:
        self.store.apply(block.state)
        self.machine.durable(block)

    def _state(self) -> dict[str, dict[Any, Any]]:
        ctx = self.context()
        return {name: dict(ctx.scan(table)) for name, table in MODULES.tables.items() if name not in DERIVED}

    def _follow(self, block: Block) -> None:
        """Rebuild the tables from the events of the block and compare with the state."""
        kinds = {str(kind.__struct_config__.tag): kind for kind in MODULES.projections}
        for raw in block.executed.leaves:
            leaf = msgspec.msgpack.decode(raw)
            if leaf[0] == BlockRecord.__struct_config__.tag:
                continue
            events = [msgspec.convert(event, kinds[event[0]]) for event in leaf[-1]]
            if leaf[0] == BlockReceipt.__struct_config__.tag:
                self.block_events += events
            for event in events:
                for row in MODULES.projections[type(event)](event):
                    self._project(row)
        if self.rebuild:
            assert self._state() == self.tables

    def _project(self, row: Any) -> None:
        table = self.tables.setdefault(row.table, {})
        if isinstance(row, Put):
            table[row.key] = row.value
        elif isinstance(row, Remove):
            table.pop(row.key, None)
        elif hasattr(row, "delta"):
            table[row.key] = table.get(row.key, 0) + row.delta
        else:
            table[row.key] = msgspec.structs.replace(table[row.key], **row.fields)

    def _genesis(self, definitions: list[ServiceDefinition], parameters: dict[str, Any]) -> Genesis:
        officials = [name for *_, names in POSTS for name in names]
        people = [Founding(AccountKind.OFFICIAL, crypto.ED25519, signer(name).key) for name in officials]
        people += [Founding(AccountKind.PERSON, crypto.ED25519, signer(name).key) for name in PEOPLE]
        roles = dict.fromkeys(role for _, _, _, role, _ in POSTS)
        kinds = {role: [kind for _, kind, _, each, _ in POSTS if each == role] for role in roles}
        founding = AuthorityGenesis(
            institutions=[(i, Institution("", [])) for i in dict.fromkeys(body for _, _, body, _, _ in POSTS)],
            roles=[(role, Role(sorted(set(kinds[role])))) for role in roles],
            offices=[(o, Office(k, i, "", 0, None)) for o, k, i in dict.fromkeys((o, k, i) for o, k, i, _, _ in POSTS)],
            appointments=[
                (digest(f"appointment/{name}", 16), Appointment(address(name), office, role, 0, None, None))
                for office, _, _, role, names in POSTS
                for name in names
            ],
            boards=[("government", Board([address("minister")], 1))],
        )
        values: dict[str, Any] = {p.name: p.history[-1].value for p in pack().parameters}
        values |= {"services.fee_account": address("treasury").hex(), **parameters}
        rules = [
            (name, Revision(list(value) if isinstance(value, tuple) else value, 0, None, UNVERIFIED))
            for name, value in values.items()
            if value is not None
        ]
        holidays = [(h.day, CalendarDay(h.works, h.code, UNVERIFIED)) for h in pack().holidays]
        money = [(address(name), "KGS", 1_000_000) for name in ("parent", "other", "payer")]
        return Genesis(
            "kg-test",
            "kg",
            NOON - 1,
            [
                ("accounts", encode(AccountsGenesis(people))),
                ("authority", encode(founding)),
                ("policy", encode(PolicyGenesis(rules, holidays))),
                ("bank", encode(BankGenesis([("KGS", CurrencyRow(2, "central-bank"))], money))),
                ("services", encode(ServicesGenesis([encode(each) for each in definitions]))),
            ],
        )


CODES = ("birth", "birth-correction", "birth-repeat-certificate")
