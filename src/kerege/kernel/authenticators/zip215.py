"""Ed25519 by the rules of ZIP 215, plain and slow: decides where libsodium refuses, and is the tests' oracle.

The rules (https://zips.z.cash/zip-0215), made for consensus so that a signature has one verdict, singly and
in batches: A and R may be any encoding of a point of the curve, canonical or not; S must be below the
group's order; the equation [8][S]B = [8]R + [8][k]A is checked with the cofactor, and
k = SHA-512(R ‖ A ‖ message) takes the bytes as they came.
Verifying handles no secret, so nothing here needs constant time.
"""

from hashlib import sha512

P = 2**255 - 19
"""The field's prime."""

L = 2**252 + 27742317777372353535851937790883648493
"""Order of the prime-order group."""

D = -121665 * pow(121666, -1, P) % P
"""The curve's constant: −x² + y² = 1 + d·x²·y²."""

_D2 = 2 * D % P
_SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, T = X·Y/Z."""

IDENTITY: Point = (0, 1, 1, 0)


def decode(raw: bytes) -> Point | None:
    """The point of 32 bytes (sign bit above y); none where no point of the curve has this y.

    By ZIP 215 also y ≥ p, read modulo p, and the sign bit set where x = 0.
    """
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, (number & 2**255 - 1) % P
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    square = v * x * x % P
    if square != u:
        if square != P - u:
            return None
        x = x * _SQRT_MINUS_ONE % P
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


def encode(point: Point) -> bytes:
    """The one canonical encoding of a point."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(left: Point, right: Point) -> Point:
    """Sum of two points (complete formulas: right for every pair)."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = t1 * _D2 * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(point: Point) -> Point:
    """Twice a point."""
    x, y, z, _ = point
    a, b, c = x * x % P, y * y % P, 2 * z * z % P
    h = a + b
    e, g = h - (x + y) * (x + y) % P, a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def negate(point: Point) -> Point:
    """The point's opposite."""
    x, y, z, t = point
    return -x % P, y, z, -t % P


def multiply(scalar: int, point: Point) -> Point:
    """Multiple of a point; `scalar` ≥ 0."""
    return combine(scalar, point, 0, IDENTITY)


def combine(first: int, left: Point, second: int, right: Point) -> Point:
    """[first]left + [second]right, doubling once for both; scalars ≥ 0."""
    both = add(left, right)
    table = (None, left, right, both)
    result = IDENTITY
    for place in reversed(range(max(first.bit_length(), second.bit_length()))):
        result = double(result)
        addend = table[(first >> place & 1) | (second >> place & 1) << 1]
        if addend is not None:
            result = add(result, addend)
    return result


def is_identity(point: Point) -> bool:
    """Whether a point is the neutral one."""
    return point[0] == 0 and point[1] == point[2]


def is_small_order(point: Point) -> bool:
    """Whether eight times the point is the neutral one: a key under which anything can be made to verify."""
    return is_identity(double(double(double(point))))


def _base() -> Point:
    """The generator: y = 4/5, x even."""
    point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert point is not None  # noqa: S101 - a constant of RFC 8032
    return point


BASE = _base()


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message is good under a key; total over any bytes."""
    if len(key) != 32 or len(signature) != 64:  # noqa: PLR2004 - RFC 8032
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    a, r = decode(key), decode(signature[:32])
    if a is None or r is None:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    rest = add(combine(s, BASE, k, negate(a)), negate(r))
    return is_small_order(rest)
