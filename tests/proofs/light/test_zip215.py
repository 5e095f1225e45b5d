"""Votes have the verdict of ZIP 215: its own vectors, and the kernel's twin as second opinion."""

import random
from itertools import product

import pytest

from kerege.kernel.authenticators import zip215 as kernel
from kerege.proofs.light import zip215
from tests.proofs.light.chain import key
from tests.proofs.test_ed25519 import L, P, encoded

EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL = [encoded(y, sign) for y in (0, 1, P - 1, EIGHT, P - EIGHT, P, P + 1) for sign in (0, 1)]
"""All fourteen encodings of the eight points of small order, canonical or not (ZIP 215, test vectors)."""


@pytest.mark.parametrize(("public", "point"), list(product(SMALL, SMALL)))
def test_points_of_small_order_are_accepted_in_every_encoding(public, point):
    assert zip215.is_signed(public, b"Zcash", point + bytes(32))


def test_what_is_no_signature():
    private = key("a")
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"vote")
    assert zip215.is_signed(public, b"vote", signature)
    scalar = int.from_bytes(signature[32:], "little")
    off_curve = next(encoded(y) for y in range(2, 99) if kernel.decode(encoded(y)) is None)
    for bad in (
        (public, b"veto", signature),
        (public, b"vote", signature[:63]),
        (public, b"vote", signature + b"\0"),
        (public, b"vote", signature[:32] + (scalar + L).to_bytes(32, "little")),
        (public, b"vote", off_curve + signature[32:]),
        (off_curve, b"vote", signature),
        (public[:31], b"vote", signature),
        (b"", b"", b""),
    ):
        assert not zip215.is_signed(*bad)


def test_the_twin_of_the_kernel_says_the_same():
    chance = random.Random(7)
    private = key("b")
    public, good = private.public_key().public_bytes_raw(), private.sign(b"vote")
    for _ in range(60):
        parts = [
            chance.choice([public, *SMALL, chance.randbytes(32)]),
            b"vote",
            chance.choice([good[:32], *SMALL, chance.randbytes(32)])
            + chance.choice([good[32:], bytes(32), chance.randbytes(31) + b"\0"]),
        ]
        assert zip215.is_signed(*parts) == kernel.verify(*parts)
