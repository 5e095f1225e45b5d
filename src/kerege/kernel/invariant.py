"""Truths of the ledger: cheap over what a transaction changed, full over all state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerege.kernel.context import Context
    from kerege.kernel.tables import Table

Difference = tuple[bytes, Any, Any]
"""(encoded key, value before, value now); None where there was or is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A statement true after every transaction and every block.

    `watches`: tables whose change calls for the cheap form. `cheap(ctx, differences)` gets, per watched table
    that changed, its differences; `full(ctx)` reads all state. Both return whether the statement holds.
    """

    name: str
    watches: tuple["Table[Any, Any]", ...]
    cheap: Callable[["Context", dict[str, list[Difference]]], bool]
    full: Callable[["Context"], bool]
