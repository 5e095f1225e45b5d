"""What stands in a database, and what ought to."""

from typing import Any

import msgspec
from sqlalchemy import select

from kerege.consensus.door import collect
from kerege.node.home import Home
from kerege.node.ledger import open_ledger
from kerege.readmodel.database import open_database
from kerege.readmodel.schema import Schema, make_schema


def tables_of(url: str, schema: Schema) -> dict[str, set[tuple[Any, ...]]]:
    """Rows of every table that mirrors one of the state."""
    engine = open_database(url)
    with engine.connect() as connection:
        found = {
            name: {tuple(row) for row in connection.execute(select(*held.sql.columns))}
            for name, held in schema.held.items()
        }
    engine.dispose()
    return found


def rows_of(url: str, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of one table in the order of its first column."""
    engine = open_database(url)
    with engine.connect() as connection:
        chosen = [table.c[name] for name in columns]
        found = [tuple(row) for row in connection.execute(select(*chosen).order_by(*chosen))]
    engine.dispose()
    return found


def state_of(home: Home) -> tuple[dict[str, set[tuple[Any, ...]]], Schema]:
    """The state itself, every value decoded by its table and written as a row: the oracle."""
    with open_ledger(home) as ledger:
        schema = make_schema(ledger.modules, ledger.machine.prefix)
        expected: dict[str, set[tuple[Any, ...]]] = {}
        for name, held in schema.held.items():
            table = ledger.modules.tables[name]
            expected[name] = {
                held.row(table.decode_key(key), table.decode_value(raw))
                for key, raw in collect(ledger.door, table.prefix)
            }
    return expected, schema


def plain(rows: set[tuple[Any, ...]]) -> list[str]:
    """For a readable difference."""
    return sorted(msgspec.json.encode(row).decode() for row in rows)
