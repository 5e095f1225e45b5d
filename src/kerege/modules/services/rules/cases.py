"""What a definition says about a message: pure formulas."""

from typing import TYPE_CHECKING

from kerege.modules.services import errors
from kerege.modules.services.types import Action, Case, CaseStatus, Outcome, ServiceDefinition, Step, Suspension

if TYPE_CHECKING:
    from kerege.modules.services.messages import Decide, Open


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
        claim=message.claim,
        content=message.content,
        parties=message.parties,
        evidence=[],
        acts=[],
        outcome="",
        reasons=[],
        appeal="",
        blind=message.blind,
    )


def action_of(step: Step, code: str, *, decides: bool) -> Action:
    """The step's action of this code; raises `UnknownAction`, also where it decides and should not, or the reverse."""
    for action in step.actions:
        if action.code == code and (action.kind == "decide") == decides:
            return action
    raise errors.UnknownAction(step=step.code, action=code)


def check_reasons(action: Action, reasons: list[str]) -> None:
    """Raise `ReasonsNeeded` unless the reasons are of the action's list, at least one where it has a list."""
    if any(reason not in action.reasons for reason in reasons) or (action.reasons and not reasons):
        raise errors.ReasonsNeeded(action=action.code)


def suspension_of(definition: ServiceDefinition, identifier: bytes, case: Case, cause: str) -> Suspension:
    """The suspension of this code, if the step allows it; raises `WrongStop`."""
    if cause in definition.step(case.step).suspensions:
        for suspension in definition.suspensions:
            if suspension.code == cause:
                return suspension
    raise errors.WrongStop(case=identifier, cause=cause)


def check_drafts(outcome: Outcome, message: "Decide") -> None:
    """Raise `DraftsDisagree` unless the decision brings just what its outcome writes."""
    brought = {
        "record": message.record is not None,
        "amendment": message.closes is not None and message.kind is not None and message.ground is not None,
        "certificate": message.papers_of is not None,
    }
    expected = {kind: kind == outcome.writes for kind in brought}
    loose = any(x is not None for x in (message.closes, message.kind, message.ground)) and not brought["amendment"]
    papers = all(paper.kind.value in outcome.certificates for paper in message.papers)
    needless = bool(message.persons) and outcome.writes != "record"
    missing = outcome.writes == "certificate" and not message.papers
    if brought != expected or loose or needless or missing or not papers:
        raise errors.DraftsDisagree(outcome=outcome.code, writes=outcome.writes)
