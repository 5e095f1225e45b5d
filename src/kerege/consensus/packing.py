"""A node packs what it has looked at: as many transactions in a parcel as its bounds allow, in their order."""

from collections.abc import Sequence
from typing import TypeVar

from nacl.signing import SigningKey

from kerege.consensus import parcels
from kerege.consensus.turns import HasTransaction
from kerege.kernel.context import Context
from kerege.modules.authority.keeper import Authority
from kerege.modules.authority.types import NodeKeyKind

T = TypeVar("T", bound=HasTransaction)


class Packer:
    """Packs with one gateway key."""

    def __init__(self, seed: bytes, ledger: str) -> None:
        self._seed = seed
        self._ledger = ledger
        self.public = bytes(SigningKey(seed).verify_key)

    def __repr__(self) -> str:
        return f"Packer({self.public.hex()})"

    def is_registered(self, ctx: Context) -> bool:
        """Whether validators let in what this key packs."""
        return is_gateway(ctx, self.public)

    def pack(self, things: Sequence[T], made: int) -> list[tuple[bytes, list[T]]]:
        """What to give the engine, and what is in it; one that would be alone in a parcel goes as it is, once."""
        packed = []
        for inside in _portions(things):
            raws = [thing.transaction.raw for thing in inside]
            raw = raws[0] if len(raws) == 1 else parcels.pack(self._seed, self._ledger, made, raws)
            packed.append((raw, inside))
        return packed


def is_gateway(ctx: Context, key: bytes) -> bool:
    """Whether a key is registered for a gateway and counts now."""
    found = ctx.use(Authority).find_node_key(key)
    return found is not None and found.kind is NodeKeyKind.GATEWAY


def _portions(things: Sequence[T]) -> list[list[T]]:
    found: list[list[T]] = []
    size = weight = 0
    for thing in things:
        own = len(thing.transaction.raw) + parcels.EACH
        fits = size + own <= parcels.MAXIMUM_SIZE and weight + thing.transaction.weight <= parcels.MAXIMUM_WEIGHT
        if not found or not fits or len(found[-1]) == parcels.MAXIMUM_TRANSACTIONS:
            found.append([])
            size, weight = parcels.OVERHEAD, 0
        found[-1].append(thing)
        size += own
        weight += thing.transaction.weight
    return found
