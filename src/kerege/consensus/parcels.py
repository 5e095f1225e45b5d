"""Parcels: many signed transactions in one transaction of the engine, whose cost is per engine transaction.

A parcel carries no trust. The transactions in it keep their witnesses, their order of law and their receipts; nobody
asks who packed them when they run, and one that comes twice runs once. The packer's key, registered in the state for a
gateway, only buys the place in the pool: without it anybody could make endless permutations of others' transactions.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from nacl.signing import SigningKey

from kerege.kernel import crypto
from kerege.kernel.codec import encode
from kerege.kernel.errors import NotCanonical, TooLarge
from kerege.kernel.scan import Malformed, scan
from kerege.kernel.types import Hash, Time

MAXIMUM_SIZE = 64 * 1024
"""Bytes of a parcel."""
MAXIMUM_TRANSACTIONS = 512
MAXIMUM_WEIGHT = 5_000
"""Units of work that a parcel may ask for: several fit into a block."""
LARGEST = 16 * 1024
"""Bytes of a transaction beyond which it goes alone."""
DOMAIN = b"kerege/parcel/1\0"
"""What stands before the hash that a gateway's key signs."""
_TAG = "kerege-parcel/1"
_ENVELOPE_ITEMS = 7
"""The array and its five values, and the array of transactions."""


class Parcel(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=_TAG, gc=False):
    """What one node packed."""

    gateway: Hash
    """Ed25519 public key."""
    made: Time
    """When, by the packer's clock: what has to be packed again is another parcel, and goes round again."""
    transactions: Annotated[list[bytes], Meta(min_length=1, max_length=MAXIMUM_TRANSACTIONS)]
    """The bytes of each, as its sender signed it."""
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    """By the gateway's key."""


_DECODER = msgspec.msgpack.Decoder(Parcel)
_MARK = bytes([0x90 + 5]) + encode(_TAG)
"""How the bytes of a parcel begin, and those of no transaction."""
OVERHEAD = len(_MARK) + 2 + 32 + 9 + 3 + 2 + 64
"""Bytes of a parcel beside its transactions, at most."""
EACH = 3
"""Bytes that each transaction takes beside its own, at most."""


def pack(seed: bytes, ledger: str, made: int, transactions: Sequence[bytes]) -> bytes:
    """A parcel, signed with a gateway's key."""
    key = SigningKey(seed)
    gateway = bytes(key.verify_key)
    signature = key.sign(_payload(ledger, gateway, made, transactions)).signature
    return encode(Parcel(gateway, made, list(transactions), signature))


def is_parcel(raw: bytes) -> bool:
    """Whether the bytes mean to be a parcel: such bytes are never a transaction."""
    return raw.startswith(_MARK)


def read(raw: bytes) -> Parcel:
    """The parcel of its canonical bytes; raises `TooLarge` or `NotCanonical`. Nothing in it has been looked at."""
    if len(raw) > MAXIMUM_SIZE:
        raise TooLarge(size=len(raw), limit=MAXIMUM_SIZE)
    try:
        scan(raw, 2, MAXIMUM_TRANSACTIONS + _ENVELOPE_ITEMS)
        parcel = _DECODER.decode(raw)
    except Malformed as error:
        raise NotCanonical(reason=error.reason) from None
    except ValueError:
        raise NotCanonical(reason="parcel") from None
    if encode(parcel) != raw:
        raise NotCanonical(reason="encoding")
    return parcel


def is_signed(parcel: Parcel, ledger: str) -> bool:
    """Whether the key that a parcel names has signed it, for this ledger."""
    payload = _payload(ledger, parcel.gateway, parcel.made, parcel.transactions)
    return crypto.ed25519_verify(parcel.gateway, payload, parcel.signature)


def opened(raw: bytes) -> list[bytes]:
    """What an engine's transaction brings to the ledger, whoever packed it; bytes that are no parcel, themselves."""
    if not is_parcel(raw):
        return [raw]
    try:
        return read(raw).transactions
    except (NotCanonical, TooLarge):
        return [raw]


def _payload(ledger: str, gateway: bytes, made: int, transactions: Sequence[bytes]) -> bytes:
    return DOMAIN + sha256(encode((ledger, gateway, made, transactions))).digest()
