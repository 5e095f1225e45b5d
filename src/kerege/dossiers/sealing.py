"""The few primitives everything in the store is made of: keyed look-up names, authenticated encryption, padding.

AES-256-GCM with random 96-bit nonces (NIST SP 800-38D), HMAC-SHA-256 as the PRF. Every input is a list of parts, each
with its length before it, so that no two lists share an input.
"""

import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kerege.dossiers.errors import StoreDamaged

KEY_LENGTH = 32
NONCE_LENGTH = 12
_LENGTH_BYTES = 4

Parts = tuple[bytes | str | int, ...]
"""What `join` encodes."""


def join_plain(*parts: bytes | str | int) -> bytes:
    """Encode a list of parts so that it can be read in one way only: four bytes of length before each.

    The plain twin of `join`.
    """
    encoded: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            piece = part
        elif isinstance(part, str):
            piece = part.encode()
        else:
            piece = part.to_bytes(8, "big")
        encoded += (len(piece).to_bytes(_LENGTH_BYTES, "big"), piece)
    return b"".join(encoded)


def cut(joined: bytes, length: int) -> list[bytes]:
    """Cut what was put or drawn together into pieces of a length."""
    return [joined[at : at + length] for at in range(0, len(joined), length)]


def prf_plain(key: bytes, /, *parts: bytes | str | int) -> bytes:
    """HMAC-SHA-256 over the parts: a name or a key that only holders of `key` can compute. The plain twin of `prf`."""
    return hmac.digest(key, join_plain(*parts), "sha256")


def prf_many_plain(key: bytes, lists: Sequence[Parts]) -> list[bytes]:
    """The PRF over each of many lists of parts. The plain twin of `prf_many`."""
    return [prf_plain(key, *parts) for parts in lists]


def seal_many_plain(key: bytes, rows: Sequence[tuple[bytes, bytes]], nonces: bytes) -> list[bytes]:
    """The plain twin of the sealing in `seal_many`."""
    cipher = AESGCM(key)
    drawn = cut(nonces, NONCE_LENGTH)
    return [nonce + cipher.encrypt(nonce, *row) for nonce, row in zip(drawn, rows, strict=True)]


try:
    from kerege_native import join as _join
    from kerege_native import prf as _prf
    from kerege_native import prf_many as _prf_many
    from kerege_native import seal_many as _seal_many
except ImportError:
    _join, _prf, _prf_many, _seal_many = join_plain, prf_plain, prf_many_plain, seal_many_plain

# Bound here as they are: a row of an import, or a look at it, asks several times.
join = _join
"""See `join_plain`."""
prf = _prf
"""See `prf_plain`."""
prf_many = _prf_many
"""See `prf_many_plain`."""


def new_key() -> bytes:
    """Draw a key from the operating system's generator."""
    return os.urandom(KEY_LENGTH)


def new_keys(count: int) -> list[bytes]:
    """Draw many keys at once."""
    return cut(os.urandom(KEY_LENGTH * count), KEY_LENGTH)


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Encrypt and authenticate; `bound` (associated data) is authenticated and must be brought again to open."""
    nonce = os.urandom(NONCE_LENGTH)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def seal_many(key: bytes, rows: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Do what `seal` does for each (plain, bound), under one key."""
    return _seal_many(key, rows, os.urandom(NONCE_LENGTH * len(rows)))


def unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Open what `seal` made; raises `StoreDamaged` where key, bytes or bound data are not those of the sealing."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], bound)
    except (InvalidTag, ValueError):
        raise StoreDamaged(what="a sealed row does not open with its key") from None


def pad(plain: bytes, step: int) -> bytes:
    """Fill up to a multiple of `step`, the true length first, so that sizes say as little as steps do."""
    length = _LENGTH_BYTES + len(plain)
    return len(plain).to_bytes(_LENGTH_BYTES, "big") + plain + bytes(-length % step)


def unpad(padded: bytes) -> bytes:
    """Take the filling of `pad` away; raises `StoreDamaged` where the length cannot be."""
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if length > len(padded) - _LENGTH_BYTES:
        raise StoreDamaged(what="the length of a sealed row")
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]


def same(left: bytes, right: bytes) -> bool:
    """Compare in time that does not depend on where the two differ."""
    return hmac.compare_digest(left, right)
