"""Truths about looks."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.disclosure.state import LOOKS, LOOKS_AT, LOOKS_OF


def _looks_stay(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A request to look is never changed or removed, and a denied one opens nothing."""
    for _, before, now in differences.get(LOOKS.name, []):
        if before is not None or now is None or (now.denial and now.until != now.at):
            return False
    return True


def _indexes_whole(ctx: Context) -> bool:
    """Every look stands once in each index."""
    looks = dict(ctx.scan(LOOKS))
    by_time = sorted((row.at, access) for access, row in looks.items())
    by_case = sorted((row.case, row.at, access) for access, row in looks.items())
    return by_time == [k for k, _ in ctx.scan(LOOKS_AT)] and by_case == [k for k, _ in ctx.scan(LOOKS_OF)]


INVARIANTS = (Invariant(name="disclosure.looks_stay", watches=(LOOKS,), cheap=_looks_stay, full=_indexes_whole),)
