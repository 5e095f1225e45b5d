"""Words of disclosure: looks, machine jobs, tombstones, consents."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Address, Blind, Code, Commitment, Identifier, OptionalCode, Time


class JobKind(StrEnum):
    """Machine jobs of the controller that open dossiers and give out verdicts only."""

    CHECK = "check"
    COMPARE = "compare"


class Denial(StrEnum):
    """Why a look was not allowed: the first of these that holds.

    No such case; no role of the step that is due at the office named; the case is the officer's own; it ended and its
    term to appeal passed; another office or body holds it; a colleague took it; cases are dealt and this one was not;
    the officer, or the office, handled the case that is appealed; a field that the service does not show to officials;
    no rule in force says how long a look lasts.
    """

    NOT_ACTING = "not-acting"
    NO_CASE = "no-case"
    CASE_CLOSED = "case-closed"
    NOT_HOLDER = "not-holder"
    TAKEN_BY_ANOTHER = "taken-by-another"
    NOT_DEALT = "not-dealt"
    OWN_CASE = "own-case"
    HANDLED = "handled"
    FIELD_CLOSED = "field-closed"
    NO_TERM = "no-term"


SUCCESSOR = "successor"
"""The one field of a link's dossier: the record that an amendment opened. No service lists it."""

References = Annotated[list[Commitment], Meta(min_length=1, max_length=16)]
Fields = Annotated[list[Code], Meta(min_length=1, max_length=256)]


class Look(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A request to see personal data, and its answer."""

    case: Identifier
    """Case for whose handling it is asked."""
    officer: Address
    """Who asked."""
    office: Code
    """Office in which the officer asked."""
    role: OptionalCode
    """Role in which it was granted; empty where it was denied for want of one."""
    ground: Code
    """Ground of the request."""
    references: References
    """Salted commitments to the dossiers meant: they say nothing without the salts."""
    fields: Fields
    """Fields asked for."""
    denial: OptionalCode
    """Reason code of the denial; empty where it was granted."""
    at: Time
    """Block time."""
    until: Time
    """Until when the key service releases keys; for a denied look, block time."""
    blind: Blind
    """Makes the leaf unguessable."""


class Job(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A run of a machine job, on the ledger before it begins."""

    kind: JobKind
    """What it does."""
    starter: Address
    """Who started it."""
    at: Time
    """Block time."""


class Consent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That somebody agreed to something: what and to whom only inside the commitment."""

    commitment: Commitment
    """Commitment to what is agreed, for whom and until when."""
    since: Time
    """When it was given."""
    until: Time | None
    """When it was withdrawn."""
    giver: Address
    """Account that gave it, fresh for the purpose."""
    blind: Blind
    """Makes the leaf unguessable."""
