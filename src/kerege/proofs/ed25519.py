"""Ed25519 signatures (RFC 8032), checked strictly before OpenSSL sees them.

OpenSSL accepts public keys of small order, under which one signature can fit many messages, and lets some unusual
encodings pass. Checkpoint signatures have no need of either.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_SIZE = 32
SIGNATURE_SIZE = 64

_FIELD = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_SIGN_BIT = 2**255
_ORDER_EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _ORDER_EIGHT, _FIELD - _ORDER_EIGHT})
"""The y coordinates of all eight points of small order."""


def is_sound_point(encoded: bytes) -> bool:
    """Say whether 32 bytes are a canonical encoding of a point that is not of small order.

    Whether they lie on the curve at all is left to OpenSSL, which refuses those that do not.
    """
    y = int.from_bytes(encoded, "little") % _SIGN_BIT
    return y < _FIELD and y not in _SMALL_ORDER


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is a strict Ed25519 signature of `message` under `public_key`."""
    if len(public_key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    point, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    if scalar >= _ORDER or not is_sound_point(point) or not is_sound_point(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
