"""The tables: one for each table that a module declares, one a block, a transaction and an event, and the place."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Text
from sqlalchemy import Table as SqlTable

from kerege.kernel.module import Modules
from kerege.kernel.tables import Table
from kerege.readmodel.columns import Write, form_of

VALUE = "value"
"""Column of a value that is no struct."""


@dataclass(frozen=True, slots=True)
class Held:
    """A table of the state as a table of the database."""

    sql: SqlTable
    keys: tuple[str, ...]
    """Columns of the key, in order."""
    fields: tuple[str, ...]
    """Columns of the value, in order."""
    values: Callable[[Any], tuple[Any, ...]]
    """Value → what stands in its columns."""
    write: dict[str, Write]
    """Of fields that are not given to the driver as they are."""

    def key_row(self, key: Any) -> tuple[Any, ...]:  # noqa: ANN401 - whatever the table's key is
        """What stands in the columns of the key."""
        return key if len(self.keys) > 1 else (key,)

    def row(self, key: Any, value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        """What stands in the columns of key and value."""
        return (*self.key_row(key), *self.values(value))


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of a read model."""

    metadata: MetaData
    held: dict[str, Held]
    """Name in the state → table."""
    blocks: SqlTable
    transactions: SqlTable
    events: SqlTable
    place: SqlTable
    fingerprint: str
    """Hash of names and columns: two releases with the same one share their tables."""


def make_schema(modules: Modules, prefix: str) -> Schema:
    """The tables of these modules; `prefix` is the nation's for addresses in JSON columns."""
    metadata = MetaData()
    held = {name: _held(metadata, table, prefix) for name, table in modules.tables.items() if not table.derived}
    blocks = SqlTable(
        "kerege_block",
        metadata,
        Column("height", BigInteger, primary_key=True, autoincrement=False),
        Column("time", BigInteger, nullable=False, comment="milliseconds since 1970, UTC"),
        Column("transactions", Integer, nullable=False, comment="applied and refused"),
        Column("app_hash", LargeBinary, nullable=False),
        comment="blocks, each with what it came to",
    )
    transactions = SqlTable(
        "kerege_transaction",
        metadata,
        Column("id", LargeBinary, primary_key=True),
        Column("leaf", BigInteger, nullable=False, comment="place in the log"),
        Column("height", BigInteger, nullable=False, index=True),
        Column("sender", LargeBinary, nullable=False, index=True, comment="account that signed"),
        Column("code", Text, nullable=False, comment="empty where applied, else the refusal's number"),
        Column("messages", Text, nullable=False, comment="kinds of its messages, separated by spaces"),
        comment="transactions with their outcome",
    )
    events = SqlTable(
        "kerege_event",
        metadata,
        Column("leaf", BigInteger, primary_key=True, autoincrement=False, comment="place of its receipt in the log"),
        Column("position", Integer, primary_key=True, autoincrement=False, comment="place in the receipt"),
        Column("kind", Text, nullable=False, index=True),
        comment="what happened; the values stand in the rows that it changed and in its receipt",
    )
    place = SqlTable(
        "kerege_place",
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("genesis", LargeBinary, nullable=False, comment="hash of the ledger's first bytes"),
        Column("fingerprint", Text, nullable=False, comment="of these tables"),
        Column("height", BigInteger, nullable=False, comment="newest block in the tables"),
        Column("app_hash", LargeBinary, nullable=False, comment="of that block"),
        comment="how far the tables are: changed in the same transaction as they are",
    )
    return Schema(metadata, held, blocks, transactions, events, place, _fingerprint(metadata))


def _held(metadata: MetaData, table: Table[Any, Any], prefix: str) -> Held:
    kinds = table.key if table.composite else (table.key,)
    keys = tuple(f"key_{number}" for number in range(1, len(kinds) + 1))
    columns = [
        Column(name, form_of(kind, prefix).type, primary_key=True, autoincrement=False)
        for name, kind in zip(keys, kinds, strict=True)
    ]
    struct = isinstance(table.value, type) and issubclass(table.value, Struct)
    types = {f.encode_name: f.type for f in msgspec.structs.fields(table.value)} if struct else {VALUE: table.value}
    forms = {name: form_of(kind, prefix) for name, kind in types.items()}
    columns += [Column(name, form.type, nullable=form.nullable) for name, form in forms.items()]
    sql = SqlTable(table.name.replace(".", "_"), metadata, *columns, comment=table.doc)
    write = {name: form.write for name, form in forms.items() if form.write is not None}
    return Held(sql, keys, tuple(forms), _values_maker(tuple(forms), write, struct=struct), write)


def _values_maker(
    fields: tuple[str, ...], write: dict[str, Write], *, struct: bool
) -> Callable[[Any], tuple[Any, ...]]:
    """A closure for what every row goes through: fields as they are where they may be, the others one by one."""
    odd = [(fields.index(name), writer) for name, writer in write.items()]

    def make(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        told = msgspec.structs.astuple(value) if struct else (value,)
        if not odd:
            return told
        parts = list(told)
        for place, writer in odd:
            parts[place] = writer(parts[place])
        return tuple(parts)

    return make


def _fingerprint(metadata: MetaData) -> str:
    told = [
        f"{table.name}({', '.join(f'{column.name} {column.type!r} {column.nullable}' for column in table.columns)})"
        for table in metadata.sorted_tables
    ]
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()
