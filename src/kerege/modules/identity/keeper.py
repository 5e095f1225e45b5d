"""What other modules may do with persons."""

from typing import TYPE_CHECKING

from kerege.kernel.context import Context, Keeper
from kerege.modules.identity.errors import (
    AssuranceNotHigher,
    IdentifierTaken,
    NothingToBlock,
    UnknownGuardianship,
    UnknownLink,
    UnknownPerson,
)
from kerege.modules.identity.events import GuardianshipRecorded, LinkRecorded, PersonRecorded, PinAmended
from kerege.modules.identity.state import GUARDIANSHIPS, LINKS, PERSONS, PIN_AMENDMENTS
from kerege.modules.identity.types import (
    ASSURANCE_ORDER,
    Assurance,
    Guardianship,
    Kind,
    Link,
    Person,
    PersonDraft,
    PinAmendment,
)

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound


class Identity(Keeper):
    """Keeps persons, links and guardianships: pseudonyms and commitments, never a name or a number."""

    MODULE = "identity"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._persons: Bound[bytes, Person] = self._table(PERSONS)
        self._links: Bound[bytes, Link] = self._table(LINKS)
        self._guardianships: Bound[bytes, Guardianship] = self._table(GUARDIANSHIPS)
        self._amendments: Bound[tuple[bytes, int], PinAmendment] = self._table(PIN_AMENDMENTS)

    def person(self, pseudonym: bytes) -> Person:
        """The person of a pseudonym; raises `UnknownPerson`."""
        found = self._persons.find(pseudonym)
        if found is None:
            raise UnknownPerson(person=pseudonym)
        return found

    def check_free(self, pseudonym: bytes) -> None:
        """Raise `IdentifierTaken` where the pseudonym is in use."""
        if self._persons.find(pseudonym) is not None:
            raise IdentifierTaken(identifier=pseudonym)

    def check_higher(self, person: Person, asked: Assurance) -> None:
        """Raise `AssuranceNotHigher` unless the level rises."""
        if ASSURANCE_ORDER.index(asked) <= ASSURANCE_ORDER.index(person.assurance):
            raise AssuranceNotHigher(present=person.assurance.value, asked=asked.value)

    def register(
        self, pseudonym: bytes, kind: Kind, sector: str, assurance: Assurance, pin: bytes | None, blind: bytes
    ) -> None:
        """Enter a person; raises `IdentifierTaken`."""
        self.check_free(pseudonym)
        self._put(pseudonym, Person(kind, sector, assurance, pin, 0, self._ctx.time, blind))

    def register_draft(self, draft: PersonDraft) -> None:
        """Enter a person with its guardianships, as a case's outcome brings them."""
        self.register(draft.person, Kind.PERSON, draft.sector, Assurance.HIGH, draft.pin, draft.blind)
        for identifier, commitment in draft.guardianships:
            self.record_guardianship(identifier, commitment, draft.blind)

    def raise_assurance(self, pseudonym: bytes, person: Person, asked: Assurance, blind: bytes) -> None:
        """Set a higher level."""
        self._put(
            pseudonym, Person(person.kind, person.sector, asked, person.pin, person.history, self._ctx.time, blind)
        )

    def link(self, identifier: bytes, commitment: bytes, blind: bytes) -> None:
        """Begin a link; raises `IdentifierTaken`."""
        if self._links.find(identifier) is not None:
            raise IdentifierTaken(identifier=identifier)
        self._put_link(identifier, Link(commitment, self._ctx.time, None, blind))

    def link_in_force(self, identifier: bytes) -> Link:
        """The link of an id; raises `UnknownLink` where there is none or it ended."""
        found = self._links.find(identifier)
        if found is None or found.until is not None:
            raise UnknownLink(link=identifier)
        return found

    def end_link(self, identifier: bytes, link: Link, blind: bytes) -> None:
        """End a link in force."""
        self._put_link(identifier, Link(link.commitment, link.since, self._ctx.time, blind))

    def record_guardianship(self, identifier: bytes, commitment: bytes, blind: bytes) -> None:
        """Begin a guardianship; raises `IdentifierTaken`."""
        if self._guardianships.find(identifier) is not None:
            raise IdentifierTaken(identifier=identifier)
        self._put_guardianship(identifier, Guardianship(commitment, self._ctx.time, None, blind))

    def guardianship_in_force(self, identifier: bytes) -> Guardianship:
        """The guardianship of an id; raises `UnknownGuardianship` where there is none or it ended."""
        found = self._guardianships.find(identifier)
        if found is None or found.until is not None:
            raise UnknownGuardianship(guardianship=identifier)
        return found

    def end_guardianship(self, identifier: bytes, row: Guardianship, blind: bytes) -> None:
        """End a guardianship in force."""
        self._put_guardianship(identifier, Guardianship(row.commitment, row.since, self._ctx.time, blind))

    def check_pin_amendable(self, pseudonym: bytes, person: Person, after: bytes | None) -> None:
        """Raise `NothingToBlock` where a PIN is to be taken away that is not there."""
        if person.pin is None and after is None:
            raise NothingToBlock(person=pseudonym)

    def amend_pin(
        self, pseudonym: bytes, person: Person, kind: bytes, after: bytes | None, office: str, blind: bytes
    ) -> None:
        """Write a line of history and the PIN from now on."""
        now, number = self._ctx.time, person.history + 1
        row = PinAmendment(kind, person.pin, after, office, now, blind)
        self._amendments.put((pseudonym, number), row)
        self._announce(PinAmended(pseudonym, number, row))
        self._put(pseudonym, Person(person.kind, person.sector, person.assurance, after, number, now, blind))

    def _put(self, pseudonym: bytes, row: Person) -> None:
        self._persons.put(pseudonym, row)
        self._announce(PersonRecorded(pseudonym, row))

    def _put_link(self, identifier: bytes, row: Link) -> None:
        self._links.put(identifier, row)
        self._announce(LinkRecorded(identifier, row))

    def _put_guardianship(self, identifier: bytes, row: Guardianship) -> None:
        self._guardianships.put(identifier, row)
        self._announce(GuardianshipRecorded(identifier, row))
