"""Event → rows of identity."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Row
from kerege.modules.identity.events import GuardianshipRecorded, LinkRecorded, PersonRecorded, PinAmended


def person_rows(event: PersonRecorded) -> tuple[Row, ...]:
    """The person's row."""
    return (Put("identity.person", event.person, event.row),)


def link_rows(event: LinkRecorded) -> tuple[Row, ...]:
    """The link's row."""
    return (Put("identity.link", event.link, event.row),)


def guardianship_rows(event: GuardianshipRecorded) -> tuple[Row, ...]:
    """The guardianship's row."""
    return (Put("identity.guardianship", event.guardianship, event.row),)


def pin_rows(event: PinAmended) -> tuple[Row, ...]:
    """The line of history."""
    return (Put("identity.pin_amendment", (event.person, event.number), event.row),)


PROJECTIONS: dict[type[Event], Projection] = {
    PersonRecorded: person_rows,
    LinkRecorded: link_rows,
    GuardianshipRecorded: guardianship_rows,
    PinAmended: pin_rows,
}
