"""What a definition says about a message, and what follows for a case: pure formulas."""

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.modules.services import errors
from kerege.modules.services.types import (
    REQUESTER,
    Act,
    Action,
    Case,
    CaseStatus,
    Fee,
    Outcome,
    ServiceDefinition,
    Step,
    Suspension,
)

if TYPE_CHECKING:
    from kerege.modules.services.messages import Decide, Open

RUNNING = (CaseStatus.OPEN, CaseStatus.SUSPENDED)
"""Before an end."""

BODY = "@"
"""Before an institution's code: a body of appeal as holder, in the index by holder. No code of an office has it."""


def start_of(definition: ServiceDefinition, code: str) -> Step:
    """The step, if a case may begin with it; raises `WrongStart`."""
    if all(start.step != code for start in definition.starts):
        raise errors.WrongStart(service=definition.code, step=code)
    return definition.step(code)


def new_case(definition: ServiceDefinition, message: "Open", requester: bytes | None, now: int) -> Case:
    """A case as it begins, before its office and deadline are known."""
    return Case(
        service=definition.code,
        version=definition.version,
        status=CaseStatus.OPEN,
        step=message.step,
        office="",
        official=None,
        opened=now,
        due=now,
        stop=None,
        requester=requester,
        claim=message.claim if requester is None else None,
        content=message.content,
        parties=message.parties,
        evidence=[],
        acts=[],
        guarded={"required": True, "sampled": None, "none": False}[definition.four_eyes.mode],
        paid=[],
        outcome="",
        reasons=[],
        kind=None,
        ground=None,
        appeal="",
        heard=0,
        blind=message.blind,
    )


def action_of(step: Step, code: str, *, decides: bool) -> Action:
    """The step's action of this code; raises `UnknownAction`, also where it decides and should not, or the reverse."""
    for action in step.actions:
        if action.code == code and (action.kind == "decide") == decides:
            return action
    raise errors.UnknownAction(step=step.code, action=code)


def check_reasons(action: Action, reasons: list[str]) -> None:
    """Raise `ReasonsNeeded` unless reasons are of the action's list, none twice, at least one where it has a list."""
    known = all(reason in action.reasons for reason in reasons)
    once = len(dict.fromkeys(reasons)) == len(reasons)
    if not known or not once or (action.reasons and not reasons):
        raise errors.ReasonsNeeded(action=action.code)


def suspension_of(definition: ServiceDefinition, identifier: bytes, case: Case, cause: str) -> Suspension:
    """The suspension of this code, if the step allows it; raises `WrongStop`."""
    if cause in definition.step(case.step).suspensions:
        for suspension in definition.suspensions:
            if suspension.code == cause:
                return suspension
    raise errors.WrongStop(case=identifier, cause=cause)


# Acts


def with_act(case: Case, act: Act) -> Case:
    """The case with the act as the last of its step."""
    return replace(case, acts=[*(each for each in case.acts if each.step != act.step), act])


def office_of(case: Case, step: str = "") -> str:
    """The office that acted last, or last in a step; empty where none did."""
    offices = [act.office for act in case.acts if act.office and step in {"", act.step}]
    return offices[-1] if offices else ""


def handled_by(case: Case, account: bytes) -> bool:
    """Whether the account acted in the case as an official."""
    return any(act.account == account and act.role != REQUESTER for act in case.acts)


def drawn(identifier: bytes, transaction: bytes, height: int, time: int, percent: int) -> bool:
    """Whether chance asks for two officials in this case: drawn once, when the first of the two steps is taken.

    The official who takes it chooses case and transaction, but not the time in milliseconds and the height at which
    the ledger executes it, so cannot choose the draw. Floor of a 32-bit number modulo 100; the bias is below 10⁻⁷.
    """
    told = identifier + transaction + height.to_bytes(8, "big") + time.to_bytes(8, "big")
    return int.from_bytes(sha256(b"kerege/sample/2" + told).digest()[:4], "big") % 100 < percent


# Time


def days_left(today: int, last: int, works: Callable[[int], bool] | None) -> int:
    """Days of a term after today up to its last day: working ones where `works` tells them, else all; at least 0."""
    rest = range(today + 1, last + 1)
    return len(rest) if works is None else sum(1 for day in rest if works(day))


# Queue


def place_of(case: Case, identifier: bytes) -> tuple[str, str, int, bytes] | None:
    """Where a case stands in the queues: holder, state, deadline, id; None where no office and no body holds it."""
    if case.status is CaseStatus.APPEALED:
        return BODY + case.appeal, "appealed", case.due, identifier
    if case.status not in RUNNING or not case.office:
        return None
    state = "free" if case.official is None else "taken"
    return case.office, "stopped" if case.status is CaseStatus.SUSPENDED else state, case.due, identifier


# Decisions


def check_drafts(definition: ServiceDefinition, outcome: Outcome, message: "Decide") -> None:
    """Raise `DraftsDisagree` unless the decision brings just what its outcome writes, for this register and service."""
    record, papers = message.record, message.papers
    brought = {
        "record": record is not None,
        "amendment": message.closes is not None and message.kind is not None and message.ground is not None,
        "certificate": message.papers_of is not None and bool(papers),
    }
    parts = [record, message.closes, message.kind, message.ground, message.papers_of]
    expected = {"record": 1, "amendment": 3, "certificate": 1, "nothing": 0}[outcome.writes]
    fits = (
        all(fits == (kind == outcome.writes) for kind, fits in brought.items())
        and sum(part is not None for part in parts) == expected
        and (not papers or outcome.writes in {"record", "certificate"})
        and (not message.persons or outcome.writes == "record")
        and all(paper.kind.value in outcome.certificates and paper.service == definition.code for paper in papers)
        and (record is None or record.registry == definition.registry)
    )
    if not fits:
        raise errors.DraftsDisagree(outcome=outcome.code, writes=outcome.writes)


def check_fees(definition: ServiceDefinition, identifier: bytes, case: Case, outcome: Outcome) -> None:
    """Raise `FeeUnpaid` where something is granted before a fee that everyone owes was paid.

    A fee whose condition reads values is judged by the office, which sees them.
    """
    paid = [payment.fee for payment in case.paid]
    for fee in definition.fees:
        owed = fee.due == "before-decision" and fee.when is True
        if outcome.kind == "granted" and owed and fee.code not in paid:
            raise errors.FeeUnpaid(case=identifier, fee=fee.code)


def fee_of(definition: ServiceDefinition, identifier: bytes, case: Case, code: str) -> Fee:
    """The fee of this code while it is to be paid; raises `UnknownFee`."""
    for fee in definition.fees:
        if fee.code == code and all(payment.fee != code for payment in case.paid):
            return fee
    raise errors.UnknownFee(case=identifier, fee=code)
