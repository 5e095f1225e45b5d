"""Field commitments and content roots: what the ledger keeps of a value that stays outside it.

One field of a record becomes SHA-256 over a tag, its name, 32 random bytes and its value; the fields of one record
version, in the order of the service's field list, become one RFC 6962 root. Whoever holds value, salt and path proves
one field and says nothing about the others; whoever holds none of them learns nothing, and once the salt is destroyed
nothing is left to guess. `kerege.proofs` has its own twin of these functions, tested equal.
"""

import hashlib
from collections.abc import Sequence

SALT_LENGTH = 32
"""Random bytes per field: as many as the digest, so that guessing the salt is no easier than inverting the hash."""

_TAG = b"kerege/field/1\x00"
_MAXIMUM_FIELD_LENGTH = 255


def commitment(field: str, salt: bytes, value: str) -> bytes:
    """Commit to one value: SHA-256("kerege/field/1" ‖ 0x00 ‖ byte(len(field)) ‖ field ‖ salt ‖ value), 32 bytes.

    The field name carries its length and the salt is of fixed length, so no two triples share an input. The value is
    taken as it is: making it canonical is the caller's duty. Raises `ValueError` for a salt that is not 32 bytes, a
    field name of no or more than 255 bytes, and text that has no UTF-8 form (lone surrogates).
    """
    name = field.encode()
    if not 0 < len(name) <= _MAXIMUM_FIELD_LENGTH:
        message = f"a field name has 1 to {_MAXIMUM_FIELD_LENGTH} bytes, not {len(name)}"
        raise ValueError(message)
    if len(salt) != SALT_LENGTH:
        message = f"a salt has {SALT_LENGTH} bytes, not {len(salt)}"
        raise ValueError(message)
    return hashlib.sha256(b"".join((_TAG, bytes((len(name),)), name, salt, value.encode()))).digest()


def content_root(commitments: Sequence[bytes]) -> bytes:
    """Root of one record version: the RFC 6962 Merkle tree hash over its field commitments, in their order."""
    count = len(commitments)
    if count == 0:
        return hashlib.sha256(b"").digest()
    if count == 1:
        return hashlib.sha256(b"\x00" + commitments[0]).digest()
    split = _split(count)
    return hashlib.sha256(b"\x01" + content_root(commitments[:split]) + content_root(commitments[split:])).digest()


def inclusion_path(commitments: Sequence[bytes], position: int) -> tuple[bytes, ...]:
    """Path that proves one field of a record version: RFC 6962 `PATH(position, …)`, from the leaf upwards.

    Raises `IndexError` where no field has that position.
    """
    count = len(commitments)
    if not 0 <= position < count:
        message = f"position {position} of {count} fields"
        raise IndexError(message)
    if count == 1:
        return ()
    split = _split(count)
    if position < split:
        return (*inclusion_path(commitments[:split], position), content_root(commitments[split:]))
    return (*inclusion_path(commitments[split:], position - split), content_root(commitments[:split]))


def _split(count: int) -> int:
    """Return the largest power of two below `count` (RFC 6962 §2.1)."""
    return 1 << (count - 1).bit_length() - 1
