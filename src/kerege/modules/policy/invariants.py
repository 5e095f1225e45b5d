"""Truths about rules."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.policy.rules import basis_complete
from kerege.modules.policy.state import ENACTED, REVISIONS


def _only_added(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A revision is never changed or removed, and has a legal basis."""
    changed = differences.get(REVISIONS.name, [])
    return all(before is None and now is not None and basis_complete(now.basis) for _, before, now in changed)


def _numbered(ctx: Context) -> bool:
    """Revisions of a parameter are numbered from 1 without a gap, and each says when it was enacted."""
    counts: dict[str, int] = {}
    for (name, number), _ in ctx.scan(REVISIONS):
        counts[name] = counts.get(name, 0) + 1
        if counts[name] != number:
            return False
    return [key for key, _ in ctx.scan(REVISIONS)] == [key for key, _ in ctx.scan(ENACTED)]


INVARIANTS = (Invariant(name="policy.history_grows", watches=(REVISIONS,), cheap=_only_added, full=_numbered),)
