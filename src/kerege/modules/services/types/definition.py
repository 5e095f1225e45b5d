"""What a government service is, as data: who may ask, for what, who does which step until when, how it ends.

A definition is a value in state, changed only by publishing another version; the handlers of this module
know no service by name. Everything here is pure and frozen; codes only, since the texts in Kyrgyz, Russian and
English belong to the nation pack, under ids that follow from the codes (`text_ids`).

The field names follow the union of OpenCRVS, Open Zaak, GovStack Registration and CPSV-AP 3.2.
"""

from collections.abc import Collection
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct

from kerege.kernel.types import Code, Count, Day
from kerege.modules.services.errors import UnknownName
from kerege.modules.services.types.conditions import Condition

REQUESTER = "requester"
"""The holder of a step that waits for the person who asked: a role without an office and without an appointment."""

CASE_FACTS = ("case.trigger", "case.office_kind", "case.service")
"""Public facts of a case that a condition may read beside the fields."""

NO_CODE = ""
"""Stands where a code is optional and there is none."""

Optional = Annotated[str, Meta(max_length=64, pattern=r"\A[0-9A-Za-zА-Яа-яЁёӨөҮүҢң._:/-]*\Z", extra={"form": "code"})]
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
    """To whom and until when a decision may be challenged, who rules, until when."""

    to: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=4)]
    """Institutions, first instance first."""
    roles: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=8)]
    """Who rules there, in any of these roles."""
    due: Due
    """Until when the requester may appeal, from the decision or from the ruling before."""
    ruling: Due
    """Until when the body appealed to rules."""
    legal_basis: Bases


class Publication(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What anybody may know of cases of this service."""

    public: tuple[Literal["status", "office", "role", "deadline", "suspension", "outcome-kind", "counts"], ...]
    smallest_count: Count
    """Counts below this are not published, since few cases name a person."""


T = TypeVar("T", Step, Outcome, Field, Suspension)


def named(things: tuple[T, ...], code: str, where: str) -> T:
    """The thing of this code in a list; raises `UnknownName`."""
    for thing in things:
        if thing.code == code:
            return thing
    raise UnknownName(where=where, name=code)


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
    """Within an office: officials take cases from the queue as they choose, or whoever asks is dealt the one that is
    due first and works on no case that was not dealt."""
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
        return named(self.steps, code, "steps")

    def outcome(self, code: str) -> Outcome:
        """The outcome of this code; raises `UnknownName`."""
        return named(self.outcomes, code, "outcomes")

    def field(self, code: str) -> Field:
        """The field of this code, of the record or of the request; raises `UnknownName`."""
        return named(self.record_fields + self.request_fields, code, "fields")


class Known(Struct, frozen=True):
    """Names outside a definition that it may use: what the country has on that day."""

    roles: Collection[str]
    office_kinds: Collection[str]
    institutions: Collection[str]
    parameters: Collection[str]
    currencies: Collection[str]
