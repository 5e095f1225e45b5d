"""Ed25519 by ZIP 215: one verdict, whichever library is there, singly and in batches."""

import json
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from kerege.kernel import crypto
from kerege.kernel.authenticators import ed25519, zip215
from kerege.kernel.errors import BadForm

VECTORS = Path(__file__).parents[2] / "../shared/vectors/ed25519/speccheck.json"

# Verdicts by ZIP 215 on the twelve cases of novifinancial/ed25519-speccheck, as its table gives them for `zebra`.
SPECCHECK = (True, True, True, True, True, True, False, False, False, True, True, True)

# The eight points of small order and their six non-canonical encodings, as listed with ZIP 215 (y, y + p, sign of 0).
SMALL_ORDER = tuple(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
NOT_CANONICAL = tuple(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
)
TORSION = tuple(zip215.decode(raw) or zip215.IDENTITY for raw in SMALL_ORDER)

Check = Callable[[bytes, bytes, bytes], bool]
CHECKS: dict[str, Check] = {"zip215": zip215.verify, "libsodium first": ed25519.verify}
if crypto.native_present():
    import kerege_native

    CHECKS["zebra"] = kerege_native.verify

every_check = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)


def verdicts(key: bytes, message: bytes, signature: bytes) -> set[bool]:
    """What all the checks that are present say."""
    return {check(key, message, signature) for check in CHECKS.values()}


@every_check
def test_speccheck(check: Check) -> None:
    if not VECTORS.exists():
        pytest.skip("no ../shared/vectors/ed25519/speccheck.json")
    cases = json.loads(VECTORS.read_text())
    read = [[bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature")] for case in cases]
    assert tuple(check(*each) for each in read) == SPECCHECK


@every_check
def test_every_small_order_key_and_r_in_every_encoding_verifies_with_s_zero(check: Check) -> None:
    points = SMALL_ORDER + NOT_CANONICAL
    assert all(check(key, b"Zcash", r + bytes(32)) for key in points for r in points)


@every_check
def test_other_lengths_are_refused(check: Check) -> None:
    secret = SigningKey(b"\x01" * 32)
    key, signature = bytes(secret.verify_key), secret.sign(b"x").signature
    assert check(key, b"x", signature)
    assert not check(key[:-1], b"x", signature)
    assert not check(key + b"\0", b"x", signature)
    assert not check(key, b"x", signature[:-1])
    assert not check(key, b"x", signature + b"\0")
    assert not check(b"", b"x", b"")


@every_check
def test_s_at_or_above_the_order_is_refused(check: Check) -> None:
    secret = SigningKey(b"\x01" * 32)
    signature = secret.sign(b"x").signature
    s = int.from_bytes(signature[32:], "little")
    for more in range(1, 15):
        raised = s + more * zip215.L
        if raised < 2**256:
            assert not check(bytes(secret.verify_key), b"x", signature[:32] + raised.to_bytes(32, "little"))
    assert not check(SMALL_ORDER[0], b"x", SMALL_ORDER[0] + zip215.L.to_bytes(32, "little"))


@every_check
def test_points_off_the_curve_are_refused(check: Check) -> None:
    off = (2).to_bytes(32, "little")
    assert zip215.decode(off) is None
    assert not check(off, b"x", SMALL_ORDER[0] + bytes(32))
    assert not check(SMALL_ORDER[0], b"x", off + bytes(32))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, zip215.L - 1),
    st.integers(1, zip215.L - 1),
    st.integers(0, 7),
    st.integers(0, 7),
    st.binary(max_size=80),
)
def test_torsion_in_key_and_r_changes_no_verdict(
    secret: int, nonce: int, of_key: int, of_r: int, message: bytes
) -> None:
    key = zip215.encode(zip215.add(zip215.multiply(secret, zip215.BASE), TORSION[of_key]))
    r = zip215.encode(zip215.add(zip215.multiply(nonce, zip215.BASE), TORSION[of_r]))
    k = int.from_bytes(sha512(r + key + message).digest(), "little")
    s = (nonce + k * secret) % zip215.L
    assert verdicts(key, message, r + s.to_bytes(32, "little")) == {True}
    assert verdicts(key, message, r + ((s + 1) % zip215.L).to_bytes(32, "little")) == {False}


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=60), st.binary(min_size=64, max_size=64))
def test_random_bytes_get_one_verdict(key: bytes, message: bytes, signature: bytes) -> None:
    signature = signature[:63] + bytes([signature[63] & 0x0F])  # S below 2²⁵², so that points are looked at
    assert len(verdicts(key, message, signature)) == 1


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_what_libsodium_signs_is_good(secret: bytes, message: bytes) -> None:
    signing = SigningKey(secret)
    assert verdicts(bytes(signing.verify_key), message, signing.sign(message).signature) == {True}


@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_small_order_keys_are_not_registered(key: bytes) -> None:
    with pytest.raises(BadForm) as refused:
        crypto.check_key(crypto.ED25519, key)
    assert refused.value.facts() == [("field", "key"), ("reason", "small order")]


@pytest.mark.parametrize("key", NOT_CANONICAL, ids=bytes.hex)
def test_other_encodings_are_not_registered(key: bytes) -> None:
    assert crypto.key_fault(crypto.ED25519, key) == "encoding"


def test_all_encodings_above_the_prime_are_not_registered() -> None:
    for y in range(zip215.P, 2**255):
        for sign in (0, 1):
            raw = (y | sign << 255).to_bytes(32, "little")
            assert crypto.key_fault(crypto.ED25519, raw) in {"encoding", "not on the curve"}


@pytest.mark.skipif(not crypto.native_present(), reason="kerege_native is not installed")
@given(st.sampled_from((*SMALL_ORDER, *NOT_CANONICAL)) | st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_twins_refuse_the_same_keys(key: bytes) -> None:
    assert kerege_native.ed25519_key_fault(key) == ed25519.key_fault(key)


def test_arithmetic_agrees_with_itself() -> None:
    assert zip215.is_identity(zip215.multiply(zip215.L, zip215.BASE))
    assert zip215.encode(zip215.BASE).hex() == "58" + "66" * 31
    assert zip215.encode(zip215.double(zip215.BASE)) == zip215.encode(zip215.add(zip215.BASE, zip215.BASE))
    assert zip215.is_identity(zip215.add(zip215.BASE, zip215.negate(zip215.BASE)))
