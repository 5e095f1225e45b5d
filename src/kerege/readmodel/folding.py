"""What a batch of blocks does to rows, so that the database is told of each row once.

Rows of projections follow one another (put, add, set, remove); folded, one of them is left for each key, and their
order does not matter any more.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from kerege.kernel.rows import Add, Put, Remove, Row, Set

Folded = dict[str, dict[Any, Row]]
"""Table → key → what is to be done."""


def fold(folded: Folded, rows: Iterable[Row]) -> None:
    """Let more rows follow."""
    for row in rows:
        held = folded.setdefault(row.table, {})
        if isinstance(row, Put) or (before := held.get(row.key)) is None or isinstance(row, Remove):
            held[row.key] = row
        else:
            held[row.key] = _follow(before, row)


def _follow(before: Row, row: Row) -> Row:
    """An `Add` or `Set` after something else."""
    match before, row:
        case Add(), Add():
            return replace(before, delta=before.delta + row.delta)
        case Put(), Add():
            return replace(before, value=before.value + row.delta)
        case Remove(), Add():
            return Put(row.table, row.key, row.delta)
        case Put(), Set():
            return replace(before, value=replace(before.value, **row.fields))
        case Set(), Set():
            return replace(before, fields=before.fields | row.fields)
        case _:
            raise ValueError(f"{row.table}: {type(row).__name__} after {type(before).__name__}")
