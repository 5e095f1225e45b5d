"""Vectors: a transaction as a file. What stood before, what was sent, what stands after or which refusal came.

    about: A transfer above the balance is refused and changes nothing.
    pre: {bank.balance: {alice/KGS: 500}}
    sender: alice
    message: {bank.Transfer: {to: bob, currency: KGS, amount: 501}}
    refused: {bank.4: {account: alice, currency: KGS, available: 500, asked: 501}}

`roles` names posts: `{alice: {registrar: ЗАГС-1}}`. `board: government` puts the message through a board of
which the sender is the only member. `post` names keys; everything unnamed must be unchanged. Names stand for
accounts, other words for random bytes; fields left out get the smallest value that fits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kerege.kernel.codec import encode
from kerege.kernel.errors import NotATransaction, Refused
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.rows import Add, Put, Remove, Row, Set
from kerege.kernel.tables import Table
from kerege.modules import MODULES
from kerege.modules.accounts.state import ACCOUNTS, USAGE
from kerege.modules.accounts.types import Account, AccountKind, AccountStatus, Key
from kerege.modules.authority.messages import Propose
from kerege.modules.authority.state import APPOINTMENTS, APPOINTMENTS_OF, BOARDS, INSTITUTIONS, OFFICES, ROLES
from kerege.modules.authority.types import Appointment, Board, Institution, Office, Role
from kerege.modules.policy.state import ENACTED, REVISIONS
from kerege.modules.policy.types import LegalBasis, Revision
from kerege.testing import names, values
from kerege.testing.ledger import HOUR, START, Result, Simulator

PEOPLE = ("alice", "bob", "carol", "dave", "erin")
"""Accounts that every vector finds open."""

INSTITUTION = "institution"
PARAMETERS: Mapping[str, Any] = {
    "policy.offset_minutes": 360,
    "disclosure.access_hours": 8,
    "authority.consensus_board": "consensus",
}

Setting = list[tuple[Table[Any, Any], Any, Any]]


@dataclass(frozen=True, slots=True)
class Vector:
    """One document of a vector file."""

    file: Path
    number: int
    form: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file.parent.name}/{self.file.stem}-{self.number}"


def load(folder: Path) -> Iterator[Vector]:
    """Every vector of a folder, in order of file names."""
    for file in sorted(folder.rglob("*.yaml")):
        for number, form in enumerate(yaml.safe_load_all(file.read_text(encoding="utf-8")), 1):
            if isinstance(form, dict) and "sender" in form:
                yield Vector(file, number, form)


def messages_of(form: Mapping[str, Any]) -> list[Message]:
    """The messages that a vector sends."""
    kinds = {tag_of(kind): kind for module in MODULES for kind in module.handlers}
    listed = form.get("messages") or [form["message"]]
    return [values.read(fields, kinds[tag]) for each in listed for tag, fields in each.items()]


def run(vector: Vector) -> None:
    """Run a vector on a real machine; raises `AssertionError` where it does not hold."""
    form = vector.form
    ledger = Simulator(start=form.get("time", START))
    ledger.write(setting(form, ledger))
    ledger.advance(form.get("after", 1))
    before, counted = ledger.rows(), ledger.rows(derived=True)
    result = ledger.send(form["sender"], *_sent(form))
    after = ledger.rows()
    _check_outcome(form, result)
    if result.code:
        _check_nothing_done(ledger, form["sender"], result, counted, vector)
        return
    _check_post(form, ledger, before, after, vector)
    _check_projections(ledger, result, before, after, vector)


def _sent(form: Mapping[str, Any]) -> list[Message]:
    sent = messages_of(form)
    board = form.get("board")
    if not board:
        return sent
    return [Propose(names.random_like("proposal", 16), board, [encode(m) for m in sent], START + 1000 * HOUR)]


def setting(form: Mapping[str, Any], ledger: Simulator, people: Sequence[str] = PEOPLE) -> Setting:
    """People, posts, parameters and what `pre` says."""
    rows: Setting = []
    for person in people:
        key = Key(1, names.signer(person).key, 0)
        rows.append(
            (
                ACCOUNTS,
                names.address(person),
                Account(AccountKind.PERSON, AccountStatus.OPEN, names.address("erin"), "", [key], [], 0),
            )
        )
    rows += _posts(form.get("roles", {}))
    if form.get("board"):
        rows.append((BOARDS, form["board"], Board([names.address(form["sender"])], 1)))
    for name, value in {**PARAMETERS, **form.get("parameters", {})}.items():
        basis = [LegalBasis("", "", "", None, unverified=True)]
        rows += [(REVISIONS, (name, 1), Revision(value, 0, None, basis)), (ENACTED, (name, 1), 0)]
    for table_name, held in form.get("pre", {}).items():
        table = ledger.modules.tables[table_name]
        rows += [(table, values.read_key(k, table), values.read(v, table.value)) for k, v in held.items()]
    return rows


def _posts(roles: Mapping[str, Mapping[str, str]]) -> Setting:
    """Offices and appointments of the people who hold roles."""
    rows: Setting = []
    held = [(who, role, office) for who, posts in roles.items() for role, office in posts.items()]
    rows.append((INSTITUTIONS, INSTITUTION, Institution("", sorted({role for _, role, _ in held} | {"registrar"}))))
    for who, role, office in held:
        identifier, address = names.random_like(f"{who}/{role}", 16), names.address(who)
        rows += [
            (ROLES, role, Role([])),
            (OFFICES, office, Office("kind", INSTITUTION, "", 0, None)),
            (APPOINTMENTS, identifier, Appointment(address, office, role, 0, None, None)),
            (APPOINTMENTS_OF, (address, identifier), True),
        ]
    return rows


def _check_outcome(form: Mapping[str, Any], result: Result) -> None:
    expected = form.get("refused") or form.get("not_a_transaction") or {"": None}
    ((code, facts),) = expected.items()
    assert result.code == code, f"{result.code} {result.facts} where {code or 'applied'} was expected"
    assert (result.reason is not None) == ("not_a_transaction" in form)
    kind = _numbered().get(code)
    for name, told in (facts or {}).items():
        actual = result.facts[name]
        if isinstance(actual, bytes):
            assert actual == values.read_bytes(told, len(actual)), name
        else:
            assert actual == values.read(told, kind.__annotations__[name] if kind else type(actual)), name


def _check_nothing_done(
    ledger: Simulator, sender: str, result: Result, before: dict[str, dict[Any, Any]], vector: Vector
) -> None:
    """Refused: of everything, derived tables too, only the sender's sequence moved; no transaction: not even it."""
    after, address = ledger.rows(derived=True), names.address(sender)
    usage, moved = after[USAGE.name].pop(address, None), before[USAGE.name].pop(address, None)
    assert after == before, f"{vector}: what was not applied changed {_changed(before, after)}"
    if result.reason is not None:
        assert usage == moved, f"{vector}: what is no transaction consumed {usage}"
        return
    assert usage is not None and usage.sequences == (moved.sequences[0] + 1 if moved else 1,)  # noqa: PT018 - for mypy
    assert usage.entries == (moved.entries if moved else 0), f"{vector}: a refused transaction created entries"


def _numbered() -> dict[str, type[Exception]]:
    stack: list[type[Exception]] = [Refused, NotATransaction]
    found: dict[str, type[Exception]] = {}
    while stack:
        kind = stack.pop()
        stack += kind.__subclasses__()
        code = getattr(kind, "code", "")
        if code:
            found[code] = kind
    return found


def _changed(before: dict[str, dict[Any, Any]], after: dict[str, dict[Any, Any]]) -> list[tuple[str, Any]]:
    return [
        (table, key)
        for table in after
        for key in {**before[table], **after[table]}
        if before[table].get(key) != after[table].get(key)
    ]


def _check_post(
    form: Mapping[str, Any], ledger: Simulator, before: dict[str, Any], after: dict[str, Any], vector: Vector
) -> None:
    named = set()
    for table_name, held in form.get("post", {}).items():
        table = ledger.modules.tables[table_name]
        for text, told in held.items():
            key = values.read_key(text, table)
            named.add((table_name, key))
            value = after[table_name].get(key) if not table.derived else ledger.read(table, key)
            if told is None:
                assert value is None, f"{vector}: {table_name} {text} is {value}"
            else:
                assert value is not None, f"{vector}: {table_name} {text} is missing"
                assert values.fields_equal(value, told, table.value), f"{vector}: {table_name} {text} is {value}"
    quiet = {"authority.proposal"} if form.get("board") else set()
    unnamed = [c for c in _changed(before, after) if c not in named and c[0] not in quiet]
    assert not unnamed, f"{vector}: changed without being named: {unnamed}"


def _check_projections(
    ledger: Simulator, result: Result, before: dict[str, Any], after: dict[str, Any], vector: Vector
) -> None:
    """Rows made from the events alone equal the state: what outside tables are built from."""
    kinds = {tag_of(kind): kind for module in MODULES for kind in module.events}
    tables = {name: dict(held) for name, held in before.items()}
    for event in result.events:
        kind = kinds[event[0]]
        decoded = _decode_event(event, kind)
        for row in ledger.modules.projections[kind](decoded):
            apply_row(tables, row)
    assert tables == after, f"{vector}: events do not tell {_changed(tables, after)}"


def _decode_event(event: list[Any], kind: Any) -> Any:  # noqa: ANN401 - an event struct

    return msgspec.msgpack.decode(encode(event), type=kind)


def apply_row(tables: dict[str, dict[Any, Any]], row: Row) -> None:
    """Do to plain tables what a projection's row says."""
    held = tables[row.table]
    match row:
        case Put(_, key, value):
            held[key] = value
        case Add(_, key, delta):
            held[key] = held.get(key, 0) + delta
        case Set(_, key, fields):
            held[key] = msgspec.structs.replace(held[key], **fields)
        case Remove(_, key):
            held.pop(key, None)
