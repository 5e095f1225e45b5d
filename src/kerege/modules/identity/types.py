"""Words of identity: who is a person to the ledger, without saying who it is."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Blind, Code, Commitment, Count, Identifier, Time


class Kind(StrEnum):
    """What can bear rights."""

    PERSON = "person"
    BODY = "body"


class Assurance(StrEnum):
    """How surely the person behind a pseudonym was identified (ISO/IEC 29115, eIDAS levels)."""

    NONE = "none"
    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"


ASSURANCE_ORDER = (Assurance.NONE, Assurance.LOW, Assurance.SUBSTANTIAL, Assurance.HIGH)


class Person(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A person or body under a random pseudonym of one sector."""

    kind: Kind
    """Natural person or body."""
    sector: Code
    """Sector the pseudonym is for; pseudonyms of two sectors cannot be linked from the ledger."""
    assurance: Assurance
    """How surely identified."""
    pin: Commitment | None
    """Commitment to the PIN; None while the person has none."""
    history: Count
    """How many amendments of the PIN there were."""
    since: Time
    """When the row last changed."""
    blind: Blind
    """Makes the leaf unguessable."""


class Link(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That some account belongs to some person: both only inside a commitment."""

    commitment: Commitment
    """Commitment to (pseudonym, address)."""
    since: Time
    """When it was made."""
    until: Time | None
    """When it was ended."""
    blind: Blind
    """Makes the leaf unguessable."""


class Guardianship(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Who may act for a child or ward: parties and ground only inside a commitment."""

    commitment: Commitment
    """Commitment to (guardian, ward, ground)."""
    since: Time
    """When it began."""
    until: Time | None
    """When it was ended."""
    blind: Blind
    """Makes the leaf unguessable."""


class PinAmendment(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A line of the history of a person's PIN: assigned, changed, blocked, or two PINs of one person joined."""

    kind: Commitment
    """Commitment to the kind and its ground."""
    before: Commitment | None
    """Commitment to the PIN before."""
    after: Commitment | None
    """Commitment to the PIN after; None where it is blocked."""
    office: Code
    """Office that ordered it."""
    at: Time
    """Block time."""
    blind: Blind
    """Makes the leaf unguessable."""


class PersonDraft(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A person to be registered, as another message brings it (the outcome of a birth case)."""

    person: Identifier
    """Random pseudonym for the sector."""
    sector: Code
    """Sector of the pseudonym."""
    pin: Commitment | None
    """Commitment to the PIN; None where none is assigned (it is the output of registration)."""
    guardianships: Annotated[list[tuple[Identifier, Commitment]], Meta(max_length=8)]
    """Guardianships that begin with it: random id and commitment."""
    blind: Blind
    """Makes the leaf unguessable."""
