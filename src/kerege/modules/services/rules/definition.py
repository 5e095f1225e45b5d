"""When a definition is sound: nothing in it contradicts itself, every step leads to an end, all names are known."""

from collections.abc import Callable, Collection, Iterator

from kerege.kernel.codec import encode
from kerege.modules.services.errors import (
    BasisIncomplete,
    CodeTwice,
    ConditionTooDeep,
    DeadEnd,
    GuardWithoutEffect,
    NotReached,
    PartsDisagree,
    PeriodEmpty,
    UnknownName,
)
from kerege.modules.services.rules.conditions import comparisons, depth_of, names_in
from kerege.modules.services.types import (
    CASE_FACTS,
    MAXIMUM_DEPTH,
    REQUESTER,
    Action,
    Condition,
    Known,
    LegalBasis,
    ServiceDefinition,
    Step,
    named,
)


def encode_definition(definition: ServiceDefinition) -> bytes:
    """Canonical bytes: one byte string per definition."""
    return encode(definition)


def check_definition(definition: ServiceDefinition) -> None:
    """Refuse a definition that contradicts itself; what it needs from outside is `check_names`.

    Raises the refusals `services.40` to `services.48`, the first that applies.
    """
    _check_period(definition)
    for where, codes in _code_lists(definition):
        _check_once(where, codes)
    for where, basis in legal_bases(definition):
        if not basis.unverified and not basis.complete:
            raise BasisIncomplete(where=where)
    _check_fields(definition)
    for where, condition in _conditions(definition):
        _check_condition(definition, where, condition)
    for step in definition.steps:
        _check_step(definition, step)
    for suspension in definition.suspensions:
        if suspension.then:
            definition.outcome(suspension.then)
    _check_outcome(definition, definition.withdrawal, "withdrawn", "withdrawal")
    _check_ends(definition)
    _check_four_eyes(definition)
    _check_amendments(definition)


def check_names(definition: ServiceDefinition, known: Known) -> None:
    """Refuse a definition that uses a role, office kind, institution, parameter or currency that nobody knows.

    Raises `UnknownName`.
    """
    for where, name, names in _outside_names(definition, known):
        if name not in names:
            raise UnknownName(where=where, name=name)


def legal_bases(definition: ServiceDefinition) -> Iterator[tuple[str, LegalBasis]]:
    """Every legal basis with the place where it stands."""
    places: list[tuple[str, tuple[LegalBasis, ...]]] = [
        ("legal_basis", definition.legal_basis),
        ("four_eyes.legal_basis", definition.four_eyes.legal_basis),
        ("appeal.legal_basis", definition.appeal.legal_basis),
    ]
    places += [(f"fees.{fee.code}.legal_basis", fee.legal_basis) for fee in definition.fees]
    for where, bases in places:
        for basis in bases:
            yield where, basis


def parameters_of(definition: ServiceDefinition) -> Iterator[tuple[str, str]]:
    """(place, name) of every dated parameter that the definition reads."""
    for choices in definition.choice_lists:
        if choices.parameter:
            yield f"choice_lists.{choices.code}", choices.parameter
    for step in definition.steps:
        yield f"steps.{step.code}", step.due.parameter
    for cause in definition.suspensions:
        yield f"suspensions.{cause.code}", cause.limit.parameter
    for fee in definition.fees:
        yield f"fees.{fee.code}", fee.parameter
    yield "appeal", definition.appeal.due.parameter
    yield "appeal", definition.appeal.ruling.parameter


def text_ids(definition: ServiceDefinition) -> tuple[str, ...]:
    """Ids of the texts that the definition needs in every language of the state, each once, in order of appearance."""
    service, registry = definition.code, definition.registry
    ids = [f"services.{service}", f"services.{service}.purpose"]
    ids += [f"fields.{registry}.{field.code}" for field in definition.record_fields]
    ids += [f"fields.{service}.{field.code}" for field in definition.request_fields]
    ids += [f"choices.{choices.code}.{value}" for choices in definition.choice_lists for value in choices.values]
    ids += [f"rules.{definition.registry}.{rule.code}" for rule in definition.rules]
    ids += [f"requesters.{name}" for start in definition.starts for name in start.requesters]
    ids += [f"evidence.{name}" for evidence in definition.evidence for name in (evidence.code, *evidence.kinds)]
    for step in definition.steps:
        ids.append(f"steps.{service}.{step.code}")
        for action in step.actions:
            ids.append(f"actions.{service}.{step.code}.{action.code}")
            ids += [f"reasons.{reason}" for reason in action.reasons]
    ids += [f"suspensions.{suspension.code}" for suspension in definition.suspensions]
    ids += [f"outcomes.{service}.{outcome.code}" for outcome in definition.outcomes]
    ids += [f"certificates.{registry}.{kind}" for outcome in definition.outcomes for kind in outcome.certificates]
    ids += [f"fees.{fee.code}" for fee in definition.fees]
    return tuple(dict.fromkeys(ids))


def _check_period(definition: ServiceDefinition) -> None:
    if definition.valid_to is not None and definition.valid_to < definition.valid_from:
        raise PeriodEmpty(valid_from=definition.valid_from, valid_to=definition.valid_to)


def _code_lists(definition: ServiceDefinition) -> Iterator[tuple[str, list[str]]]:
    """Every list in which a code may stand once."""
    yield "fields", [field.code for field in definition.record_fields + definition.request_fields]
    yield "choice_lists", [choices.code for choices in definition.choice_lists]
    for choices in definition.choice_lists:
        yield f"choice_lists.{choices.code}", list(choices.values)
    yield "rules", [rule.code for rule in definition.rules]
    yield "evidence", [evidence.code for evidence in definition.evidence]
    yield "suspensions", [suspension.code for suspension in definition.suspensions]
    yield "fees", [fee.code for fee in definition.fees]
    yield "steps and outcomes", [stage.code for stage in definition.steps + definition.outcomes]
    yield "starts", [start.trigger for start in definition.starts]
    for step in definition.steps:
        yield f"steps.{step.code}.actions", [action.code for action in step.actions]
        yield f"steps.{step.code}.suspensions", list(step.suspensions)
        for action in step.actions:
            yield f"steps.{step.code}.actions.{action.code}.reasons", list(action.reasons)


def _check_once(where: str, codes: list[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise CodeTwice(where=where, name=code)
        seen.add(code)


def _check_fields(definition: ServiceDefinition) -> None:
    lists = {choices.code for choices in definition.choice_lists}
    for field in definition.record_fields + definition.request_fields:
        where = f"fields.{field.code}"
        if (field.kind == "choice") != bool(field.choices):
            raise PartsDisagree(where=where, reason="a choice list belongs to a field of kind choice, and to no other")
        if field.choices and field.choices not in lists:
            raise UnknownName(where=where, name=field.choices)
    for rule in definition.rules:
        for name in rule.fields:
            definition.field(name)
    for field in definition.request_fields:
        if field.printed:
            raise PartsDisagree(where=f"fields.{field.code}", reason="a certificate shows fields of the record only")


def _conditions(definition: ServiceDefinition) -> Iterator[tuple[str, Condition]]:
    for field in definition.record_fields + definition.request_fields:
        yield f"fields.{field.code}.asked", field.asked
        yield f"fields.{field.code}.required", field.required
    for rule in definition.rules:
        yield f"rules.{rule.code}.holds", rule.holds
    for evidence in definition.evidence:
        yield f"evidence.{evidence.code}.required", evidence.required
    for fee in definition.fees:
        yield f"fees.{fee.code}.when", fee.when
    for step in definition.steps:
        for action in step.actions:
            yield f"steps.{step.code}.actions.{action.code}.when", action.when


def _check_condition(definition: ServiceDefinition, where: str, condition: Condition) -> None:
    depth = depth_of(condition)
    if depth > MAXIMUM_DEPTH:
        raise ConditionTooDeep(where=where, depth=depth, limit=MAXIMUM_DEPTH)
    for name in names_in(condition):
        if name not in CASE_FACTS:
            definition.field(name)
    for name, text in comparisons(condition):
        choices = "" if name in CASE_FACTS else definition.field(name).choices
        values = next((listed.values for listed in definition.choice_lists if listed.code == choices), None)
        if values is not None and text and text not in values:
            raise UnknownName(where=where, name=text)


def _check_step(definition: ServiceDefinition, step: Step) -> None:
    where = f"steps.{step.code}"
    alone = step.roles == (REQUESTER,)
    if REQUESTER in step.roles and not alone:
        raise PartsDisagree(where=where, reason="the requester shares a step with no official")
    if alone != (not step.office_kinds) or alone != (step.found == "by-requester"):
        raise PartsDisagree(where=where, reason="an official acts at an office, the requester at none")
    if (step.found == "by-place") != bool(step.place_field):
        raise PartsDisagree(where=where, reason="a place field belongs to an office found by place")
    if alone and step.suspensions:
        raise PartsDisagree(where=where, reason="the requester does not stop the clock")
    if step.place_field and definition.field(step.place_field).kind != "territory":
        raise PartsDisagree(where=where, reason="the place field is not of kind territory")
    for cause in step.suspensions:
        named(definition.suspensions, cause, where)
    _check_outcome(definition, step.lapse, "lapsed", f"{where}.lapse")
    for action in step.actions:
        _check_action(definition, step, action)


def _check_action(definition: ServiceDefinition, step: Step, action: Action) -> None:
    where = f"steps.{step.code}.actions.{action.code}"
    if action.kind != "decide":
        order = [each.code for each in definition.steps]
        named(definition.steps, action.to, where)
        if (order.index(action.to) > order.index(step.code)) != (action.kind == "advance") or action.to == step.code:
            raise PartsDisagree(where=where, reason="an advance leads to a later step, a return to an earlier one")
        return
    outcome = named(definition.outcomes, action.to, where)
    if REQUESTER in step.roles:
        raise PartsDisagree(where=where, reason="the requester does not decide")
    if outcome.kind not in {"granted", "refused"}:
        raise PartsDisagree(where=where, reason="a decision grants or refuses")
    if outcome.kind == "refused" and not action.reasons:
        raise PartsDisagree(where=where, reason="a refusal has reasons to choose from")


def _check_outcome(definition: ServiceDefinition, code: str, kind: str, where: str) -> None:
    if code and named(definition.outcomes, code, where).kind != kind:
        raise PartsDisagree(where=where, reason=f"the outcome is not of kind {kind}")


def _check_ends(definition: ServiceDefinition) -> None:
    """Every step is reached from a start and reaches a decision; every outcome is reached."""
    for start in definition.starts:
        named(definition.steps, start.step, f"starts.{start.trigger}")
    following = {step.code: [action.to for action in step.actions] for step in definition.steps}
    reached = _closure([start.step for start in definition.starts], lambda code: following.get(code, []))
    for step in definition.steps:
        if step.code not in reached:
            raise NotReached(where="steps", name=step.code)
    ending = {outcome.code for outcome in definition.outcomes}
    for step in definition.steps:
        if ending.isdisjoint(_closure([step.code], lambda code: following.get(code, []))):
            raise DeadEnd(step=step.code)
    reached |= {step.lapse for step in definition.steps} | {cause.then for cause in definition.suspensions}
    reached.add(definition.withdrawal)
    for outcome in definition.outcomes:
        if outcome.code not in reached:
            raise NotReached(where="outcomes", name=outcome.code)


def _closure(first: list[str], following: Callable[[str], list[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(first)
    while waiting:
        code = waiting.pop()
        if code not in reached:
            reached.add(code)
            waiting.extend(following(code))
    return reached


def _check_four_eyes(definition: ServiceDefinition) -> None:
    guard = definition.four_eyes
    if guard.mode == "none":
        if guard.percent or guard.first or guard.second:
            raise GuardWithoutEffect(reason="none needs no share and no steps")
        return
    if (guard.mode == "sampled") != (0 < guard.percent < 100):  # noqa: PLR2004 - of a hundred
        raise GuardWithoutEffect(reason="a sample is 1 to 99 of a hundred, and only a sample has a share")
    if guard.first == guard.second:
        raise GuardWithoutEffect(reason="the two steps are one")
    for code in (guard.first, guard.second):
        if REQUESTER in definition.step(code).roles:
            raise GuardWithoutEffect(reason="the requester is not one of two officials")
    around = {step.code: [a.to for a in step.actions if a.to != guard.first] for step in definition.steps}
    begins = [start.step for start in definition.starts if start.step != guard.first]
    if guard.second in _closure(begins, lambda code: around.get(code, [])):
        raise GuardWithoutEffect(reason="a way leads around the first step")


def _check_amendments(definition: ServiceDefinition) -> None:
    """What amends a register is decided in the second step of a guard that is required."""
    guard = definition.four_eyes
    amends = {outcome.code for outcome in definition.outcomes if outcome.writes == "amendment"}
    for step in definition.steps:
        decides = any(action.kind == "decide" and action.to in amends for action in step.actions)
        if decides and not (guard.mode == "required" and guard.second == step.code):
            raise GuardWithoutEffect(reason="an amendment is decided by a second official")


def _outside_names(definition: ServiceDefinition, known: Known) -> Iterator[tuple[str, str, Collection[str]]]:
    """(place, name, names known) for everything the definition takes from outside."""
    yield from ((where, name, known.parameters) for where, name in parameters_of(definition))
    for step in definition.steps:
        where = f"steps.{step.code}"
        yield from ((where, role, known.roles) for role in step.roles if role != REQUESTER)
        yield from ((where, kind, known.office_kinds) for kind in step.office_kinds)
    for fee in definition.fees:
        yield f"fees.{fee.code}", fee.currency, known.currencies
    yield from (("appeal", role, known.roles) for role in definition.appeal.roles)
    yield from (("appeal", name, known.institutions) for name in definition.appeal.to)
