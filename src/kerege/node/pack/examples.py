"""Run the examples of a service: situations that a domain expert writes, checked against form and steps."""

from kerege.dossiers.forms import find_faults
from kerege.modules.services.rules import holds
from kerege.modules.services.types import REQUESTER, ServiceDefinition
from kerege.node.pack.check import world_of
from kerege.node.pack.errors import ExampleRefused
from kerege.node.pack.types import Example, ExampleFault, Pack


def check_examples(pack: Pack) -> int:
    """Run every example of every service and return how many ran; raises `ExampleRefused` for the first that fails."""
    count = 0
    for service in pack.services:
        for example in service.examples:
            file = f"services/{service.definition.code}/examples/{example.name}.yaml"
            _check_faults(pack, service.definition, example, file)
            _check_evidence(service.definition, example, file)
            _check_path(service.definition, example, file)
            count += 1
    return count


def _check_faults(pack: Pack, definition: ServiceDefinition, example: Example, file: str) -> None:
    world = world_of(pack, definition.code, example.on)
    found = tuple(
        ExampleFault(fault.field, fault.wrong.value, fault.detail)
        for fault in find_faults(definition, example.values, world)
    )
    if found != example.faults:
        raise ExampleRefused(file, "faults", ", ".join(f"{f.field}: {f.wrong} {f.detail}" for f in found) or "none")


def _check_evidence(definition: ServiceDefinition, example: Example, file: str) -> None:
    for evidence in definition.evidence:
        brought = any(kind in evidence.kinds for kind in example.evidence)
        if holds(evidence.required, example.values) and not brought and not example.faults and example.outcome:
            raise ExampleRefused(file, "evidence", evidence.code)
    known = {kind for evidence in definition.evidence for kind in evidence.kinds}
    for kind in example.evidence:
        if kind not in known:
            raise ExampleRefused(file, "evidence", kind)


def _check_path(definition: ServiceDefinition, example: Example, file: str) -> None:
    at = next((start.step for start in definition.starts if start.trigger == example.trigger), "")
    ends = {outcome.code for outcome in definition.outcomes}
    actors: dict[str, str] = {}
    values = {**example.values, "case.trigger": example.trigger, "case.service": definition.code}
    for number, done in enumerate(example.path):
        where = f"path.{number}"
        if done.step != at:
            raise ExampleRefused(file, where, f"the case is at {at}")
        step = definition.step(at)
        action = next((action for action in step.actions if action.code == done.action), None)
        if action is None or done.role not in step.roles or not holds(action.when, values):
            raise ExampleRefused(file, where, f"{done.role} may not {done.action} at {at}")
        if bool(action.reasons) != bool(done.reasons) or not set(done.reasons) <= set(action.reasons):
            raise ExampleRefused(file, where, f"reasons {', '.join(done.reasons)}")
        if done.role != REQUESTER:
            actors[at] = done.who
        at = action.to
    guard = definition.four_eyes
    if guard.mode == "required" and at in ends and actors.get(guard.first) == actors.get(guard.second):
        raise ExampleRefused(file, "path", f"{guard.first} and {guard.second} by the same person")
    if (at if at in ends else "") != example.outcome:
        raise ExampleRefused(file, "outcome", at)
