"""Ed25519 keys (kind 1): RFC 8032 signatures judged by ZIP 215.

A verdict never depends on what is installed: libsodium accepts a part of what ZIP 215 accepts, so its yes
stands, and its no is decided by the plain check. The native module checks by ZIP 215 itself.
"""

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from kerege.kernel.authenticators import zip215

KEY_LENGTH = 32
SIGNATURE_LENGTH = 64


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message is good under a key; total over any bytes."""
    if len(key) != KEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    try:
        crypto_sign_open(signature + message, key)
    except (BadSignatureError, ValueError):
        return zip215.verify(key, message, signature)
    return True


def key_fault(key: bytes) -> str:
    """Why a key may not be registered; empty where it may.

    Nobody shall hold a key under which anything verifies (small order) or one with a second spelling.
    """
    if len(key) != KEY_LENGTH:
        return "length"
    point = zip215.decode(key)
    if point is None:
        return "not on the curve"
    if zip215.encode(point) != key:
        return "encoding"
    return "small order" if zip215.is_small_order(point) else ""
