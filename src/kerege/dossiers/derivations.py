"""What the controller derives instead of drawing it, so that the same work done again becomes the same bytes.

A resumed import or amendment then commits to what it committed to before, and a repeated one finds its own records. To
everybody without the controller's key the ids, salts and blinds are random; the key lies in the key service's folder
and goes with it.
"""

import hmac
from collections.abc import Sequence
from typing import Protocol

from kerege.dossiers.ports import BookKeys
from kerege.dossiers.sealing import prf, prf_many
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
        return self.records([(source, row)])[0]

    def records(self, rows: Sequence[tuple[Hash, int]]) -> list[Identifier]:
        """`record` of many rows (source, row)."""
        return [digest[:_ID] for digest in prf_many(self._key, [("row", *row) for row in rows])]

    def subject(self, about: Identifier) -> Identifier:
        """Whose dossier it is."""
        return self.subjects([about])[0]

    def subjects(self, abouts: Sequence[Identifier]) -> list[Identifier]:
        """`subject` of many."""
        return [digest[:_ID] for digest in prf_many(self._key, [("subject", about) for about in abouts])]

    def seed(self, about: Identifier) -> bytes:
        """What the salts of all fields are drawn from."""
        return self.seeds([about])[0]

    def seeds(self, abouts: Sequence[Identifier]) -> list[bytes]:
        """`seed` of many."""
        return prf_many(self._key, [("salts", about) for about in abouts])

    def salt(self, about: Identifier, what: str) -> bytes:
        """A salt for a commitment beside the fields."""
        return self.salts([about], what)[0]

    def salts(self, abouts: Sequence[Identifier], what: str) -> list[bytes]:
        """`salt` of many."""
        return prf_many(self._key, [("salt", about, what) for about in abouts])

    def blind(self, source: Hash, row: int, what: str) -> bytes:
        """The blind of the message that begins at a row."""
        return prf(self._key, "blind", source, row, what)[:_ID]

    def names(self, known_by: Sequence[tuple[str, ...]]) -> list[bytes]:
        """Keyed names in the index of imported rows, of PINs ("pin", …) and act numbers ("act", …)."""
        return [digest[:_ID] for digest in prf_many(self._key, [("index", *parts) for parts in known_by])]
