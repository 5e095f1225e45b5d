"""Where a block's parts stand in the store: the one mapping between kernel objects and stored rows.

A block is several rows of `Area.BLOCKS`, so that one receipt is read without all the others: under the height (8 bytes,
big-endian) its summary, under height ‖ 0x00 ‖ number its transactions, under height ‖ 0x01 ‖ number its leaves, 64 a
row, and under height ‖ 0x02 what the engine told of its validators, where it told something. What is read here was
written here; bytes that are not raise `ValueError`.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from kerege.kernel.block import Block, Head, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.types import Height, Time
from kerege.storage.port import RESERVED, Area, Batch, Store

HEAD = b"head"
GENESIS = b"genesis"
AGREED = RESERVED + b"agreed"
"""What a replicated engine and this store agreed on last: no part of the ledger, as roots go."""
RESTORING = RESERVED + b"restoring"
"""Is there while a snapshot is being restored: what else is there then is of no ledger yet."""
JOINED = RESERVED + b"joined"
"""Height of the snapshot that this store began with: there are no undo rows up to it."""
RETAINED = RESERVED + b"retained"
"""Lowest height whose block this store's engine was told to keep."""
KEPT_HEIGHTS = 128
"""Heights at which proofs can be made."""

GROUP = 64
"""Transactions, or leaves, of one row."""

_TRANSACTIONS, _LEAVES, _MISBEHAVIOUR = b"\0", b"\1", b"\2"

Undo = list[tuple[bytes, bytes | None]]
_UNDO = msgspec.msgpack.Decoder(Undo)


class Summary(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-block/1"):
    """A block without its transactions and leaves."""

    height: Height
    time: Time
    transactions: int
    """How many it holds."""
    first_leaf: int
    """Log index of the block's first leaf."""
    leaves: int
    """How many it added to the log."""
    head: Head


def height_key(height: int) -> bytes:
    """Order-preserving key of a height."""
    return height.to_bytes(8, "big")


def tile_key(level: int, index: int) -> bytes:
    """Key of a tile of the log."""
    return bytes([level]) + index.to_bytes(8, "big")


def batch_of(block: Block, undo_from: int, genesis: bytes | None = None) -> Batch:
    """Everything of a block as one atomic write (block 0: with the genesis); undo rows before `undo_from` go."""
    batch, key = Batch(), height_key(block.head.height)
    batch.update(Area.STATE, block.state)
    batch.update(Area.BLOCKS, block_rows(block.stored, block.executed.misbehaviour))
    batch.update(Area.INDEX, block.index)
    batch.update(Area.LOG, {tile_key(*place): tile for place, tile in block.tiles.items()})
    batch.put(Area.UNDO, key, block.undo)
    if undo_from > 0:
        # Heights have gaps where an engine decided empty blocks: what the block before left goes all at once.
        skipped = 1 if block.before is None else block.head.height - block.before.height
        if skipped == 1:
            batch.delete(Area.UNDO, height_key(undo_from - 1))
        else:
            batch.delete_range(Area.UNDO, height_key(max(0, undo_from - skipped)), height_key(undo_from))
    if genesis is not None:
        batch.put(Area.META, GENESIS, genesis)
    batch.put(Area.META, HEAD, encode(block.head))
    return batch


def block_rows(stored: StoredBlock, told: Sequence[Misbehaviour] = ()) -> dict[bytes, bytes]:
    """The rows that a block is kept as, with what the engine told of its validators."""
    key = height_key(stored.height)
    summary = Summary(
        stored.height, stored.time, len(stored.transactions), stored.first_leaf, len(stored.leaves), stored.head
    )
    rows = {key: encode(summary)}
    if told:
        rows[key + _MISBEHAVIOUR] = encode(told)
    for kind, items in ((_TRANSACTIONS, stored.transactions), (_LEAVES, stored.leaves)):
        for at in range(0, len(items), GROUP):
            rows[_group_key(key, kind, at)] = encode(items[at : at + GROUP])
    return rows


def _group_key(key: bytes, kind: bytes, position: int) -> bytes:
    return key + kind + (position // GROUP).to_bytes(4, "big")


def holds_transactions(key: bytes) -> bool:
    """Whether a row of `Area.BLOCKS` is a group of transactions."""
    return key[8:9] == _TRANSACTIONS


def holds_misbehaviour(key: bytes) -> bool:
    """Whether a row of `Area.BLOCKS` is what the engine told of its validators."""
    return key[8:9] == _MISBEHAVIOUR


def told_in(found: Mapping[bytes, bytes], height: int) -> list[Misbehaviour]:
    """What the engine told with a block, from the rows of it."""
    raw = found.get(height_key(height) + _MISBEHAVIOUR)
    return [] if raw is None else decode(raw, list[Misbehaviour])


def part_of(key: bytes) -> str:
    """What a row of `Area.BLOCKS` holds, in words."""
    parts = {b"": "summary", _TRANSACTIONS: "transactions", _LEAVES: "receipts", _MISBEHAVIOUR: "misbehaviour"}
    return parts.get(key[8:9], f"row {key.hex()}")


def read_head(store: Store) -> Head | None:
    """Where the ledger stands, or None before genesis."""
    raw = store.get(Area.META, HEAD)
    return None if raw is None else decode(raw, Head)


def read_genesis(store: Store) -> bytes | None:
    """The ledger's first bytes."""
    return store.get(Area.META, GENESIS)


def read_joined(store: Store) -> int | None:
    """Height of the snapshot that this store began with; None where it began with the genesis."""
    raw = store.get(Area.META, JOINED)
    return None if raw is None else decode(raw, int)


def is_restoring(store: Store) -> bool:
    """Whether a snapshot is being restored, so that nothing that is read counts."""
    return store.get(Area.META, RESTORING) is not None


def read_summary(store: Store, height: int) -> Summary | None:
    """What a block comes to, or None."""
    raw = store.get(Area.BLOCKS, height_key(height))
    return None if raw is None else decode(raw, Summary)


def read_block(store: Store, height: int) -> StoredBlock | None:
    """The block of a height with all its transactions and receipts, or None."""
    return next(read_blocks(store, height, height + 1), None)


def read_blocks(store: Store, start: int = 0, end: int | None = None) -> Iterator[StoredBlock]:
    """Blocks from a height on, in order, up to before another height; raises `ValueError` where a part is missing."""
    return assemble(store.scan(Area.BLOCKS, height_key(start), None if end is None else height_key(end)))


def assemble(found: Iterator[tuple[bytes, bytes]]) -> Iterator[StoredBlock]:
    """The blocks of rows in order; raises `ValueError` where a part is missing, or bytes are none of ours."""
    summary: Summary | None = None
    transactions: list[bytes] = []
    leaves: list[bytes] = []
    for key, raw in found:
        if len(key) == len(height_key(0)):
            if summary is not None:
                yield _assembled(summary, transactions, leaves)
            summary, transactions, leaves = decode(raw, Summary), [], []
        elif holds_transactions(key):
            transactions += decode(raw, list[bytes])
        elif key[8:9] == _LEAVES:
            leaves += decode(raw, list[bytes])
    if summary is not None:
        yield _assembled(summary, transactions, leaves)


def _assembled(summary: Summary, transactions: list[bytes], leaves: list[bytes]) -> StoredBlock:
    if (len(transactions), len(leaves)) != (summary.transactions, summary.leaves):
        raise ValueError(f"block {summary.height} is not whole")
    return StoredBlock(summary.height, summary.time, transactions, summary.first_leaf, leaves, summary.head)


def read_undo(store: Store, height: int) -> Undo | None:
    """State key → stored bytes before the block of that height; None where it is no longer kept."""
    raw = store.get(Area.UNDO, height_key(height))
    return None if raw is None else _UNDO.decode(raw)


def find_receipt(store: Store, transaction: bytes) -> tuple[int, int, bytes] | None:
    """(height, log index, bytes) of a transaction's receipt, or None; reads one row of leaves of however many."""
    raw = store.get(Area.INDEX, transaction)
    if raw is None:
        return None
    height, position = decode(raw, tuple[int, int])
    summary = read_summary(store, height)
    if summary is None:
        raise ValueError(f"block {height} is not whole")
    return height, summary.first_leaf + position, read_leaf(store, height, position)


def read_leaf(store: Store, height: int, position: int) -> bytes:
    """One leaf of a block; reads one row of leaves of however many."""
    group = store.get(Area.BLOCKS, _group_key(height_key(height), _LEAVES, position))
    if group is None:
        raise ValueError(f"block {height} is not whole")
    return decode(group, list[bytes])[position % GROUP]
