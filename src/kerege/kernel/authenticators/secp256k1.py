"""secp256k1 keys (kind 3): those of Ethereum wallets, so that a wallet's address is the ledger's."""

from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kerege.kernel.authenticators.keccak import keccak

KEY_LENGTH = 33
"""The compressed point: 0x02 or 0x03, then x."""

SIGNATURE_LENGTH = 64
"""r ‖ s, 32 bytes each, big-endian."""

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the group."""


def verify_digest(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether r ‖ s is good for a 32-byte digest under a key; total over any bytes.

    Only the lower of s and n − s (EIP-2): of a wallet's signature there is one form, so one witness.
    """
    if len(key) != KEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (0 < r < ORDER and 0 < s <= ORDER // 2):
        return False
    try:
        return bool(PublicKey(key).verify(encode_dss_signature(r, s), digest, hasher=None))
    except ValueError:
        return False


def address(key: bytes) -> bytes:
    """The Ethereum address: the last 20 bytes of keccak(x ‖ y); raises `ValueError` where the key is no point."""
    if len(key) != KEY_LENGTH:
        raise ValueError(f"a compressed key of {KEY_LENGTH} bytes expected")
    return keccak(PublicKey(key).format(compressed=False)[1:])[12:]


def key_fault(key: bytes) -> str:
    """Why a key may not be registered; empty where it may.

    The group has prime order, so no point is of small order; x ≥ p is refused as no point.
    """
    if len(key) != KEY_LENGTH:
        return "length"
    try:
        PublicKey(key)
    except ValueError:
        return "not on the curve"
    return ""
