"""Truths about cases."""

from collections.abc import Iterable

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.services.keeper import CaseView
from kerege.modules.services.rules import RUNNING, place_of
from kerege.modules.services.state import CASES, DUE, QUEUE
from kerege.modules.services.types import REQUESTER, Case, CaseStatus


def _sound(case: Case) -> bool:
    """A stopped clock has a cause, an ended case an outcome, an appeal a body; an open one none of them."""
    return (
        (case.stop is not None) == (case.status is CaseStatus.SUSPENDED)
        and bool(case.outcome) == (case.status not in RUNNING)
        and bool(case.appeal) == (case.status is CaseStatus.APPEALED)
        and len({act.step for act in case.acts}) == len(case.acts)
    )


def _rows_sound(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return all(now is not None and _sound(now) for _, _, now in differences.get(CASES.name, []))


def _all_sound(ctx: Context) -> bool:
    return all(_sound(case) for _, case in ctx.scan(CASES))


def _guarded(ctx: Context, cases: Iterable[Case]) -> bool:
    """Where the guard holds and its second step decided, two officials acted; so they did for every amendment."""
    view = ctx.use(CaseView)
    for case in cases:
        if case.status is not CaseStatus.DECIDED:
            continue
        guard, took = view.definition_of(case).four_eyes, {act.step: act.account for act in case.acts}
        if case.guarded and guard.second == case.step and took.get(guard.first) in {None, took.get(guard.second)}:
            return False
        officials = {act.account for act in case.acts if act.role != REQUESTER}
        if case.kind is not None and len(officials) < 2:  # noqa: PLR2004 - two officials
            return False
    return True


def _rows_guarded(ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return _guarded(ctx, (now for _, _, now in differences.get(CASES.name, []) if now is not None))


def _all_guarded(ctx: Context) -> bool:
    return _guarded(ctx, (case for _, case in ctx.scan(CASES)))


def _rows_indexed(ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """Every changed case stands in the queue of its holder and nowhere else."""
    for raw, before, now in differences.get(CASES.name, []):
        identifier = CASES.decode_key(raw)
        new = place_of(now, identifier)
        old = None if before is None else place_of(before, identifier)
        for place in (old, new):
            if place is not None and (ctx.find(QUEUE, place) is not None) != (place == new):
                return False
    return True


def _all_indexed(ctx: Context) -> bool:
    """The queues hold just the cases that an office or body holds, the clock's index just deadlines of cases."""
    cases = dict(ctx.scan(CASES))
    places = [place_of(case, identifier) for identifier, case in cases.items()]
    queued = [place for place, _ in ctx.scan(QUEUE)]
    waiting = {CaseStatus.APPEALED, *RUNNING}
    ticking = {(case.due, key) for key, case in cases.items() if case.status in waiting}
    ahead = {(case.due, key) for key, case in cases.items() if case.status in waiting and case.due >= ctx.time}
    entered = {key for key, _ in ctx.scan(DUE)}
    return sorted(place for place in places if place) == queued and ahead <= entered <= ticking


INVARIANTS = (
    Invariant(name="services.cases_sound", watches=(CASES,), cheap=_rows_sound, full=_all_sound),
    Invariant(name="services.two_officials", watches=(CASES,), cheap=_rows_guarded, full=_all_guarded),
    Invariant(name="services.queues_complete", watches=(CASES,), cheap=_rows_indexed, full=_all_indexed),
)
