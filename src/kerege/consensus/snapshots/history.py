"""The blocks of a ledger as a stranger hands them in: checked one after another, and what is to be stored of each.

From genesis to the head every leaf goes into the log again, every block's roots must be those of its record in the log,
every receipt must have its transaction, and what an engine told of its validators must be what the receipts say. So the
log root at the end, which validators signed, holds all of it; only bytes that were in a block without being a
transaction, and deeds of validators told again, are nobody's word: they did nothing, which `verify-ledger` shows.
"""

from collections.abc import Callable

import msgspec

from kerege.consensus import rows
from kerege.consensus.snapshots.deeds import LEAF, Deeds
from kerege.consensus.snapshots.records import BadRows
from kerege.kernel import merkle
from kerege.kernel.block import Block, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.log import Log
from kerege.kernel.machine import app_hash, state_root
from kerege.kernel.receipts import BlockRecord, Receipt
from kerege.kernel.transaction import Envelope, identify
from kerege.storage.port import Area, Batch

BLOCK_MAX = 256 * 1024 * 1024
"""Bytes of one block with its receipts at most: several times what an engine decides at once."""

_ENVELOPE = msgspec.msgpack.Decoder(Envelope)


class History:
    """The blocks so far. Raises `BadRows`; after that nothing of it may be kept."""

    def __init__(self, names: tuple[str, ...], genesis: Block, read_tile: Callable[[int, int], bytes]) -> None:
        self._names = names
        self._genesis = rows.block_rows(genesis.stored)
        self._log = Log(0, read_tile)
        self._open: list[tuple[bytes, bytes]] = []
        """Rows of the block that is coming in."""
        self._size = 0
        self._last: StoredBlock | None = None
        self._deeds = Deeds()

    @property
    def last(self) -> StoredBlock | None:
        """The newest block that is whole and sound."""
        return self._last

    def add(self, key: bytes, value: bytes, batch: Batch) -> None:
        """Take the next row; what a block that it completes comes to goes into the batch."""
        if self._open and key <= self._open[-1][0]:
            raise BadRows(f"row {key.hex()} of the blocks is not in order")
        if self._open and key[:8] != self._open[0][0][:8]:
            self.end(batch)
        self._size += len(key) + len(value)
        if self._size > BLOCK_MAX:
            raise BadRows(f"a block of more than {BLOCK_MAX} bytes")
        self._open.append((key, value))

    def end(self, batch: Batch) -> None:
        """The block that is coming in is whole: nothing where none is."""
        given, self._open, self._size = self._open, [], 0
        try:
            block = next(rows.assemble(iter(given)), None)
            if block is None:
                raise BadRows(f"row {given[0][0].hex()} of the blocks is of no block")
            self._check(block, dict(given))
            index = _index(block)
        except (ValueError, IndexError) as error:
            raise error if isinstance(error, BadRows) else BadRows(f"a block cannot be read: {error}") from None
        batch.update(Area.BLOCKS, dict(given))
        batch.update(Area.INDEX, index)
        self._last = block

    def tiles(self, batch: Batch) -> Callable[[], None]:
        """Put the log's tiles into a batch; what to call once that is stored."""
        tiles = self._log.pending_tiles()
        batch.update(Area.LOG, {rows.tile_key(*place): tile for place, tile in tiles.items()})
        return lambda: self._log.stored(tiles)

    def _check(self, block: StoredBlock, given: dict[bytes, bytes]) -> None:
        """That this is the next block, as its own record in the log tells it."""
        where, head, before = f"block {block.height}", block.head, self._last
        if before is None and given != self._genesis:
            raise BadRows("block 0 is not what the genesis gives")
        told = rows.told_in(given, block.height)
        if rows.block_rows(block, told) != given:
            raise BadRows(f"the rows of {where} are not as they are stored")
        if before is not None and (block.height <= before.height or block.time < before.time):
            raise BadRows(f"{where} comes after block {before.height}")
        if block.first_leaf != self._log.size or not block.leaves:
            raise BadRows(f"the leaves of {where} begin at {block.first_leaf}, the log has {self._log.size}")
        record = decode(block.leaves[-1], BlockRecord)
        self._log.append(merkle.leaf_hashes(block.leaves))
        said = (record.height, record.time, record.state_root, self._log.size, self._log.root())
        if said != (block.height, block.time, head.state_root, head.log_size, head.log_root):
            raise BadRows(f"the head of {where} is not what its leaves say")
        roots = state_root(self._names, head.module_roots) if len(head.module_roots) == len(self._names) else b""
        if (head.height, head.time, roots) != (block.height, block.time, head.state_root):
            raise BadRows(f"the roots of the modules of {where} do not give its state root")
        if head.app_hash != app_hash(head.state_root, head.log_root):
            raise BadRows(f"the app hash of {where} is not of its roots")
        self._deeds.check(block, told)


def _index(block: StoredBlock) -> dict[bytes, bytes | None]:
    """Where the receipt of each transaction stands; each receipt's transaction must be there, in the same order."""
    index: dict[bytes, bytes | None] = {}
    witnessed = map(_identity, block.transactions)
    for position, leaf in enumerate(block.leaves):
        receipt = LEAF.decode(leaf)
        if isinstance(receipt, Receipt):
            wanted = (receipt.transaction, receipt.witness)
            if not any(found == wanted for found in witnessed):
                raise BadRows(f"transaction {receipt.transaction.hex()} of block {block.height} has a receipt only")
            index[receipt.transaction] = encode((block.height, position))
    return index


def _identity(raw: bytes) -> tuple[bytes, bytes] | None:
    """Id and hash of the witness of a transaction's bytes; None where they are none."""
    try:
        envelope = _ENVELOPE.decode(raw)
    except ValueError:
        return None
    return identify(envelope) if encode(envelope) == raw else None
