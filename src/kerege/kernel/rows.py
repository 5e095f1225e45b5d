"""Event → rows: what an event changes in tables outside the ledger. Projections return these, run no SQL.

Rows name the state's own tables and keys, so that one test holds for all modules: the tables rebuilt
from genesis and events equal the state, except those marked `derived`.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct


class Put(Struct, frozen=True, gc=False):
    """Insert or replace a whole value."""

    table: str
    key: Any
    value: Any


class Add(Struct, frozen=True, gc=False):
    """Add to an integer value (a missing one is 0)."""

    table: str
    key: Any
    delta: int


class Set(Struct, frozen=True, gc=False):
    """Replace named fields of a struct value."""

    table: str
    key: Any
    fields: dict[str, Any]


class Remove(Struct, frozen=True, gc=False):
    """Remove the key."""

    table: str
    key: Any


Row = Put | Add | Set | Remove
Projection = Callable[[Any], tuple[Row, ...]]
