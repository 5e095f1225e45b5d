"""SQLite or PostgreSQL: what a batch of blocks comes to, and how far the tables are, in one transaction.

Exactly once: the place is moved first, from the height that was read, so that of two writers the second one finds it
moved and changes nothing; a crash undoes rows and place together.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, delete, event, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kerege.kernel.rows import Add, Put, Remove, Row, Set
from kerege.readmodel.errors import DatabaseFailed, NoDatabase
from kerege.readmodel.folding import Folded
from kerege.readmodel.schema import VALUE, Held, Schema

_INSERT: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
VALUES_TOGETHER = 900
"""Values given to one statement of SQLite, which takes 999 in every version."""
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


sqlite3.register_adapter(bytes, bytes)
"""Bytes are what SQLite takes; without an adapter the driver looks for one at each of them, in two more places."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the tables are."""

    ledger: str
    genesis: bytes
    fingerprint: str
    height: int
    app_hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What some blocks come to."""

    place: Place
    """Where the tables are afterwards."""
    rows: Folded
    blocks: Sequence[tuple[Any, ...]]
    transactions: Sequence[tuple[Any, ...]]
    events: Sequence[tuple[Any, ...]]


def open_database(url: str) -> Engine:
    """Connect to `sqlite:///FILE` or `postgresql://…`; raises `NoDatabase`."""
    try:
        parsed = make_url(url)
        driver = _DRIVERS[parsed.drivername]
        engine = create_engine(parsed.set(drivername=driver), hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, KeyError, ImportError, ValueError) as error:
        raise NoDatabase(told=_hidden(url), reason=type(error).__name__) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _settle_sqlite)
    return engine


def _hidden(url: str) -> str:
    """An address without what may be a password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url


def _settle_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a sqlite3 connection
    """Readers and the writer do not wait for one another. After a power cut rows and place are older together.

    Keys fall all over the tables: a page is written back once for many batches, not once for each.
    """
    settings = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "cache_size=-65536")
    for setting in (*settings, "wal_autocheckpoint=8192"):
        connection.execute(f"PRAGMA {setting}")


class Database:
    """The tables of one read model; for one thread."""

    def __init__(self, engine: Engine, schema: Schema) -> None:
        self.engine = engine
        self.schema = schema
        self.name = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)
        """Its address without what may be a password."""
        self._insert = _INSERT[engine.dialect.name]
        self._compiled: dict[tuple[str, ...], tuple[str, list[str], bool]] = {}

    def place(self) -> Place | None:
        """How far the tables are; None where they have not been made. Raises `DatabaseFailed`."""
        with self._told(), self.engine.connect() as connection:
            if not self.engine.dialect.has_table(connection, self.schema.place.name):
                return None
            columns = ("ledger", "genesis", "fingerprint", "height", "app_hash")
            found = connection.execute(select(*[self.schema.place.c[name] for name in columns])).first()
        return None if found is None else Place(*found)

    def drop(self) -> None:
        """Remove whatever tables of a read model are there."""
        with self._told(), self.engine.begin() as connection:
            self.schema.metadata.drop_all(connection)

    def create(self, batch: Batch) -> None:
        """Make the tables, with what the ledger begins with. Raises `DatabaseFailed`."""
        with self._told(), self.engine.begin() as connection:
            self.schema.metadata.create_all(connection)
            place = batch.place
            values = [(place.ledger, place.genesis, place.fingerprint, place.height, place.app_hash)]
            self._append(connection, self.schema.place, values)
            self._fill(connection, batch)

    def advance(self, before: int, batch: Batch) -> bool:
        """Bring the tables from a height to the batch's; False where somebody else did so before."""
        place = self.schema.place
        moved = (
            update(place)
            .where(place.c.ledger == batch.place.ledger, place.c.height == before)
            .values(height=batch.place.height, app_hash=batch.place.app_hash)
        )
        with self._told(), self.engine.begin() as connection:
            if connection.execute(moved).rowcount != 1:
                return False
            self._fill(connection, batch)
        return True

    def _fill(self, connection: Connection, batch: Batch) -> None:
        for name, rows in batch.rows.items():
            self._change(connection, name, rows.values())
        self._append(connection, self.schema.blocks, batch.blocks)
        self._append(connection, self.schema.transactions, batch.transactions)
        self._append(connection, self.schema.events, batch.events)

    def _change(self, connection: Connection, name: str, rows: Iterable[Row]) -> None:
        """Do to one table what is left of its rows, of one kind together."""
        held = self.schema.held[name]
        kinds: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        puts: list[tuple[Any, ...]] = []
        composite, written, values = len(held.keys) > 1, object(), ()
        for row in rows:
            if isinstance(row, Put):
                if row.value is not written:  # keys of one message share theirs
                    written, values = row.value, held.values(row.value)
                puts.append((*row.key, *values) if composite else (row.key, *values))
                continue
            match row:
                case Add(_, key, delta):
                    kinds.setdefault(("add",), []).append((*held.key_row(key), delta))
                case Remove(_, key):
                    kinds.setdefault(("remove",), []).append(held.key_row(key))
                case Set(_, key, fields):
                    told = [held.write[f](v) if f in held.write else v for f, v in fields.items()]
                    kinds.setdefault(("set", *fields), []).append((*told, *held.key_row(key)))
        if puts:
            kinds["put",] = puts
        for kind, lines in kinds.items():
            self._many(connection, (name, *kind), partial(_statement, self._insert, held, kind), lines)

    def _append(self, connection: Connection, table: SqlTable, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._many(connection, (table.name, "append"), partial(_appending, self._insert, table), rows)

    def _many(
        self,
        connection: Connection,
        name: tuple[str, ...],
        make: Callable[[], Any],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Run a statement for many rows through the driver itself: the values are what it takes already."""
        compiled = self._compiled.get(name)
        if compiled is None:
            made = make().compile(dialect=self.engine.dialect)
            compiled = self._compiled[name] = (str(made), made.positiontup or list(made.params), made.isinsert)
        text, order, inserts = compiled
        if not self.engine.dialect.positional:
            connection.exec_driver_sql(text, [dict(zip(order, row, strict=True)) for row in rows])
            return
        if inserts:
            rows = sorted(rows, key=itemgetter(0))
            rows = rows[_insert_together(connection, text, rows) :]
        if rows:
            connection.exec_driver_sql(text, list(rows))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise DatabaseFailed(
                database=self.engine.url.render_as_string(hide_password=True), reason=reason
            ) from error


def _insert_together(connection: Connection, text: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert many rows a statement and give what they have in common once; how many of them it was good for."""
    columns = list(zip(*rows, strict=True))
    same = [column.count(column[0]) == len(column) for column in columns]
    once = [column[0] for column, alike in zip(columns, same, strict=True) if alike]
    own = list(zip(*[column for column, alike in zip(columns, same, strict=True) if not alike], strict=True))
    together = VALUES_TOGETHER // max(1, len(same) - len(once))
    whole = len(own) // together * together
    if whole:
        joined = _joined(text, same, together)
        for at in range(0, whole, together):
            connection.exec_driver_sql(joined, (*once, *chain.from_iterable(own[at : at + together])))
    return whole


def _joined(text: str, same: Sequence[bool], together: int) -> str:
    """SQLite's INSERT of one row as one of several, with what is the same in all of them before the rest."""
    number = count(1)
    chosen = ", ".join("?" if alike else f"own.column{next(number)}" for alike in same)
    own = f"({', '.join('?' * same.count(False))})"
    select = f"SELECT {chosen} FROM (VALUES {', '.join([own] * together)}) AS own WHERE true"  # noqa: S608 - no values
    return text.replace(f"VALUES ({', '.join('?' * len(same))})", select, 1)


def _appending(insert: Callable[..., Any], table: SqlTable) -> Any:  # noqa: ANN401
    return insert(table).values({column.name: bindparam(f"p_{column.name}") for column in table.columns})


def _statement(insert: Callable[..., Any], held: Held, kind: tuple[str, ...]) -> Any:  # noqa: ANN401 - the builders' types differ
    """A statement whose parameters stand in the order in which the rows give them."""
    table = held.sql
    same_key = [table.c[name] == bindparam(f"p_{name}") for name in held.keys]
    if kind[0] == "remove":
        return delete(table).where(*same_key)
    if kind[0] == "set":
        return update(table).where(*same_key).values({name: bindparam(f"p_{name}") for name in kind[1:]})
    made = insert(table).values({name: bindparam(f"p_{name}") for name in (*held.keys, *held.fields)})
    if kind[0] == "add":
        return made.on_conflict_do_update(index_elements=held.keys, set_={VALUE: table.c[VALUE] + made.excluded[VALUE]})
    return made.on_conflict_do_update(
        index_elements=held.keys, set_={name: made.excluded[name] for name in held.fields}
    )
