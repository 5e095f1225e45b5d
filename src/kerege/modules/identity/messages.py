"""What can be asked of identity."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, role
from kerege.kernel.types import Blind, Code, Commitment, Identifier
from kerege.modules.identity.types import Assurance, Kind

_OFFICE = Meta(description="Office in which the sender acts; the sender's appointment there is checked.")


class RegisterPerson(Message, frozen=True, tag="identity.RegisterPerson"):
    """Enter a person or body under a random pseudonym of a sector, with or without a PIN."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "pin-officer")

    office: Annotated[Code, _OFFICE]
    person: Annotated[Identifier, Meta(description="Random pseudonym, fresh for this sector.")]
    kind: Annotated[Kind, Meta(description="Natural person or body.")]
    sector: Annotated[Code, Meta(description="Sector of the pseudonym, e.g. civil, tax.")]
    assurance: Annotated[Assurance, Meta(description="How surely the person was identified.")]
    pin: Annotated[Commitment | None, Meta(description="Commitment to the PIN, or none.")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class RaiseAssurance(Message, frozen=True, tag="identity.RaiseAssurance"):
    """Record that the person was identified more surely than before."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "acceptor", "pin-officer")

    office: Annotated[Code, _OFFICE]
    person: Annotated[Identifier, Meta(description="The person's pseudonym.")]
    assurance: Annotated[Assurance, Meta(description="The new level, above the present one.")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class LinkAccount(Message, frozen=True, tag="identity.LinkAccount"):
    """Record that an account belongs to a person; both stand only inside the commitment."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "acceptor", "pin-officer")

    office: Annotated[Code, _OFFICE]
    link: Annotated[Identifier, Meta(description="Random id of the link.")]
    commitment: Annotated[Commitment, Meta(description="Commitment to (pseudonym, address).")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class EndLink(Message, frozen=True, tag="identity.EndLink"):
    """Record that an account no longer belongs to the person."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "acceptor", "pin-officer")

    office: Annotated[Code, _OFFICE]
    link: Annotated[Identifier, Meta(description="Id of the link.")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class RecordGuardianship(Message, frozen=True, tag="identity.RecordGuardianship"):
    """Record who may act for a child or ward, outside a birth case."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "court-clerk", "judge")

    office: Annotated[Code, _OFFICE]
    guardianship: Annotated[Identifier, Meta(description="Random id of the guardianship.")]
    commitment: Annotated[Commitment, Meta(description="Commitment to (guardian, ward, ground).")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class EndGuardianship(Message, frozen=True, tag="identity.EndGuardianship"):
    """Record that a guardianship ended."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "court-clerk", "judge")

    office: Annotated[Code, _OFFICE]
    guardianship: Annotated[Identifier, Meta(description="Id of the guardianship.")]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]


class AmendPin(Message, frozen=True, tag="identity.AmendPin"):
    """Assign, change or block a person's PIN, or join two PINs of one person; the kind is a commitment."""

    SENDERS: ClassVar[Senders] = role("pin-officer")

    office: Annotated[Code, _OFFICE]
    person: Annotated[Identifier, Meta(description="The person's pseudonym.")]
    kind: Annotated[Commitment, Meta(description="Commitment to the kind of amendment and its ground.")]
    after: Annotated[
        Commitment | None, Meta(description="Commitment to the PIN from now on; none where it is blocked.")
    ]
    blind: Annotated[Blind, Meta(description="Random bytes for the stored leaf.")]
