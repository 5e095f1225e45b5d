"""Truths about looks."""

from typing import Any

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.kernel.tables import Table
from kerege.modules.disclosure.rules import countdown
from kerege.modules.disclosure.state import LOOKS, LOOKS_AT, LOOKS_BY, LOOKS_FOR, LOOKS_OF, LOOKS_WITH


def _looks_stay(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A request to look is never changed or removed, and a denied one opens nothing."""
    for _, before, now in differences.get(LOOKS.name, []):
        if before is not None or now is None or (now.until > now.at) == bool(now.denial):
            return False
    return True


def _indexes_whole(ctx: Context) -> bool:
    """Every look stands once in each index, and opens something if and only if it was granted."""
    looks = dict(ctx.scan(LOOKS))
    listed: dict[Table[Any, Any], list[Any]] = {
        LOOKS_AT: [(row.at, access) for access, row in looks.items()],
        LOOKS_OF: [(row.case, row.at, access) for access, row in looks.items()],
        LOOKS_FOR: [(row.case, countdown(row.at), access) for access, row in looks.items()],
        LOOKS_BY: [(row.officer, countdown(row.at), access) for access, row in looks.items()],
        LOOKS_WITH: [(each, countdown(row.at), access) for access, row in looks.items() for each in row.references],
    }
    whole = all(sorted(keys) == [key for key, _ in ctx.scan(index)] for index, keys in listed.items())
    return whole and all((row.until > row.at) == (not row.denial) for row in looks.values())


INVARIANTS = (Invariant(name="disclosure.looks_stay", watches=(LOOKS,), cheap=_looks_stay, full=_indexes_whole),)
