"""What identity announces. Events carry whole rows, so that outside tables equal the state."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Count, Identifier
from kerege.modules.identity.types import Guardianship, Link, Person, PinAmendment


class PersonRecorded(Event, frozen=True, tag="identity.PersonRecorded"):
    """A person or body was entered, or its row changed."""

    person: Annotated[Identifier, Meta(description="Pseudonym of the sector.")]
    row: Annotated[Person, Meta(description="The row from now on.")]


class LinkRecorded(Event, frozen=True, tag="identity.LinkRecorded"):
    """An account was linked to a person, or the link ended."""

    link: Annotated[Identifier, Meta(description="Id of the link.")]
    row: Annotated[Link, Meta(description="The row from now on.")]


class GuardianshipRecorded(Event, frozen=True, tag="identity.GuardianshipRecorded"):
    """A guardianship began or ended."""

    guardianship: Annotated[Identifier, Meta(description="Id of the guardianship.")]
    row: Annotated[Guardianship, Meta(description="The row from now on.")]


class PinAmended(Event, frozen=True, tag="identity.PinAmended"):
    """A person's PIN was assigned, changed, blocked or joined with another."""

    person: Annotated[Identifier, Meta(description="Pseudonym of the sector.")]
    number: Annotated[Count, Meta(description="Number of the amendment, from 1.")]
    row: Annotated[PinAmendment, Meta(description="The line of history.")]


EVENTS = (PersonRecorded, LinkRecorded, GuardianshipRecorded, PinAmended)
