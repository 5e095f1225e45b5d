"""What the controller derives instead of drawing it, so that the same work done again becomes the same bytes.

A resumed import or amendment then commits to what it committed to before, and a repeated one finds its own records. To
everybody without the controller's key the ids, salts and blinds are random; the key lies in the key service's folder
and goes with it.
"""

import hmac
from typing import Protocol

from kerege.dossiers.ports import BookKeys
from kerege.dossiers.sealing import prf
from kerege.kernel.types import Hash, Identifier

_ID = 16


class Hashing(Protocol):
    """A hash under way."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The hash of all bytes so far."""


class Derivations:
    """Keyed derivations of one kind of work, under a key of its own."""

    def __init__(self, keys: BookKeys) -> None:
        self._key = keys.name

    def source(self) -> Hashing:
        """Begin the keyed hash (HMAC-SHA-256) that stands for all that is worked on: on the ledger, for a file."""
        return hmac.new(prf(self._key, "source"), digestmod="sha256")

    def number(self, source: Hash) -> Identifier:
        """The import's id."""
        return prf(self._key, "number", source)[:_ID]

    def record(self, source: Hash, row: int) -> Identifier:
        """The id of the record, or of the case, that a row of what is worked on becomes."""
        return prf(self._key, "row", source, row)[:_ID]

    def subject(self, about: Identifier) -> Identifier:
        """Whose dossier it is."""
        return prf(self._key, "subject", about)[:_ID]

    def seed(self, about: Identifier) -> bytes:
        """What the salts of all fields are drawn from."""
        return prf(self._key, "salts", about)

    def salt(self, about: Identifier, what: str) -> bytes:
        """A salt for a commitment beside the fields."""
        return prf(self._key, "salt", about, what)

    def blind(self, source: Hash, row: int, what: str) -> bytes:
        """The blind of the message that begins at a row."""
        return prf(self._key, "blind", source, row, what)[:_ID]

    def name(self, what: str, *parts: str) -> bytes:
        """Keyed name of a PIN or an act number in the index of imported rows."""
        return prf(self._key, "index", what, *parts)[:_ID]
