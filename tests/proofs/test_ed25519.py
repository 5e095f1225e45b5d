"""Strictness beyond OpenSSL's."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kerege.proofs import ed25519
from tests.proofs.naive import LOG_KEY

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def encoded(y, sign=0):
    return (y + (sign << 255)).to_bytes(32, "little")


def doubled(point):
    """Add a point of the curve to itself, affine, by the textbook formula."""
    x, y = point
    across = D * x * x * y * y % P
    return 2 * x * y * pow(1 + across, -1, P) % P, (y * y + x * x) * pow(1 - across, -1, P) % P


def recovered(y):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return x, y


def test_the_list_of_small_order_points_is_right_and_whole():
    coordinates = ed25519._SMALL_ORDER
    points = set()
    for y in coordinates:
        x, _ = recovered(y)
        points |= {(x, y), (-x % P, y)}
        assert doubled(doubled(doubled((x, y)))) == (0, 1)
    assert len(points) == 8


@pytest.mark.parametrize("y", [*sorted(ed25519._SMALL_ORDER), P, P + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_of_small_order_and_odd_encodings_are_unsound(y, sign):
    assert not ed25519.is_sound_point(encoded(y, sign))


def test_a_key_of_small_order_that_openssl_accepts_signs_nothing():
    key, signature = encoded(1), encoded(1) + bytes(32)
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"anything")  # OpenSSL raises nothing
    assert not ed25519.is_signed(key, b"anything", signature)


def test_a_signature_has_one_form():
    signature = LOG_KEY.private.sign(b"message")
    assert ed25519.is_signed(LOG_KEY.public, b"message", signature)
    scalar = int.from_bytes(signature[32:], "little")
    assert not ed25519.is_signed(LOG_KEY.public, b"message", signature[:32] + (scalar + L).to_bytes(32, "little"))
    assert not ed25519.is_signed(LOG_KEY.public, b"message", signature + b"\x00")
    assert not ed25519.is_signed(LOG_KEY.public, b"massage", signature)
    assert not ed25519.is_signed(b"\x02" + bytes(31), b"message", signature)
