"""Ed25519 by ZIP 215, as the engine judges its validators' signatures: one verdict everywhere, or a fork.

A and R may be any encoding of a point of the curve, S is below the group's order, and the equation is checked with the
cofactor: [8][S]B = [8]R + [8][k]A. What OpenSSL accepts (without the cofactor) ZIP 215 accepts as well; what OpenSSL
refuses is decided here, plainly and slowly. Nothing is secret, so nothing needs constant time.

Checkpoints are another matter: their signatures must be strict (see `..ed25519`).
"""

from hashlib import sha512

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..ed25519 import KEY_SIZE, SIGNATURE_SIZE

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
"""A square root of −1."""

_Point = tuple[int, int, int]
"""Projective coordinates (X, Y, Z): x = X/Z, y = Y/Z on −x² + y² = 1 + d·x²·y²."""
_NEUTRAL: _Point = (0, 1, 1)


def _decode(encoded: bytes) -> _Point | None:
    """The point of 32 bytes, y read modulo p, the sign bit ignored where x = 0; None off the curve."""
    whole = int.from_bytes(encoded, "little")
    y, sign = whole % 2**255 % _P, whole >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT % _P
    if x * x % _P != square:
        return None
    return (_P - x if x & 1 != sign else x) % _P, y, 1


def _add(one: _Point, other: _Point) -> _Point:
    """Sum of two points; the formula holds for every pair, equal ones too (Bernstein and others, 2008/013)."""
    a = one[2] * other[2] % _P
    b, c, d = a * a % _P, one[0] * other[0] % _P, one[1] * other[1] % _P
    e = _D * c * d % _P
    f, g = b - e, b + e
    x = a * f * ((one[0] + one[1]) * (other[0] + other[1]) - c - d)
    return x % _P, a * g * (d + c) % _P, f * g % _P


def _times(scalar: int, point: _Point) -> _Point:
    total = _NEUTRAL
    for bit in f"{scalar:b}":
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


def _base() -> _Point:
    """The generator: y = 4/5, x even."""
    point = _decode((4 * pow(5, -1, _P) % _P).to_bytes(KEY_SIZE, "little"))
    if point is None:
        raise AssertionError("the generator lies on the curve")
    return point


_BASE = _base()


def _holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether [8]([S]B − R − [k]A) is the neutral point."""
    key, nonce = _decode(public_key), _decode(signature[:32])
    if key is None or nonce is None:
        return False
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % _L
    x, y, z = _add(nonce, _times(k, key))
    rest = _times(8, _add(_times(int.from_bytes(signature[32:], "little"), _BASE), (-x, y, z)))
    return rest[0] == 0 and rest[1] == rest[2]


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` of `message` is good under `public_key` by ZIP 215; total over any bytes."""
    if len(public_key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    if int.from_bytes(signature[32:], "little") >= _L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return _holds(public_key, message, signature)
    return True
