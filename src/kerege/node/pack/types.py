"""A nation pack as read: everything a country says about itself before the first block. Data only, no rule."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kerege.dossiers.forms import NameForm
from kerege.gateways.extracts.profile import Profile
from kerege.kernel.types import Code, Currency, Day
from kerege.modules.services.types import LegalBasis, ServiceDefinition

Names = dict[str, str]
"""One name per language of the nation."""

Value = bool | Annotated[int, Meta(ge=0, le=2**63 - 1)] | str | tuple[str, ...]
"""What a dated parameter may be."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class CurrencyOf(Struct, frozen=True):
    """A unit of account of the country."""

    code: Currency
    decimals: Annotated[int, Meta(ge=0, le=8)]
    names: Names


class Nation(Struct, frozen=True):
    """The country itself."""

    code: Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9]{1,15}\Z")]
    names: Names
    prefix: Annotated[str, Meta(pattern=r"\A[a-z]{2,10}\Z")]
    """First part of every address."""
    offset_minutes: Annotated[int, Meta(ge=-900, le=900)]
    """Local date = block time plus this many minutes."""
    languages: Annotated[tuple[Annotated[str, Meta(pattern=r"\A[a-z]{2,3}\Z")], ...], Meta(min_length=1, max_length=8)]
    """The first is the state language: other texts follow its placeholders."""
    currency: Currency
    currencies: Annotated[tuple[CurrencyOf, ...], Meta(min_length=1, max_length=32)]
    rest_days: Annotated[tuple[Weekday, ...], Meta(max_length=6)]
    services: Annotated[tuple[str, ...], Meta(max_length=500)]
    """Folders under `services/`; one that others take fields from stands before them."""

    @property
    def rest_weekdays(self) -> tuple[int, ...]:
        """Weekly rest days as `kernel.days.weekday` counts: 0 Monday … 6 Sunday."""
        return tuple(_WEEK.index(day) for day in self.rest_days)


class Institution(Struct, frozen=True):
    """A body of the state."""

    code: Code
    names: Names
    parent: str
    """The body it belongs to; empty for none."""
    roles: tuple[Code, ...]
    """Roles to which it appoints."""


class ValidatorBody(Struct, frozen=True):
    """An institution that signs blocks where the ledger is replicated, and has a seat on the consensus board."""

    institution: Code
    role: Code
    """Whose holder speaks for it on that board."""


class OfficeKind(Struct, frozen=True):
    """A sort of office; its text is `office-kinds.<code>`."""

    code: Code
    institution: Code
    roles: tuple[Code, ...]
    """Roles held at such an office."""
    stands: Literal["territory", "abroad", "nation"]
    """Serves a unit of the territory, stands in another country, or serves the whole nation."""


class Office(Struct, frozen=True):
    """One office, dated."""

    code: Code
    kind: Code
    institution: Code
    territory: str
    """Unit of the territory it serves; empty abroad."""
    country: str
    """ISO 3166-1 alpha-2, where it stands."""
    names: Names
    valid_from: Day | None
    valid_to: Day | None
    illustrative: bool
    """True: real in kind, invented as this office; to be replaced by the owner's list."""


class Role(Struct, frozen=True):
    """A named entitlement; texts `roles.<code>` and `roles.<code>.duty`."""

    code: Code
    duties: Annotated[
        tuple[
            Literal[
                "notify",
                "accept",
                "register",
                "supervise",
                "appoint",
                "order",
                "allocate-pins",
                "keep-blanks",
                "import",
                "audit",
                "relay",
                "protect-data",
                "assess",
                "license",
                "issue-money",
                "keep-accounts",
                "operate",
            ],
            ...,
        ],
        Meta(min_length=1),
    ]
    sees_values: bool
    """Whether a holder may be shown values of a dossier, after a request to look is on the ledger."""


class Territory(Struct, frozen=True):
    """One version of one unit of the territory."""

    code: Code
    kind: Literal["state", "oblast", "city", "raion", "aimak", "village"]
    names: Names
    parent: str
    valid_from: Day | None
    valid_to: Day | None


class Dated(Struct, frozen=True):
    """A value from a day on, until the next one."""

    valid_from: Day | None
    """None: from the beginning of the ledger."""
    value: Value
    legal_basis: Annotated[tuple[LegalBasis, ...], Meta(min_length=1, max_length=8)]


class Parameter(Struct, frozen=True):
    """A rule's number or list, dated; its text is `parameters.<name>`."""

    name: Code
    unit: Code
    history: Annotated[tuple[Dated, ...], Meta(min_length=1, max_length=200)]

    def on(self, day: int) -> Dated | None:
        """What is in force on a day; None before the first."""
        found = None
        for entry in self.history:
            if entry.valid_from is None or entry.valid_from <= day:
                found = entry
        return found


class Holiday(Struct, frozen=True):
    """A date that differs from its weekday; its text is `holidays.<code>`."""

    day: Day
    kind: Literal["holiday", "day-off", "working-day"]
    code: Code
    legal_basis: LegalBasis
    source: str
    """Where the date was published; empty where only the act says it."""

    @property
    def works(self) -> bool:
        """Whether offices work on this date."""
        return self.kind == "working-day"


class ExampleStep(Struct, frozen=True):
    """Somebody does something with the case."""

    who: str
    """A name for the person, so that the four-eyes rule can be seen."""
    role: Code
    step: Code
    action: Code
    reasons: tuple[Code, ...]


class ExampleFault(Struct, frozen=True):
    """What the form must find wrong."""

    field: Code
    wrong: Code
    detail: str


class Example(Struct, frozen=True):
    """A situation a domain expert can read, run as a test. All people are invented."""

    name: str
    about: str
    on: Day
    """Local date of the request."""
    trigger: Literal["request", "notification", "order", "office"]
    values: dict[str, str]
    evidence: tuple[Code, ...]
    """Kinds of evidence brought."""
    faults: tuple[ExampleFault, ...]
    path: tuple[ExampleStep, ...]
    outcome: str
    """Outcome reached; empty where the case stays open or the form is not accepted."""


class Service(Struct, frozen=True):
    """A service with what only the controller and the portal need."""

    definition: ServiceDefinition
    name_forms: tuple[NameForm, ...]
    examples: tuple[Example, ...]


class Pack(Struct, frozen=True):
    """One country, complete and checked."""

    nation: Nation
    institutions: tuple[Institution, ...]
    validators: tuple[ValidatorBody, ...]
    """Founding validators; none where the nation runs its ledger on one machine only."""
    office_kinds: tuple[OfficeKind, ...]
    offices: tuple[Office, ...]
    roles: tuple[Role, ...]
    territory: tuple[Territory, ...]
    parameters: tuple[Parameter, ...]
    holidays: tuple[Holiday, ...]
    services: tuple[Service, ...]
    texts: dict[str, dict[str, str]]
    """Language, id, sentence."""
    extracts: tuple[Profile, ...]
    """Forms of old registries' extracts that an import recognises."""
    digest: bytes
    """SHA-256 over names and contents of all its files: what genesis says it was made from."""

    def text(self, language: str, identifier: str) -> str:
        """The sentence of an id; raises `KeyError` for an id that the pack does not have."""
        return self.texts[language][identifier]

    def roles_at(self, office: Office) -> tuple[Code, ...]:
        """Roles that somebody can hold at an office: those of its kind to which its institution appoints."""
        kind = next(each for each in self.office_kinds if each.code == office.kind)
        own = next(each.roles for each in self.institutions if each.code == office.institution)
        return tuple(role for role in kind.roles if role in own)

    def service(self, code: str) -> Service:
        """The service of this code; raises `KeyError`."""
        for service in self.services:
            if service.definition.code == code:
                return service
        raise KeyError(code)


def in_force(valid_from: int | None, valid_to: int | None, day: int) -> bool:
    """Whether a dated thing is in force on a day; an open end is None, the last day counts."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)
