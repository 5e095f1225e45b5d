"""Where a block's parts stand in the store: the one mapping between kernel objects and stored rows."""

from collections.abc import Iterator

import msgspec

from kerege.kernel.block import Block, Head, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.storage.port import Area, Batch, Store

_HEAD = b"head"
_GENESIS = b"genesis"
KEPT_HEIGHTS = 128
"""Heights at which proofs can be made."""

Undo = list[tuple[bytes, bytes | None]]
_UNDO = msgspec.msgpack.Decoder(Undo)


def height_key(height: int) -> bytes:
    """Order-preserving key of a height."""
    return height.to_bytes(8, "big")


def tile_key(level: int, index: int) -> bytes:
    """Key of a tile of the log."""
    return bytes([level]) + index.to_bytes(8, "big")


def batch_of(block: Block, undo_from: int) -> Batch:
    """Everything of a block as one atomic write; undo rows before `undo_from` are dropped."""
    batch, key = Batch(), height_key(block.head.height)
    batch.update(Area.STATE, block.state)
    batch.put(Area.BLOCKS, key, encode(block.stored))
    batch.update(Area.INDEX, {identifier: encode(place) for identifier, place in block.index.items()})
    batch.update(Area.LOG, {tile_key(*place): tile for place, tile in block.tiles.items()})
    batch.put(Area.UNDO, key, encode(block.undo))
    if undo_from > 0:
        batch.delete(Area.UNDO, height_key(undo_from - 1))
    batch.put(Area.META, _HEAD, encode(block.head))
    return batch


def read_head(store: Store) -> Head | None:
    """Where the ledger stands, or None before genesis."""
    raw = store.get(Area.META, _HEAD)
    return None if raw is None else decode(raw, Head)


def write_genesis(store: Store, genesis: bytes) -> None:
    """Keep the ledger's first bytes beside it."""
    batch = Batch()
    batch.put(Area.META, _GENESIS, genesis)
    store.write(batch)


def read_genesis(store: Store) -> bytes | None:
    """The ledger's first bytes."""
    return store.get(Area.META, _GENESIS)


def read_block(store: Store, height: int) -> StoredBlock | None:
    """The block of a height, or None."""
    raw = store.get(Area.BLOCKS, height_key(height))
    return None if raw is None else decode(raw, StoredBlock)


def read_blocks(store: Store, start: int = 0) -> Iterator[StoredBlock]:
    """Blocks from a height on, in order."""
    for _, raw in store.scan(Area.BLOCKS, height_key(start)):
        yield decode(raw, StoredBlock)


def read_undo(store: Store, height: int) -> Undo | None:
    """State key → stored bytes before the block of that height; None where it is no longer kept."""
    raw = store.get(Area.UNDO, height_key(height))
    return None if raw is None else _UNDO.decode(raw)


def find_place(store: Store, transaction: bytes) -> tuple[int, int] | None:
    """(height, position among the block's leaves) of a transaction's receipt."""
    raw = store.get(Area.INDEX, transaction)
    return None if raw is None else decode(raw, tuple[int, int])
