"""Opaque cursors: where a list goes on, bound to the list and the ledger it was given for."""

from hashlib import sha256
from typing import Any

import msgspec

from kerege.api.octets import from_base64url, to_base64url
from kerege.api.problems import BAD_CURSOR, Problem

MAXIMUM = 2_048
"""Characters of a cursor."""
_MARK = 8


class Cursors:
    """Makes and reads the cursors of one list (`subject`) of one ledger."""

    def __init__(self, ledger: str, subject: str) -> None:
        self._mark = sha256(f"kerege/cursor/1\0{ledger}\0{subject}".encode()).digest()[:_MARK]

    def make(self, place: Any) -> str:  # noqa: ANN401 - whatever msgspec encodes
        """The cursor of a place."""
        raw = self._mark + msgspec.msgpack.encode(place)
        return to_base64url(raw + sha256(raw).digest()[:_MARK])

    def read(self, cursor: str, kind: Any) -> Any:  # noqa: ANN401 - a value of that type
        """The place of a cursor; raises `Problem` where it is none of this list."""
        try:
            return msgspec.msgpack.decode(self._checked(from_base64url(cursor)), type=kind)
        except ValueError:
            raise bad_cursor() from None

    def _checked(self, raw: bytes) -> bytes:
        body, check = raw[:-_MARK], raw[-_MARK:]
        if body[:_MARK] != self._mark or sha256(body).digest()[:_MARK] != check:
            raise ValueError("not a cursor of this list")
        return body[_MARK:]


def bad_cursor() -> Problem:
    """The answer to a cursor that is not, or no longer, good."""
    return Problem(
        BAD_CURSOR,
        "The cursor was cut, changed, or given by another list or ledger: ask for the first page without a cursor.",
    )
