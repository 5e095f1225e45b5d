"""What people see of cases: what was done, who must act now, until when. Reads, never writes."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.modules.services.keeper import CaseView
from kerege.modules.services.rules import BODY
from kerege.modules.services.types import Act, Case, CaseStatus, Stop

STATES = ("free", "taken", "stopped")


class CaseLine(Struct, frozen=True):
    """A case as one line."""

    case: bytes
    service: str
    status: CaseStatus
    done: Act | None
    """The last act; None where nothing was done yet."""
    step: str
    """What is due now; empty after an end."""
    office: str
    """Office that must act, or institution appealed to; empty: the requester, or nobody after an end."""
    roles: tuple[str, ...]
    """In any of these roles; empty after an end."""
    official: bytes | None
    """Who took it."""
    due: int
    """Until when: the step's deadline, the end of the stop, of the term to appeal, or of the term to rule."""
    overdue: bool
    stop: Stop | None
    """What stopped the clock, and who caused it."""
    outcome: str
    reasons: tuple[str, ...]


class Page(Struct, frozen=True):
    """Part of a queue."""

    lines: tuple[CaseLine, ...]
    after: tuple[int, bytes] | None
    """Pass it to see what follows; None at the end."""


def case_line(ctx: Context, identifier: bytes) -> CaseLine:
    """A case as one line; raises `UnknownCase`."""
    return _line(ctx.use(CaseView), identifier, ctx.use(CaseView).case(identifier))


def queue(ctx: Context, office: str, state: str, after: tuple[int, bytes] | None = None, limit: int = 50) -> Page:
    """Cases that an office holds in one of `STATES`, the earliest deadline first."""
    return _page(ctx, office, state, after, limit)


def appeals(ctx: Context, institution: str, after: tuple[int, bytes] | None = None, limit: int = 50) -> Page:
    """Appeals that wait for a body's ruling, the earliest deadline first."""
    return _page(ctx, BODY + institution, "appealed", after, limit)


def history(ctx: Context, identifier: bytes) -> tuple[Act, ...]:
    """The last act of each step of a case, in order of time; raises `UnknownCase`.

    Acts that were taken again after a return stand in the receipts, as events `services.StepTaken`.
    """
    return tuple(ctx.use(CaseView).case(identifier).acts)


def _page(ctx: Context, holder: str, state: str, after: tuple[int, bytes] | None, limit: int) -> Page:
    view = ctx.use(CaseView)
    lines = tuple(_line(view, identifier, case) for identifier, case in view.held_by(holder, state, after, limit))
    return Page(lines, (lines[-1].due, lines[-1].case) if len(lines) == limit else None)


def _line(view: CaseView, identifier: bytes, case: Case) -> CaseLine:
    running = case.status in {CaseStatus.OPEN, CaseStatus.SUSPENDED}
    roles = view.step_of(case).roles if running else ()
    if case.status is CaseStatus.APPEALED:
        roles = view.definition_of(case).appeal.roles
    return CaseLine(
        case=identifier,
        service=case.service,
        status=case.status,
        done=case.acts[-1] if case.acts else None,
        step=case.step if running else "",
        office=case.appeal or (case.office if running else ""),
        roles=roles,
        official=case.official,
        due=case.due,
        overdue=view.overdue(case),
        stop=case.stop,
        outcome=case.outcome,
        reasons=tuple(case.reasons),
    )
