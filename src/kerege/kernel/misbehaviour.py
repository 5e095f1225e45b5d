"""What an engine may tell of its validators together with a block: a part of what the block does, so it is kept."""

from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Code, Height, Time

ConsensusAddress = Annotated[bytes, Meta(min_length=20, max_length=20, extra={"form": "hash"})]
"""How an engine names a validator: the first 20 bytes of the SHA-256 of its consensus key."""


class Misbehaviour(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="misbehaviour"):
    """That a validator signed what it must not: proved to the engine, which has checked the proof."""

    kind: Code
    """What it did, in a word: `duplicate-vote`, `light-client-attack`."""
    validator: ConsensusAddress
    height: Height
    """Of the block at which it was done."""
    time: Time
    """Of that block."""
