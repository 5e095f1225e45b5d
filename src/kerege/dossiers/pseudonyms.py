"""Which pseudonyms and accounts are one person: the mapping that must exist nowhere else.

A person is a random id inside the store; every sector of the state knows the same person under another random id,
never computed from the PIN. Rows are kept like dossiers, under the person's own data key for the purpose `identity`:
erasing it unties all pseudonyms at once.
"""

import os

from kerege.dossiers.embedded_keys import IDENTITY, account_key
from kerege.dossiers.errors import DossierExists
from kerege.dossiers.ports import Entry
from kerege.dossiers.sealing import join
from kerege.dossiers.store import Dossiers
from kerege.kernel.types import Address, Identifier

_IDENTIFIER_LENGTH = 16


class Pseudonyms:
    """Pseudonyms by sector, and accounts, of persons. Read by the machine to build transactions; shown to nobody."""

    def __init__(self, dossiers: Dossiers) -> None:
        self._dossiers = dossiers

    def assign(self, person: Identifier, sector: str) -> Identifier:
        """Give the person's pseudonym in a sector, drawing one the first time; durable on return."""
        known = self.find(person, sector)
        if known is not None:
            return known
        pseudonym = os.urandom(_IDENTIFIER_LENGTH)
        forward = Entry(_of_person(person, sector), 0, person, IDENTITY)
        backward = Entry(_of_sector(sector, pseudonym), 0, person, IDENTITY)
        try:
            fields = (("pseudonym", pseudonym.hex()),)
            self._dossiers.write_mapping([forward, backward], [fields, (("sector", sector),)])
        except DossierExists:
            # Another thread was first.
            return self.assign(person, sector)
        return pseudonym

    def find(self, person: Identifier, sector: str) -> Identifier | None:
        """Give the person's pseudonym in a sector, or None."""
        found = self._dossiers.open_mapping(_of_person(person, sector), IDENTITY)
        return None if found is None else bytes.fromhex(found[1]["pseudonym"])

    def person(self, sector: str, pseudonym: Identifier) -> Identifier | None:
        """Give the person behind a pseudonym, or None."""
        found = self._dossiers.open_mapping(_of_sector(sector, pseudonym), IDENTITY)
        return None if found is None else found[0].subject

    def link_account(self, person: Identifier, address: Address) -> None:
        """Note whose account this is; the same again is no error, another person raises `DossierExists`."""
        holder = self.holder(address)
        if holder is None:
            self._dossiers.write_mapping([Entry(account_key(address), 0, person, IDENTITY)], [(("account", "held"),)])
        elif holder != person:
            raise DossierExists(what="the account belongs to another person")

    def holder(self, address: Address) -> Identifier | None:
        """Give the person who holds an account, or None; the key service asks this of an official who wants a look."""
        found = self._dossiers.open_mapping(account_key(address), IDENTITY)
        return None if found is None else found[0].subject


def _of_person(person: Identifier, sector: str) -> bytes:
    return join("person", person, sector)


def _of_sector(sector: str, pseudonym: Identifier) -> bytes:
    return join("pseudonym", sector, pseudonym)
