"""Truths about cases."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.services.state import CASES, DUE
from kerege.modules.services.types import Case, CaseStatus


def _sound(case: Case) -> bool:
    """A stopped clock has a cause, an ended case an outcome, an open one neither."""
    ended = case.status in {CaseStatus.DECIDED, CaseStatus.WITHDRAWN, CaseStatus.LAPSED, CaseStatus.APPEALED}
    return (case.stop is not None) == (case.status is CaseStatus.SUSPENDED) and bool(case.outcome) == ended


def _rows_sound(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return all(now is not None and _sound(now) for _, _, now in differences.get(CASES.name, []))


def _all_sound(ctx: Context) -> bool:
    """Every case is sound, and every deadline of the index is its case's."""
    cases = dict(ctx.scan(CASES))
    if not all(map(_sound, cases.values())):
        return False
    return all(cases[key[1]].due == key[0] for key, _ in ctx.scan(DUE))


INVARIANTS = (Invariant(name="services.cases_sound", watches=(CASES,), cheap=_rows_sound, full=_all_sound),)
