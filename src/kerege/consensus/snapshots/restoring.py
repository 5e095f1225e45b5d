"""A fresh home filled from a snapshot that strangers hand in, chunk by chunk, straight to the store.

Nothing of it counts before the last chunk: until then the store names no head. It is emptied where the snapshot turns
out wrong, and where a process finds one that another left unfinished. Memory holds a row or a block, and the trees.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from kerege.consensus import rows
from kerege.consensus.agreed import Agreed, read_agreed
from kerege.consensus.cometbft import messages as m
from kerege.consensus.snapshots import manifest as offers
from kerege.consensus.snapshots.history import History
from kerege.consensus.snapshots.manifest import Manifest, Unacceptable
from kerege.consensus.snapshots.records import BadRows, Splitter
from kerege.consensus.trees import Damaged, open_trees
from kerege.kernel.block import Block, Head
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import KernelFault, NotATransaction, Refused
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.module import Modules
from kerege.kernel.tree import StateTree
from kerege.storage.port import Area, Batch, Store

BATCH_BYTES = 8 * 1024 * 1024
"""How much is written to the store at once."""
GENESIS_MAX = 64 * 1024 * 1024
"""Bytes of a genesis at most: more would not fit the engine's own file."""

_ABOVE_ALL = b"\xff" * 64
_KEPT = (rows.GENESIS, rows.HEAD, rows.AGREED, rows.JOINED, rows.RESTORING)

ACCEPTED = m.ResponseApplySnapshotChunk(result=m.ResponseApplySnapshotChunk.ACCEPT)


class Reopen(Protocol):
    """How a node makes the machine of its store."""

    def __call__(self, head: Head | None, trees: list[StateTree] | None) -> Machine:
        """A machine where the store stands; an empty one where head and trees are None."""


def forget_unfinished(store: Store) -> bool:
    """Empty a store whose restoring was cut off; whether there was anything."""
    if not rows.is_restoring(store):
        return False
    _empty(store)
    return True


def _empty(store: Store) -> None:
    batch = Batch()
    for area in Area:
        if area is not Area.META:
            batch.delete_range(area, b"", _ABOVE_ALL)
    for key in _KEPT:
        batch.delete(Area.META, key)
    store.write(batch)


class Restoring:
    """State sync of one home: what is offered, and the chunks of what was accepted.

    `accepted` is called with the new machine once the last chunk is in and everything is durable.
    """

    def __init__(
        self, modules: Modules, store: Store, ledger: str, reopen: Reopen, *, tell: Callable[[str], None]
    ) -> None:
        self._modules = modules
        self._store = store
        self._ledger = ledger
        self._reopen = reopen
        self._tell = tell
        self._run: _Run | None = None
        if forget_unfinished(store):
            tell("state sync was cut off before its end: it begins anew")

    def offer(self, request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        """Accept or refuse a snapshot that members offer; what was restored of another one is gone."""
        answers, offered = m.ResponseOfferSnapshot, request.snapshot
        agreed, joined = read_agreed(self._store), rows.read_joined(self._store)
        if agreed is not None and agreed.height not in {0, joined}:
            self._tell("state sync needs an empty home and this one holds a ledger: join with a new home")
            return answers(result=answers.ABORT)
        self._drop()
        if offered.format != offers.FORMAT:
            return answers(result=answers.REJECT_FORMAT)
        try:
            manifest = offers.read_offer(offered, self._modules, self._ledger, request.app_hash)
        except Unacceptable as reason:
            self._tell(f"the snapshot of height {offered.height} is refused: {reason}")
            return answers(result=answers.REJECT)
        if agreed is not None:  # no block after genesis or a snapshot: the engine died before it took that down
            _empty(self._store)
        self._run = _Run(manifest, self._modules, self._store, self._reopen)
        return answers(result=answers.ACCEPT)

    def apply(self, request: m.RequestApplySnapshotChunk) -> tuple[m.ResponseApplySnapshotChunk, Machine | None]:
        """Take the next chunk; with the last one the machine of the restored ledger."""
        answers, run = m.ResponseApplySnapshotChunk, self._run
        if run is None or request.index != run.next:
            return answers(result=answers.RETRY_SNAPSHOT), None
        if not run.is_listed(request.chunk):
            self._tell(f"chunk {request.index} of {request.sender} is not the one listed: fetched from somebody else")
            return answers(result=answers.RETRY, refetch_chunks=[request.index], reject_senders=[request.sender]), None
        try:
            machine = run.take(request.chunk)
        except (BadRows, Damaged) as reason:
            self._tell(f"the snapshot of height {run.manifest.height} is refused: {reason}")
            self._drop()
            return answers(result=answers.REJECT_SNAPSHOT), None
        if machine is not None:
            self._run = None
        return ACCEPTED, machine

    def _drop(self) -> None:
        self._run = None
        forget_unfinished(self._store)


class _Run:
    """One snapshot on its way into the store. Raises `BadRows` or `Damaged`; nothing of it may be kept then."""

    def __init__(self, manifest: Manifest, modules: Modules, store: Store, reopen: Reopen) -> None:
        self.manifest = manifest
        self.next = 0
        """Number of the chunk that comes next."""
        self._modules = modules
        self._store = store
        self._reopen = reopen
        self._rows = Splitter()
        self._genesis = bytearray()
        self._history: History | None = None
        self._state_key = b""
        self._batch = Batch()
        self._batch_bytes = 0
        self._tables = {table.prefix[:-1] for table in modules.tables.values()}
        marked = Batch()
        marked.put(Area.META, rows.RESTORING, encode(manifest.height))
        store.write(marked)

    def is_listed(self, chunk: bytes) -> bool:
        """Whether these are the bytes that the manifest lists next."""
        return len(chunk) <= offers.CHUNK_MAX and sha256(chunk).digest() == self.manifest.hash_of(self.next)

    def take(self, chunk: bytes) -> Machine | None:
        """Store what a chunk holds; the machine where it was the last."""
        genesis_end, history_end = self.manifest.genesis, self.manifest.genesis + self.manifest.history
        put = self._put_state
        if self.next < history_end:
            put = self._put_genesis if self.next < genesis_end else self._put_block
        for key, value in self._rows.feed(chunk):
            put(key, value)
        self.next += 1
        if self.next in {genesis_end, history_end, self.manifest.chunks}:
            self._rows.end()
        if self.next == genesis_end:
            self._history = History(self._modules.names, self._begin(), self._tile)
        elif self.next == history_end:
            self._end_history()
        return self._finish() if self.next == self.manifest.chunks else None

    # The three streams

    def _put_genesis(self, key: bytes, value: bytes) -> None:
        self._genesis += value
        if len(self._genesis) > GENESIS_MAX:
            raise BadRows(f"a genesis of more than {GENESIS_MAX} bytes")
        del key  # order is that of the stream; what it gives must be block 0

    def _put_block(self, key: bytes, value: bytes) -> None:
        assert self._history is not None  # noqa: S101 - made when the genesis was whole
        self._history.add(key, value, self._batch)
        self._count(key, value)

    def _put_state(self, key: bytes, value: bytes) -> None:
        if key <= self._state_key:
            raise BadRows(f"row {key.hex()} of the state is not in order")
        if key.partition(b"\0")[0] not in self._tables:
            raise BadRows(f"row {key.hex()} of the state is of no table")
        self._state_key = key
        self._batch.put(Area.STATE, key, value)
        self._count(key, value)

    def _begin(self) -> Block:
        """Block 0 of the genesis, executed beside the store."""
        raw = bytes(self._genesis)
        try:
            genesis = decode(raw, Genesis)
            block = self._reopen(None, None).begin(genesis)
        except (KernelFault, NotATransaction, Refused, ValueError) as fault:
            raise BadRows(f"the genesis gives no block: {fault}") from None
        self._batch.put(Area.META, rows.GENESIS, raw)
        self._genesis.clear()
        return block

    def _end_history(self) -> None:
        assert self._history is not None  # noqa: S101 - as above
        self._history.end(self._batch)
        last = self._history.last
        if last is None or last.head != self.manifest.head:
            raise BadRows("the blocks do not end with the head that was offered")
        self._write()

    def _count(self, key: bytes, value: bytes) -> None:
        self._batch_bytes += len(key) + len(value)
        if self._batch_bytes > BATCH_BYTES:
            self._write()

    def _write(self, *, sync: bool = False) -> None:
        stored = self._history.tiles(self._batch) if self._history is not None else _nothing
        self._store.write(self._batch, sync=sync)
        stored()
        self._batch, self._batch_bytes = Batch(), 0

    def _tile(self, level: int, index: int) -> bytes:
        return self._store.get(Area.LOG, rows.tile_key(level, index)) or b""

    # The end

    def _finish(self) -> Machine:
        """The state has the roots of the head, or `Damaged`; then everything counts in one durable write."""
        self._write()
        head = self.manifest.head
        trees = open_trees(self._modules, self._store, head, None, lambda *_: None)
        batch = self._batch
        batch.put(Area.META, rows.HEAD, encode(head))
        batch.put(Area.META, rows.AGREED, encode(Agreed(self.manifest.height, head.app_hash)))
        batch.put(Area.META, rows.JOINED, encode(self.manifest.height))
        batch.delete(Area.META, rows.RESTORING)
        self._write(sync=True)
        return self._reopen(head, trees)


def _nothing() -> None:
    pass
