"""Bytes in JSON and in addresses: base64url without padding, and lower-case hex; one spelling each."""

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from typing import Annotated

from msgspec import Meta

Base64url = Annotated[
    str,
    Meta(
        pattern="^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$",
        description="Bytes in base64url (RFC 4648 §5) without padding.",
    ),
]
Hex32 = Annotated[
    str, Meta(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$", description="32 bytes in lower-case hex.")
]


def to_base64url(raw: bytes) -> str:
    """The text of bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


_TO_PLAIN = bytes.maketrans(b"-_+/=", b"+/***")
"""base64url's letters as those of base64; what it does not have as what neither has."""
_LAST = (b"", None, b"AQgw", b"AEIMQUYcgkosw048")
"""Letters that may stand last, by how many are left beside groups of four: other ones would be a second spelling."""
_PADDING = (b"", b"", b"==", b"=")


def from_base64url(text: str) -> bytes:
    """The bytes of a text; raises `ValueError` for padding, foreign letters and second spellings."""
    letters, left = text.encode(), len(text) & 3
    last = _LAST[left]
    if last is not None and (not last or letters[-1] in last):
        try:
            return a2b_base64(letters.translate(_TO_PLAIN) + _PADDING[left], strict_mode=True)
        except ValueError:
            pass
    raise ValueError("not base64url without padding, in its one spelling")
