"""Truths about persons."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.identity.state import PERSONS, PIN_AMENDMENTS


def _history_grows(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A person's row is never removed, and its history never shrinks."""
    persons = differences.get(PERSONS.name, [])
    return all(now is not None and (before is None or now.history >= before.history) for _, before, now in persons)


def _history_is_whole(ctx: Context) -> bool:
    """As many lines of history as each person's row says."""
    lines: dict[bytes, int] = {}
    for (person, _), _row in ctx.scan(PIN_AMENDMENTS):
        lines[person] = lines.get(person, 0) + 1
    return all(row.history == lines.get(person, 0) for person, row in ctx.scan(PERSONS))


INVARIANTS = (Invariant(name="identity.pin_history", watches=(PERSONS,), cheap=_history_grows, full=_history_is_whole),)
