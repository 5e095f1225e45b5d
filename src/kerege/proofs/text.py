"""Bytes as text, each with exactly one spelling: hex, base64url without padding, base64 as C2SP writes it."""

import binascii
from collections.abc import Sequence

from .outcome import Malformed

HASH_SIZE = 32
_BIG = 2**63

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def to_base64url(data: bytes) -> str:
    """Encode without padding (RFC 4648 §5)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def from_base64url(text: object, what: str, size: int | None = None) -> bytes:
    """Decode base64url without padding and with zero unused bits; exactly `size` bytes where given.

    Raises:
        Malformed: any other spelling, or another length.
    """
    if not isinstance(text, str):
        raise Malformed(f"{what} is not text")
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise Malformed(f"{what} is not base64url") from error
    if to_base64url(data) != text:
        raise Malformed(f"{what} is not base64url in its one form")
    if size is not None and len(data) != size:
        raise Malformed(f"{what} is not {size} bytes long")
    return data


def to_base64(data: bytes) -> str:
    """Encode with padding (RFC 4648 §4), as C2SP notes do."""
    return binascii.b2a_base64(data, newline=False).decode()


def from_base64(text: str, what: str) -> bytes:
    """Decode base64 with padding and zero unused bits, or raise `Malformed`."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"))
    except ValueError as error:
        raise Malformed(f"{what} is not base64") from error
    if to_base64(data) != text:
        raise Malformed(f"{what} is not base64 in its one form")
    return data


def from_hex(text: object, what: str, size: int) -> bytes:
    """Decode lower-case hex of exactly `size` bytes, or raise `Malformed`."""
    if not isinstance(text, str):
        raise Malformed(f"{what} is not text")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise Malformed(f"{what} is not hex") from error
    if data.hex() != text or len(data) != size:
        raise Malformed(f"{what} is not {size} bytes of lower-case hex")
    return data


def from_digits(text: object, what: str) -> int:
    """Read a number from 0, below 2^63, that is too large for JSON and therefore text; or raise `Malformed`."""
    plain = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < len(str(_BIG)) + 1
    if not plain or not isinstance(text, str) or str(int(text)) != text or int(text) >= _BIG:
        raise Malformed(f"{what} is not a number below 2^63 in text")
    return int(text)


def to_hashes(data: bytes, what: str) -> tuple[bytes, ...]:
    """Cut concatenated hashes into hashes of 32 bytes, or raise `Malformed`."""
    if len(data) % HASH_SIZE:
        raise Malformed(f"{what} is not a whole number of hashes")
    return tuple(data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE))


def from_hashes(hashes: Sequence[bytes]) -> str:
    """Concatenate hashes and encode them as base64url."""
    return to_base64url(b"".join(hashes))
