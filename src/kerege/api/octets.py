"""Bytes in JSON and in addresses: base64url without padding, and lower-case hex; one spelling each."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
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


def from_base64url(text: str) -> bytes:
    """The bytes of a text; raises `ValueError` for padding, foreign letters and second spellings."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=") != text.encode():
        raise ValueError("not base64url without padding, in its one spelling")
    return raw
