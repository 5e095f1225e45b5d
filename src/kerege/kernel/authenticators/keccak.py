"""Keccak-256 as Ethereum uses it (not SHA3-256)."""

from sha3 import keccak_256


def keccak(data: bytes) -> bytes:
    """The 32-byte digest."""
    return bytes(keccak_256(data).digest())
