"""Where a ledger begins: its id, its time, and what each module holds before the first block."""

from hashlib import sha256
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.codec import encode
from kerege.kernel.types import Code, Time

FORMAT = "kerege-genesis/1"


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=FORMAT):
    """The first bytes of a ledger; their hash stands in every trust file."""

    ledger: Code
    """Id of the ledger: inside every transaction, so that none runs on another."""
    prefix: Annotated[str, Meta(min_length=2, max_length=8, pattern=r"\A[a-z]+\Z")]
    """Prefix of addresses as text."""
    time: Time
    modules: list[tuple[str, bytes]]
    """Module name and the canonical bytes of its genesis, in order of modules."""


def genesis_hash(genesis: Genesis) -> bytes:
    """SHA-256 of the canonical bytes."""
    return sha256(encode(genesis)).digest()
