"""Blocks into the database: what their events change, in the order in which they happened."""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any

from msgspec import DecodeError, Raw, Struct, defstruct, msgpack, structs

from kerege.kernel.block import StoredBlock
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Event, tag_of
from kerege.kernel.module import Modules
from kerege.kernel.receipts import BlockReceipt, BlockRecord, Receipt
from kerege.kernel.rows import Put
from kerege.kernel.transaction import Envelope
from kerege.kernel.types import Address
from kerege.readmodel.database import Batch, Database, Place
from kerege.readmodel.errors import AheadOfLedger, NotBuilt, OfAnotherLedger, OfAnotherRelease
from kerege.readmodel.folding import Folded, fold
from kerege.readmodel.source import Source

BATCH_LEAVES = 2_000
"""Receipts after which a batch is written."""
BATCH_BYTES = 8 * 1024 * 1024
"""Bytes of receipts after which it is written: memory stays flat however much one transaction does."""

Progress = Callable[[int, int], None]
"""(height, height of the ledger)."""


class Projector:
    """Brings one database to where the ledger is, from wherever it was."""

    def __init__(self, modules: Modules, source: Source, database: Database) -> None:
        self._modules = modules
        self._source = source
        self._database = database
        self._genesis = source.genesis()
        self._leaves = _leaf_decoder(modules)

    def check(self) -> Place:
        """Where the tables are; raises `NotBuilt`, `OfAnotherLedger`, `OfAnotherRelease`, `AheadOfLedger`."""
        place = self._database.place()
        if place is None:
            raise NotBuilt
        if place.genesis != genesis_hash(self._genesis):
            raise OfAnotherLedger(ledger=self._genesis.ledger, found=place.ledger)
        if place.fingerprint != self._database.schema.fingerprint:
            raise OfAnotherRelease(ledger=place.ledger, height=place.height)
        block = self._source.block(place.height)
        if block is None or block.head.app_hash != place.app_hash:
            raise AheadOfLedger(height=place.height, ledger=self._source.height())
        return place

    def rebuild(self, progress: Progress) -> Place:
        """Drop the tables, make them again and bring them to the newest block."""
        self._database.drop()
        self._begin()
        return self.catch_up(progress)

    def build(self) -> Place:
        """Make the tables where there are none; raises as `check`."""
        if self._database.place() is None:
            self._begin()
        return self.check()

    def catch_up(self, progress: Progress) -> Place:
        """Bring the tables to the newest block; raises as `check`."""
        newest, place = self._source.height(), self.check()
        for batch in _batched(self._modules, self._leaves, place, self._source.blocks(place.height)):
            if not self._database.advance(place.height, batch):
                return self.catch_up(progress)  # another process was first: from where it is now
            place = batch.place
            progress(place.height, max(place.height, newest))
        return place

    def _begin(self) -> None:
        """What the modules hold before the first transaction."""
        genesis, modules = self._genesis, self._modules
        machine = Machine(
            modules, ledger=genesis.ledger, prefix=genesis.prefix, reader=_Nothing(), read_tile=lambda *_: b""
        )
        block = machine.begin(genesis)
        rows: Folded = {}
        for key, raw in block.state.items():
            table = modules.tables[key.partition(b"\0")[0].decode()]
            if raw is not None and not table.derived:
                fold(rows, [Put(table.name, table.decode_key(key), table.decode_value(raw))])
        self._database.create(Batch(self._place(genesis, block.stored), rows, [_block_row(block.stored, 0)], [], []))

    def _place(self, genesis: Genesis, block: StoredBlock) -> Place:
        fingerprint = self._database.schema.fingerprint
        return Place(genesis.ledger, genesis_hash(genesis), fingerprint, block.height, block.head.app_hash)


class _Nothing:
    """A ledger before its first block, as the kernel's `StateReader`."""

    def get(self, _key: bytes) -> None:
        """Nothing."""

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """Nothing, as often."""
        return [None] * len(keys)

    def scan(self, _start: bytes, _end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Nothing."""
        return iter(())


def _leaf_decoder(modules: Modules) -> msgpack.Decoder[Any]:
    """Leaves with their events as what the modules declare, decoded in one step."""
    kinds: list[Any] = [kind for module in modules.all for kind in module.events]
    events: Any = reduce(or_, kinds)
    typed = [_with_events(leaf, list[events]) for leaf in (Receipt, BlockReceipt)]
    union: Any = typed[0] | typed[1] | BlockRecord
    return msgpack.Decoder(union)


def _with_events(leaf: type[Struct], events: Any) -> Any:  # noqa: ANN401 - an annotation, a class
    """A kind of leaf whose events are typed."""
    fields = [(f.name, events if f.name == "events" else f.type) for f in structs.fields(leaf)]
    tag = leaf.__struct_config__.tag
    return defstruct(f"Typed{leaf.__name__}", fields, frozen=True, array_like=True, gc=False, tag=tag)


def _batched(
    modules: Modules, leaves: msgpack.Decoder[Any], place: Place, blocks: Iterable[StoredBlock]
) -> Iterator[Batch]:
    """Some blocks at a time, each whole."""
    draft = _Draft(modules, leaves)
    for block in blocks:
        draft.take(block)
        if len(draft.transactions) >= BATCH_LEAVES or draft.size >= BATCH_BYTES:
            yield draft.batch(place)
            draft = _Draft(modules, leaves)
    if draft.blocks:
        yield draft.batch(place)


class _Draft:
    """A batch under way."""

    def __init__(self, modules: Modules, leaves: msgpack.Decoder[Any]) -> None:
        self._projections = modules.projections
        self._leaves = leaves
        self._last: StoredBlock | None = None
        self.size = 0
        self.rows: Folded = {}
        self.blocks: list[tuple[Any, ...]] = []
        self.transactions: list[tuple[Any, ...]] = []
        self.events: list[tuple[Any, ...]] = []

    def take(self, block: StoredBlock) -> None:
        """Everything of one block."""
        told = 0
        senders = dict(filter(None, map(_signed, block.transactions)))
        for number, raw in enumerate(block.leaves, block.first_leaf):
            self.size += len(raw)
            leaf = self._leaves.decode(raw)
            if isinstance(leaf, BlockRecord):
                continue
            identifier = getattr(leaf, "transaction", None)
            if identifier is not None:
                told += 1
                sender, kinds = senders[identifier]
                self.transactions.append((identifier, number, block.height, sender, leaf.code, kinds))
            self._happen(number, leaf.events)
        self.blocks.append(_block_row(block, told))
        self._last = block

    def _happen(self, leaf: int, events: list[Event]) -> None:
        for position, happened in enumerate(events):
            kind = type(happened)
            self.events.append((leaf, position, tag_of(kind)))
            fold(self.rows, self._projections[kind](happened))

    def batch(self, before: Place) -> Batch:
        """What the blocks came to."""
        last = self._last
        assert last is not None  # noqa: S101 - asked for after `take` only
        place = Place(before.ledger, before.genesis, before.fingerprint, last.height, last.head.app_hash)
        return Batch(place, self.rows, self.blocks, self.transactions, self.events)


class _Body(Struct, array_like=True, gc=False):
    """The body of a transaction, its messages left as they are: a signed batch of records is long."""

    ledger: str
    sender: Address
    lane: int
    sequence: int
    valid_until: int
    salt: bytes
    messages: list[Raw]


_envelopes, _bodies, _parts = msgpack.Decoder(Envelope), msgpack.Decoder(_Body), msgpack.Decoder(list[Raw])


def _signed(raw: bytes) -> tuple[bytes, tuple[bytes, str]] | None:
    """Transaction id, who signed, and the kinds of its messages; None of bytes that are no transaction."""
    try:
        body = _envelopes.decode(raw).body
        told = _bodies.decode(body)
        kinds = " ".join([msgpack.decode(_parts.decode(message)[0], type=str) for message in told.messages])
    except (DecodeError, ValueError, IndexError):
        return None
    return sha256(body).digest(), (told.sender, kinds)


def _block_row(block: StoredBlock, transactions: int) -> tuple[Any, ...]:
    return block.height, block.time, transactions, block.head.app_hash
