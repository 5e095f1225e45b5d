"""Passkeys: what of an assertion is checked, one refusal each, and the standard's own vectors."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel import crypto
from kerege.kernel.authenticators import webauthn
from kerege.kernel.authenticators.webauthn import (
    ATTESTED_DATA,
    BACKED_UP,
    BACKUP_ELIGIBLE,
    EXTENSION_DATA,
    USER_PRESENT,
    USER_VERIFIED,
    Assertion,
)
from kerege.testing.signers import PasskeySigner
from tests.kernel import signed

ORIGIN, RP_ID = "https://portal.gov.kg", "portal.gov.kg"
PLACES = crypto.SignatureSettings((ORIGIN,), (RP_ID,))
PRESENT = USER_PRESENT | USER_VERIFIED
SECRET = b"\x22" * 32


def verdict(signer: PasskeySigner, places: crypto.SignatureSettings = PLACES) -> bool:
    """Whether the ledger takes what this authenticator signs."""
    transaction = signed.signed_by(signer)
    return crypto.verify(2, signer.key, transaction, transaction.witness.signature, places)


def assertion_of(signer: PasskeySigner) -> tuple[crypto.Signed, Assertion]:
    """A good assertion and what it is for."""
    transaction = signed.signed_by(signer)
    assertion = webauthn.decode(transaction.witness.signature)
    assert assertion is not None
    return transaction, assertion


# The standard's vectors

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "webauthn_l3.json").read_text())
VECTORS = {each["name"]: {name: each[name] for name in each if name != "name"} for each in TABLE["assertions"]}
EXAMPLE = crypto.SignatureSettings(("https://example.org",), ("example.org",))

# Our answer to each: a transaction needs a verified user and no foreign frame, and many of the vectors have none.
EXPECTED = {
    "none-es256": "user not verified",
    "packed-self-es256": "user not verified",
    "none-es256-crossOrigin": "crossOrigin is true",
    "none-es256-topOrigin": "crossOrigin is true",
    "none-es256-long-credential-id": "",
    "packed-es256": "",
    "tpm-es256": "",
    "android-key-es256": "user not verified",
    "apple-es256": "user not verified",
    "fido-u2f-es256": "user not verified",
}


class _Challenge:
    """A transaction whose id is the vector's challenge."""

    def __init__(self, challenge: bytes) -> None:
        self.id = challenge
        self.body = signed.body_of(signed.PASSKEY)


def read(name: str) -> tuple[bytes, _Challenge, Assertion, tuple[int, int]]:
    """Key, challenge, assertion in our encoding, and the DER signature's integers."""
    vector = {field: bytes.fromhex(text) for field, text in VECTORS[name].items()}
    integers = decode_dss_signature(vector["signature"])
    assertion = Assertion(vector["authenticatorData"], vector["clientDataJSON"], webauthn.normalise(*integers))
    return vector["key"], _Challenge(vector["challenge"]), assertion, integers


def test_every_vector_is_judged() -> None:
    assert set(VECTORS) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_level_3_vectors(name: str) -> None:
    key, transaction, assertion, _ = read(name)
    crypto.check_key(2, key)
    assert webauthn._verify_signature(key, assertion)
    assert crypto.verify(2, key, transaction, webauthn.encode(assertion), EXAMPLE) is (EXPECTED[name] == "")


@pytest.mark.parametrize("name", EXPECTED)
def test_level_3_vectors_are_refused_for_the_reason_told(name: str) -> None:
    _, transaction, assertion, _ = read(name)
    verified = bool(assertion.authenticator_data[32] & USER_VERIFIED)
    framed = b'"crossOrigin":true' in assertion.client_data
    assert (not verified) is (EXPECTED[name] == "user not verified")
    assert framed is (EXPECTED[name] == "crossOrigin is true")
    allowed = webauthn.is_allowed(transaction.id, webauthn.encode(assertion), *EXAMPLE)
    assert allowed is not framed


def test_level_3_vectors_with_high_s_are_refused_as_they_stand() -> None:
    high = 0
    for name, reason in EXPECTED.items():
        key, transaction, assertion, (r, s) = read(name)
        if s > webauthn.ORDER // 2 and not reason:
            high += 1
            as_it_stands = Assertion(
                assertion.authenticator_data, assertion.client_data, r.to_bytes(32) + s.to_bytes(32)
            )
            assert not crypto.verify(2, key, transaction, webauthn.encode(as_it_stands), EXAMPLE)
    assert high == 3


# Refusals


@pytest.mark.parametrize(
    "flags",
    [
        0,
        USER_PRESENT,
        USER_VERIFIED,
        PRESENT | BACKED_UP,
        PRESENT | ATTESTED_DATA,
        PRESENT | EXTENSION_DATA,
        PRESENT | BACKUP_ELIGIBLE | BACKED_UP | EXTENSION_DATA,
    ],
)
def test_flags_refused(flags: int) -> None:
    assert not verdict(PasskeySigner(SECRET, flags=flags))


@pytest.mark.parametrize("flags", [0, BACKUP_ELIGIBLE, BACKUP_ELIGIBLE | BACKED_UP, 2, 32])
def test_flags_taken(flags: int) -> None:
    assert verdict(PasskeySigner(SECRET, flags=PRESENT | flags))


@pytest.mark.parametrize(
    "places",
    [
        crypto.NO_ORIGINS,
        crypto.SignatureSettings((ORIGIN,), ()),
        crypto.SignatureSettings((), (RP_ID,)),
        crypto.SignatureSettings((ORIGIN,), ("gov.kg",)),
        crypto.SignatureSettings(("https://portal.gov.kg.evil.example",), (RP_ID,)),
        crypto.SignatureSettings(("https://portal.gov.k",), (RP_ID,)),
        crypto.SignatureSettings(("http://portal.gov.kg",), (RP_ID,)),
        crypto.SignatureSettings(("",), ("",)),
    ],
)
def test_other_places_refused(places: crypto.SignatureSettings) -> None:
    assert not verdict(signed.PASSKEY, places)


def test_any_place_of_the_lists_is_taken() -> None:
    assert verdict(signed.PASSKEY, crypto.SignatureSettings(("https://b.kg", ORIGIN), ("b.kg", RP_ID)))


@pytest.mark.parametrize("extra", [',"other":"x"', ',"extraData":{"a":[1,"}"]}'])
def test_further_members_are_taken(extra: str) -> None:
    assert verdict(PasskeySigner(SECRET, extra=extra))


@pytest.mark.parametrize(
    "extra",
    [
        ',"topOrigin":"https://evil.example"',
        ',"x":1,"topOrigin":"https://evil.example"',
        " ",
        "x",
        "}",
        ',"long":"' + "x" * 768 + '"',
    ],
)
def test_other_endings_are_refused(extra: str) -> None:
    assert not verdict(PasskeySigner(SECRET, extra=extra))


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"webauthn.get", b"webauthn.create"),
        (b'"crossOrigin":false', b'"crossOrigin":true'),
        (b'"crossOrigin":false', b'"crossOrigin": false'),
        (b',"crossOrigin":false', b""),
        (b'{"type"', b'{ "type"'),
        (b'"type":"webauthn.get",', b""),
        (b"}", b"} "),
        (b"}", b""),
    ],
)
def test_client_data_of_another_form_is_refused_though_signed(
    found: bytes, put: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction, assertion = assertion_of(signed.PASSKEY)
    changed = Assertion(assertion.authenticator_data, assertion.client_data.replace(found, put), assertion.signature)
    assert changed != assertion
    monkeypatch.setattr(webauthn, "_verify_signature", lambda *_: True)
    assert crypto.verify(2, signed.PASSKEY.key, transaction, webauthn.encode(assertion), PLACES)
    assert not crypto.verify(2, signed.PASSKEY.key, transaction, webauthn.encode(changed), PLACES)


def test_the_challenge_is_the_transaction_id(monkeypatch: pytest.MonkeyPatch) -> None:
    _, assertion = assertion_of(signed.PASSKEY)
    other = signed.signed_by(signed.PASSKEY, sequence=9)
    monkeypatch.setattr(webauthn, "_verify_signature", lambda *_: True)
    assert not crypto.verify(2, signed.PASSKEY.key, other, webauthn.encode(assertion), PLACES)
    padded = urlsafe_b64encode(other.id)
    forms = (padded, padded.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/"), other.id.hex().encode())
    plain = padded.rstrip(b"=")
    for form in forms:
        client_data = assertion.client_data.replace(assertion.client_data[36:79], form)
        changed = webauthn.encode(Assertion(assertion.authenticator_data, client_data, assertion.signature))
        assert crypto.verify(2, signed.PASSKEY.key, other, changed, PLACES) is (form == plain)


def test_the_higher_s_is_refused() -> None:
    transaction, assertion = assertion_of(signed.PASSKEY)
    r, s = assertion.signature[:32], int.from_bytes(assertion.signature[32:])
    high = Assertion(assertion.authenticator_data, assertion.client_data, r + (webauthn.ORDER - s).to_bytes(32))
    assert not crypto.verify(2, signed.PASSKEY.key, transaction, webauthn.encode(high), PLACES)


@pytest.mark.parametrize("r", [0, webauthn.ORDER, 2**256 - 1])
@pytest.mark.parametrize("s", [0, webauthn.ORDER, 2**256 - 1])
def test_integers_out_of_bounds_are_refused(r: int, s: int) -> None:
    transaction, assertion = assertion_of(signed.PASSKEY)
    changed = Assertion(assertion.authenticator_data, assertion.client_data, r.to_bytes(32) + s.to_bytes(32))
    assert not crypto.verify(2, signed.PASSKEY.key, transaction, webauthn.encode(changed), PLACES)


def test_only_one_encoding_is_read() -> None:
    transaction, assertion = assertion_of(signed.PASSKEY)
    parts = [assertion.authenticator_data, assertion.client_data, assertion.signature]
    good = msgspec.msgpack.encode(parts)
    assert good == transaction.witness.signature  # type: ignore[attr-defined]
    longer = good.replace(b"\xc4\x25", b"\xc5\x00\x25", 1)  # the same bytes, their length in two bytes
    assert msgspec.msgpack.decode(longer) == parts
    for other in (
        longer,
        b"\xdc\x00\x03" + good[1:],
        good + b"\xc0",
        msgspec.msgpack.encode([*parts, b""]),
        msgspec.msgpack.encode(parts[:2]),
        msgspec.msgpack.encode([parts[0] + b"\0", *parts[1:]]),
        msgspec.msgpack.encode([parts[0], parts[1].decode(), parts[2]]),
    ):
        assert not crypto.verify(2, signed.PASSKEY.key, transaction, other, PLACES)


def test_the_longest_assertion_fits_a_witness() -> None:
    longest = Assertion(bytes(37), bytes(webauthn.MAXIMUM_CLIENT_DATA), bytes(64))
    assert len(webauthn.encode(longest)) <= 1024


def test_origins_are_written_as_the_standard_writes_them() -> None:
    assert webauthn._text('a"b\\c\n\x1fя') == b'"a\\"b\\\\c\\u000a\\u001f\xd1\x8f"'


@given(st.integers(0, 255))
def test_all_flag_bytes(flags: int) -> None:
    present = flags & PRESENT == PRESENT
    backup = not flags & BACKED_UP or flags & BACKUP_ELIGIBLE
    nothing_follows = not flags & (ATTESTED_DATA | EXTENSION_DATA)
    assert verdict(PasskeySigner(SECRET, flags=flags)) is bool(present and backup and nothing_follows)


def test_the_counter_is_never_read() -> None:
    for counter in (0, 1, 2**32 - 1):
        signer = PasskeySigner(SECRET, counter=counter)
        _, assertion = assertion_of(signer)
        assert assertion.authenticator_data[33:] == counter.to_bytes(4)
        assert assertion.authenticator_data[:32] == sha256(RP_ID.encode()).digest()
        assert verdict(signer)
