"""People of tests and vectors: a name stands for a key and its address, the same on every machine."""

from functools import cache
from hashlib import sha256

from kerege.testing.signers import Ed25519Signer


@cache
def signer(name: str) -> Ed25519Signer:
    """The Ed25519 signer of a name."""
    return Ed25519Signer(sha256(f"kerege/testing/{name}".encode()).digest())


def address(name: str) -> bytes:
    """The address of a name."""
    return signer(name).address


def random_like(name: str, length: int) -> bytes:
    """Bytes that look random and are the same for a name everywhere: ids, commitments, blinds of vectors."""
    return sha256(f"kerege/testing/bytes/{name}".encode()).digest()[:length]
