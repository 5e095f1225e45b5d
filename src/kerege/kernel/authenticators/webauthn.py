"""WebAuthn keys on P-256 (kind 2): passkeys and smart cards, by the assertion of Web Authentication Level 3.

The signature field is the MessagePack array [authenticatorData, clientDataJSON, r ‖ s], in one encoding only.
The transaction id is the challenge; clientDataJSON is compared byte by byte by the standard's "limited
verification algorithm" (§5.8.1.2), so no JSON parser takes part in consensus.

Decided here:
- authenticatorData is exactly 37 bytes: attested credential data and extensions are refused, as nothing of
  theirs is needed to sign a transaction; the signature counter is never read (synced passkeys send 0).
- s is the lower of s and n − s. Authenticators give either and both are valid, but the fixed encoding is made
  after them, so its maker normalises. Otherwise anybody could turn a witness into a second valid one, with
  another witness hash in the receipt.
- Reserved flag bits are ignored: they are under the signature and mean nothing yet.

Split in two, because the verdict of the first never changes and that of the second depends on state:
`verify` (signature, challenge, flags) and `is_allowed` (origin and relying party from the ledger's lists).
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

KEY_LENGTH = 33
"""The compressed point: 0x02 or 0x03, then x."""

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the group."""

AUTHENTICATOR_DATA_LENGTH = 37
"""rpIdHash (32) ‖ flags (1) ‖ counter (4)."""

MAXIMUM_CLIENT_DATA = 768
"""Bytes of clientDataJSON: some 130 are usual, 290 with what browsers add against templates."""

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED_DATA, EXTENSION_DATA = 1, 4, 8, 16, 64, 128

_CURVE = ec.SECP256R1()
_ECDSA = ec.ECDSA(SHA256())
_ORIGIN = b',"origin":'
_CROSS_ORIGIN = b',"crossOrigin":false'
_TOP_ORIGIN = b'"topOrigin"'


class Assertion(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What an authenticator gave, in the fixed encoding of the signature field."""

    authenticator_data: Annotated[
        bytes, Meta(min_length=AUTHENTICATOR_DATA_LENGTH, max_length=AUTHENTICATOR_DATA_LENGTH)
    ]
    client_data: Annotated[bytes, Meta(max_length=MAXIMUM_CLIENT_DATA)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    """r ‖ s, 32 bytes each, big-endian, s the lower of s and n − s."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Assertion).decode


def encode(assertion: Assertion) -> bytes:
    """The signature field of an assertion."""
    return _encode(assertion)


def decode(signature: bytes) -> Assertion | None:
    """The assertion of a signature field; none where the bytes are not its one encoding."""
    try:
        assertion = _decode(signature)
    except (msgspec.DecodeError, ValueError):
        return None
    return assertion if _encode(assertion) == signature else None


def normalise(der_r: int, der_s: int) -> bytes:
    """The 64 bytes r ‖ s with the lower s, of the two integers of an authenticator's DER signature."""
    return der_r.to_bytes(32) + min(der_s, ORDER - der_s).to_bytes(32)


def verify(key: bytes, transaction: bytes, signature: bytes) -> bool:
    """Whether the assertion is good for a transaction id, wherever it was made; total over any bytes."""
    assertion = decode(signature)
    if assertion is None or len(key) != KEY_LENGTH:
        return False
    if not _flags_are_good(assertion.authenticator_data[32]):
        return False
    if not assertion.client_data.startswith(_opening(transaction)):
        return False
    return _verify_signature(key, assertion)


def is_allowed(transaction: bytes, signature: bytes, origins: Sequence[str], rp_ids: Sequence[str]) -> bool:
    """Whether the assertion was made on a page and for a relying party of these lists, not inside a foreign frame.

    Says nothing about the signature; total over any bytes.
    """
    assertion = decode(signature)
    if assertion is None:
        return False
    rp_id_hash = assertion.authenticator_data[:32]
    if not any(sha256(rp_id.encode()).digest() == rp_id_hash for rp_id in rp_ids):
        return False
    opening = _opening(transaction)
    return any(_matches(assertion.client_data, opening + _text(origin) + _CROSS_ORIGIN) for origin in origins)


def _flags_are_good(flags: int) -> bool:
    """Somebody was there and was verified; not backed up without being eligible; nothing follows the counter."""
    needed = USER_PRESENT | USER_VERIFIED
    if flags & needed != needed or flags & (ATTESTED_DATA | EXTENSION_DATA):
        return False
    return not flags & BACKED_UP or bool(flags & BACKUP_ELIGIBLE)


def _opening(transaction: bytes) -> bytes:
    challenge = urlsafe_b64encode(transaction).rstrip(b"=")
    return b'{"type":"webauthn.get","challenge":"' + challenge + b'"' + _ORIGIN


def _matches(client_data: bytes, expected: bytes) -> bool:
    """The end of the limited verification: `}` and nothing more, or `,` and members that are not `topOrigin`."""
    if not client_data.startswith(expected):
        return False
    rest = client_data[len(expected) :]
    return rest == b"}" or (rest[:1] == b"," and rest[-1:] == b"}" and _TOP_ORIGIN not in rest)


def _text(value: str) -> bytes:
    """CCDToString of the standard (§5.8.1.1)."""
    out = []
    for letter in value:
        if letter in '"\\':
            out.append("\\" + letter)
        else:
            out.append(letter if letter >= " " else f"\\u{ord(letter):04x}")
    return f'"{"".join(out)}"'.encode()


def _verify_signature(key: bytes, assertion: Assertion) -> bool:
    r, s = int.from_bytes(assertion.signature[:32]), int.from_bytes(assertion.signature[32:])
    if not (0 < r < ORDER and 0 < s <= ORDER // 2):
        return False
    signed = assertion.authenticator_data + sha256(assertion.client_data).digest()
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, key).verify(encode_dss_signature(r, s), signed, _ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_fault(key: bytes) -> str:
    """Why a key may not be registered; empty where it may.

    The group has prime order, so no point is of small order; x ≥ p is refused as no point.
    """
    if len(key) != KEY_LENGTH:
        return "length"
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, key)
    except ValueError:
        return "not on the curve"
    return ""
