"""What a government service is, as data: who may ask, for what, who does which step until when, how it ends.

A definition is a value in state, changed only by publishing another version; the handlers of this module
know no service by name. Everything here is pure and frozen; codes only, since the texts in Kyrgyz, Russian and
English belong to the nation pack, under ids that follow from the codes (`text_ids`).

The field names follow the union of OpenCRVS, Open Zaak, GovStack Registration and CPSV-AP 3.2.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from kerege.kernel.errors import Refused
from kerege.kernel.types import Code, Count, Day
from kerege.modules.services.conditions import MAXIMUM_DEPTH, Condition, comparisons, depth_of, names_in

REQUESTER = "requester"
"""The holder of a step that waits for the person who asked: a role without an office and without an appointment."""

CASE_FACTS = ("case.trigger", "case.office_kind", "case.service")
"""Public facts of a case that a condition may read beside the fields."""

NO_CODE = ""
"""Stands where a code is optional and there is none."""

Optional = Annotated[str, Meta(max_length=64)]
"""A code, or the empty text for none."""

FieldKind = Literal[
    "text",  # free text in one of the state's languages
    "name",  # a person's name: letters, spaces, hyphens, apostrophes; never changed once stored
    "date",  # YYYY-MM-DD
    "number",  # a whole number without leading zeros
    "choice",  # one code of the field's choice list
    "country",  # ISO 3166-1 alpha-2
    "citizenship",  # ISO 3166-1 alpha-2, `stateless` or `unknown`
    "territory",  # a code of the state classifier, in force on the day it speaks of
    "pin",  # the national personal number, by the dated pattern
    "identifier",  # a number of a document or of a foreign register
    "office",  # a code of an office
    "random",  # 16 random bytes, 32 lower-case hex digits
    "file",  # anchor of a file in the dossier: HMAC, 64 lower-case hex digits
]

CertificateKind = Literal["primary", "repeat", "extract", "pin"]
"""The papers of a record: first, replacement, copy of what the record says, proof of the number allotted."""


class LegalBasis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The article that justifies a rule, and who would look it up finds it; or the admission that nobody has."""

    act: Annotated[str, Meta(max_length=300)]
    article: Annotated[str, Meta(max_length=100)]
    url: Annotated[str, Meta(max_length=300)]
    read_on: Day | None
    """The day on which a person read the article at that address."""
    unverified: bool
    """True: shown as such to everyone and counted by `make help-law`."""

    @property
    def complete(self) -> bool:
        """Whether act, article, address and day of reading are all there."""
        return bool(self.act and self.article and self.url.startswith("https://") and self.read_on is not None)


Bases = Annotated[tuple[LegalBasis, ...], Meta(min_length=1, max_length=8)]


class ChoiceList(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The values a field of kind `choice` may take."""

    code: Code
    values: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=64)]
    parameter: Optional
    """Dated parameter (a list of codes) that narrows the values on a day; empty: all of them, always."""


class Field(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One slot of what a record or a request says. Its place in the list is its place in the content root, for ever."""

    code: Code
    kind: FieldKind
    limit: Annotated[int, Meta(ge=1, le=2000)]
    """Longest value, in code points."""
    choices: Optional
    """The choice list of a field of kind `choice`; else empty."""
    asked: Condition
    """When the form shows the field; a field not asked is empty."""
    required: Condition
    """When an asked field may not be empty."""
    printed: tuple[CertificateKind, ...]
    """Certificates on whose face the value stands."""
    readers: tuple[Literal["institution", "subject"], ...]
    """Who may be shown the value after a request to look; validators and the public never."""


class Evidence(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A proof the request needs; any one of the kinds will do."""

    code: Code
    kinds: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=16)]
    required: Condition
    source: Literal["requester", "registry", "notification"]
    """Who brings it. `registry`: the state holds it already and may not ask for it again."""


class Rule(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Something that must be true of the values together, checked where they are seen in clear."""

    code: Code
    holds: Condition
    fields: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=8)]
    """Fields to look at when it is not."""


class Due(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A legal term: the number of days is a dated parameter."""

    parameter: Code
    days: Literal["working", "calendar"]


class Action(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Something the holder of a step may do with the case."""

    code: Code
    kind: Literal["advance", "return", "decide"]
    """To a later step, back to an earlier one, or to an outcome."""
    to: Code
    """A step, or for `decide` an outcome."""
    reasons: Annotated[tuple[Code, ...], Meta(max_length=64)]
    """Reason codes of which at least one must be given; empty: no reason is asked."""
    when: Condition
    """When the action is open, judged by the office that sees the values."""


class Step(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A stage of a case: who must act, where, until when."""

    code: Code
    roles: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=8)]
    """Any of these may act; `requester` stands alone."""
    office_kinds: Annotated[tuple[Code, ...], Meta(max_length=8)]
    """Kinds of office at which those roles act here; empty for the requester."""
    found: Literal["by-place", "by-request", "same-office", "by-requester"]
    """Which office: the one that serves a place, the one the requester names, the one that holds the case already,
    or none because the requester acts."""
    place_field: Optional
    """For `by-place`: the field whose territory decides."""
    due: Due
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=16)]
    suspensions: Annotated[tuple[Code, ...], Meta(max_length=16)]
    """Causes for which the holder may stop the clock here."""
    lapse: Optional
    """Outcome when the requester lets the term pass; empty: an overdue step stays open, and everyone sees it."""


class Suspension(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A cause that stops the clock: never without an owner and an end."""

    code: Code
    owner: Literal["requester", "office", "other-body"]
    """Who caused it, shown to the requester."""
    limit: Due
    then: Optional
    """Outcome when the limit passes; empty: the clock runs again."""


class Start(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How a case begins, by whom, and with which step."""

    trigger: Literal["request", "notification", "order", "office"]
    requesters: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=16)]
    step: Code


class Outcome(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An end of a case and what it leaves behind."""

    code: Code
    kind: Literal["granted", "refused", "withdrawn", "lapsed"]
    writes: Literal["nothing", "record", "amendment", "certificate"]
    """What the outcome does in the registry: opens a record, amends one, only issues a paper of one, or nothing."""
    certificates: tuple[CertificateKind, ...]
    retention: Literal["permanent", "erasable"]
    """How long the dossier is kept: acts for ever, the rest until its term ends."""


class FourEyes(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Whether two officials must have acted: who acts in the second step is not who acted in the first."""

    mode: Literal["required", "sampled", "none"]
    percent: Annotated[int, Meta(ge=0, le=100)]
    """For `sampled`: how many cases of a hundred; else 0."""
    first: Optional
    second: Optional
    """Steps; empty for `none`."""
    legal_basis: Bases


class Fee(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An amount due; how much is a dated parameter, in minor units of its currency."""

    code: Code
    parameter: Code
    currency: Code
    due: Literal["before-decision", "after-decision"]
    when: Condition
    legal_basis: Bases


class Appeal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """To whom and until when a decision may be challenged."""

    to: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=4)]
    """Institutions, first instance first."""
    due: Due
    legal_basis: Bases


class Publication(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What anybody may know of cases of this service."""

    public: tuple[Literal["status", "office", "role", "deadline", "suspension", "outcome-kind", "counts"], ...]
    smallest_count: Count
    """Counts below this are not published, since few cases name a person."""


class ServiceDefinition(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One version of a public service."""

    code: Code
    version: Annotated[int, Meta(ge=1, le=2**31)]
    valid_from: Day
    valid_to: Day | None
    """Last day on which a case may begin under this version."""
    registry: Code
    """The register that outcomes write."""
    legal_basis: Bases
    starts: Annotated[tuple[Start, ...], Meta(min_length=1, max_length=8)]
    choice_lists: Annotated[tuple[ChoiceList, ...], Meta(max_length=128)]
    record_fields: Annotated[tuple[Field, ...], Meta(max_length=256)]
    """Content slots of the record: the same list, in the same order, for every service that writes this register."""
    request_fields: Annotated[tuple[Field, ...], Meta(max_length=128)]
    """What the request says beside the record's content: kept in the dossier, committed with the case."""
    rules: Annotated[tuple[Rule, ...], Meta(max_length=64)]
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=32)]
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=32)]
    suspensions: Annotated[tuple[Suspension, ...], Meta(max_length=32)]
    outcomes: Annotated[tuple[Outcome, ...], Meta(min_length=1, max_length=16)]
    withdrawal: Optional
    """Outcome when the requester withdraws before the decision; empty: it cannot be withdrawn."""
    four_eyes: FourEyes
    assignment: Literal["claim", "turn"]
    """Within an office: officials take cases from the queue, or the ledger deals them in turn."""
    fees: Annotated[tuple[Fee, ...], Meta(max_length=8)]
    appeal: Appeal
    publication: Publication

    @property
    def asked_fields(self) -> tuple[Field, ...]:
        """What a request fills in: the record's content too, unless the service only issues papers of a record."""
        writes_content = any(outcome.writes in {"record", "amendment"} for outcome in self.outcomes)
        return (self.record_fields if writes_content else ()) + self.request_fields

    def step(self, code: str) -> Step:
        """The step of this code; raises `UnknownName`."""
        return _named(self.steps, code, "steps")

    def outcome(self, code: str) -> Outcome:
        """The outcome of this code; raises `UnknownName`."""
        return _named(self.outcomes, code, "outcomes")

    def field(self, code: str) -> Field:
        """The field of this code, of the record or of the request; raises `UnknownName`."""
        return _named(self.record_fields + self.request_fields, code, "fields")


T = TypeVar("T", Step, Outcome, Field, Suspension)


class Known(Struct, frozen=True):
    """Names outside a definition that it may use: what the country has on that day."""

    roles: Collection[str]
    office_kinds: Collection[str]
    institutions: Collection[str]
    parameters: Collection[str]
    currencies: Collection[str]


# Refusals of a definition, numbered in the module's range 40-49.


class CodeTwice(Refused, code="services.40"):
    """Two things of one list have the same code."""

    where: str
    name: str


class UnknownName(Refused, code="services.41"):
    """The definition uses a name that stands for nothing."""

    where: str
    name: str


class DeadEnd(Refused, code="services.42"):
    """From this step no chain of actions reaches an outcome: a case would stay for ever."""

    step: str


class NotReached(Refused, code="services.43"):
    """No case ever comes here: the step or outcome is an error or a leftover."""

    where: str
    name: str


class ConditionTooDeep(Refused, code="services.44"):
    """A condition nests deeper than a person can read."""

    where: str
    depth: int
    limit: int


class BasisIncomplete(Refused, code="services.45"):
    """A legal basis lacks act, article, address or day of reading and does not say that it is unverified."""

    where: str


class PeriodEmpty(Refused, code="services.46"):
    """The last day of validity lies before the first."""

    valid_from: int
    valid_to: int


class GuardWithoutEffect(Refused, code="services.47"):
    """The four-eyes rule does not name what it needs: two different steps that officials hold, a share from 1 to 99."""

    reason: str


class PartsDisagree(Refused, code="services.48"):
    """Two statements about one thing contradict each other."""

    where: str
    reason: str


def encode_definition(definition: ServiceDefinition) -> bytes:
    """Canonical bytes: one byte string per definition."""
    return msgspec.msgpack.encode(definition)


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


def _named(things: tuple[T, ...], code: str, where: str) -> T:
    for thing in things:
        if thing.code == code:
            return thing
    raise UnknownName(where=where, name=code)


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
    if step.place_field and definition.field(step.place_field).kind != "territory":
        raise PartsDisagree(where=where, reason="the place field is not of kind territory")
    for cause in step.suspensions:
        _named(definition.suspensions, cause, where)
    _check_outcome(definition, step.lapse, "lapsed", f"{where}.lapse")
    for action in step.actions:
        _check_action(definition, step, action)


def _check_action(definition: ServiceDefinition, step: Step, action: Action) -> None:
    where = f"steps.{step.code}.actions.{action.code}"
    if action.kind != "decide":
        _named(definition.steps, action.to, where)
        return
    outcome = _named(definition.outcomes, action.to, where)
    if REQUESTER in step.roles:
        raise PartsDisagree(where=where, reason="the requester does not decide")
    if outcome.kind not in {"granted", "refused"}:
        raise PartsDisagree(where=where, reason="a decision grants or refuses")
    if outcome.kind == "refused" and not action.reasons:
        raise PartsDisagree(where=where, reason="a refusal has reasons to choose from")


def _check_outcome(definition: ServiceDefinition, code: str, kind: str, where: str) -> None:
    if code and _named(definition.outcomes, code, where).kind != kind:
        raise PartsDisagree(where=where, reason=f"the outcome is not of kind {kind}")


def _check_ends(definition: ServiceDefinition) -> None:
    """Every step is reached from a start and reaches a decision; every outcome is reached."""
    for start in definition.starts:
        _named(definition.steps, start.step, f"starts.{start.trigger}")
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


def _outside_names(definition: ServiceDefinition, known: Known) -> Iterator[tuple[str, str, Collection[str]]]:
    """(place, name, names known) for everything the definition takes from outside."""
    for choices in definition.choice_lists:
        if choices.parameter:
            yield f"choice_lists.{choices.code}", choices.parameter, known.parameters
    for step in definition.steps:
        where = f"steps.{step.code}"
        yield where, step.due.parameter, known.parameters
        yield from ((where, role, known.roles) for role in step.roles if role != REQUESTER)
        yield from ((where, kind, known.office_kinds) for kind in step.office_kinds)
    for cause in definition.suspensions:
        yield f"suspensions.{cause.code}", cause.limit.parameter, known.parameters
    for fee in definition.fees:
        yield f"fees.{fee.code}", fee.parameter, known.parameters
        yield f"fees.{fee.code}", fee.currency, known.currencies
    yield "appeal", definition.appeal.due.parameter, known.parameters
    yield from (("appeal", name, known.institutions) for name in definition.appeal.to)
