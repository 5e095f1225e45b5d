"""Why a header of the engine is not followed: typed, with what was seen."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .block import LightBlock


class NotFollowed(Exception):
    """A header is not accepted on the strength of the trusted one; the text says which values stand against it."""


class Invalid(NotFollowed):
    """A header, its commit or its validators are not what the engine makes: refused whoever shows them."""


class Expired(NotFollowed):
    """The trusted header is older than the trusting period: its validators may by now sign anything unpunished."""


class NotEnoughTrust(NotFollowed):
    """Too few of the validators known at the trusted header signed; a header between the two may bridge that."""


class NotShown(NotFollowed):
    """Whoever was asked does not have, or does not give, the header of that height."""


class Unconfirmed(NotFollowed):
    """No witness that was asked showed the same header; without one a fork could not be seen."""


class Forked(NotFollowed):
    """Two headers of one height are both validly signed: the ledger has two histories, and validators signed both.

    Both are kept: together they are the evidence. Nobody can say from here which one is the true history.
    """

    def __init__(self, shown: "LightBlock", other: "LightBlock", witness: str) -> None:
        """`shown` came from whom we follow, `other` from `witness`."""
        super().__init__(
            f"two validly signed headers of height {shown.header.height}: {shown.header.hash.hex()}, "
            f"and {other.header.hash.hex()} from {witness}; keep both and report them"
        )
        self.shown = shown
        self.other = other
        self.witness = witness
