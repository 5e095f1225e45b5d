"""Opaque cursors: where a page ended, for the next one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from kerege.api.problems import Problem


def to_base64url(raw: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str, what: str) -> bytes:
    """Raises `Problem` for another spelling of the same bytes, too."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError):
        raw = b""
    if to_base64url(raw) != text:
        raise Problem("bad-request", 400, f"{what} is no base64url without padding: copy it as it was given.")
    return raw


def from_hex(text: str, size: int, what: str) -> bytes:
    """Lower-case hex of so many bytes; raises `Problem`."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != size or raw.hex() != text:
        raise Problem("bad-request", 400, f"{what} is no id: {2 * size} lower-case hex digits are expected.")
    return raw
