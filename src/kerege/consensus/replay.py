"""Verification of a whole ledger: everything from genesis again, every stored byte compared with what that gives.

Works on any reader of a store: the owner's, a secondary beside a running node, a copy without dossiers and keys. Memory
is bounded by one block and a cache; what the replay builds up goes to a scratch store.
"""

import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.checking import make_verifier
from kerege.consensus.door import CommittedReader
from kerege.consensus.past import differences
from kerege.kernel.block import Block, Head, Prepared
from kerege.kernel.codec import decode, encode
from kerege.kernel.crypto import Verifier
from kerege.kernel.errors import KernelFault, NotATransaction, Refused
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.kernel.machine import Machine
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.module import Modules
from kerege.storage.port import RESERVED, Area, Store

T = TypeVar("T")

CACHED_VALUES = 200_000
REPORT_EVERY = 0.5
"""Seconds between two calls of the progress callback."""
SHOWN = 80
"""Bytes of a row that a difference shows."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification is."""

    height: int
    of: int
    transactions: int
    rate: int
    """Transactions a second so far."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the ledger and its replay part for the first time."""

    where: str
    """Block, row or invariant."""
    expected: str
    """What the replay gives."""
    found: str
    """What is stored."""

    def __str__(self) -> str:
        return f"{self.where}: the replay gives {self.expected}, stored is {self.found}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found."""

    ledger: str
    genesis: bytes
    """Hash of the genesis: what a trust file names."""
    blocks: int
    transactions: int
    head: Head | None
    """Of the newest block that was replayed and found equal."""
    seconds: float
    difference: Difference | None

    @property
    def sound(self) -> bool:
        """Whether every stored byte is what the replay gives."""
        return self.difference is None


class _Apart(Exception):
    def __init__(self, where: str, expected: object, found: object) -> None:
        super().__init__(where)
        self.difference = Difference(where, _told(expected), _told(found))


class _Stored(NamedTuple):
    """The rows of a block as they are stored, and what to execute."""

    height: int
    summary: rows.Summary
    transactions: list[bytes]
    misbehaviour: list[Misbehaviour]
    raw: dict[bytes, bytes]


def verify_ledger(
    store: Store,
    modules: Modules,
    scratch: Store,
    *,
    checkpoints: Sequence[str] = (),
    genesis: bytes | None = None,
    progress: Callable[[Progress], None] = lambda _progress: None,
) -> Report:
    """Replay a ledger into the empty store `scratch` and compare every row of every area.

    `checkpoints` are signed notes of this ledger whose size and root must be the log's; `genesis` is the hash that a
    trust file names. The store may be written meanwhile only where what it shows stays (a secondary).
    """
    verifier = make_verifier()
    verification = _Verification(store, modules, scratch, progress, verifier)
    difference: Difference | None = None
    try:
        verification.begin(genesis)
        verification.replay()
        verification.compare_checkpoints(checkpoints)
        verification.compare_areas()
        verification.check_invariants()
    except _Apart as apart:
        difference = apart.difference
    finally:
        verifier.close()
    return verification.report(difference)


class _Verification:
    def __init__(
        self,
        store: Store,
        modules: Modules,
        scratch: Store,
        progress: Callable[[Progress], None],
        verifier: Verifier,
    ) -> None:
        self._store = store
        self._modules = modules
        self._scratch = scratch
        self._progress = progress
        self._verifier = verifier
        self._started = self._told = clock.monotonic()
        self._ledger = ""
        self._genesis = b""
        self._machine: Machine | None = None
        self._head: Head | None = None
        self._blocks = 0
        self._transactions = 0
        self._receipts = 0

    def report(self, difference: Difference | None) -> Report:
        return Report(
            self._ledger,
            self._genesis,
            self._blocks,
            self._transactions,
            self._head,
            clock.monotonic() - self._started,
            difference,
        )

    @property
    def machine(self) -> Machine:
        assert self._machine is not None  # noqa: S101 - `begin` makes it or parts
        return self._machine

    def begin(self, expected: bytes | None) -> None:
        """The genesis, and block 0 from it."""
        raw = self._store.get(Area.META, rows.GENESIS)
        if raw is None:
            raise _Apart("genesis", "a genesis", None)
        genesis = _readable("genesis", raw, Genesis)
        self._ledger, self._genesis = genesis.ledger, genesis_hash(genesis)
        if expected is not None and expected != self._genesis:
            raise _Apart("hash of the genesis", expected, self._genesis)
        self._machine = Machine(
            self._modules,
            ledger=genesis.ledger,
            prefix=genesis.prefix,
            reader=CommittedReader(self._scratch),
            read_tile=lambda level, index: self._scratch.get(Area.LOG, rows.tile_key(level, index)) or b"",
            cache_limit=CACHED_VALUES,
            verifier=self._verifier,
        )
        try:
            block = self.machine.begin(genesis)
        except (KernelFault, NotATransaction, Refused, ValueError) as fault:
            raise _Apart("block 0", f"a genesis of these modules ({fault})", raw) from fault
        self._compare_block(self._block(0), block, raw)

    def replay(self) -> None:
        """Every block up to the head; signatures of the next one are checked while one executes."""
        raw = self._store.get(Area.META, rows.HEAD)
        if raw is None:
            raise _Apart("head", "a head", None)
        head = _readable("head", raw, Head)
        ahead: tuple[_Stored, Prepared] | None = None
        for height in self._heights(head.height):
            following = self._prepared(height)
            if ahead is not None:
                self._apply(*ahead, head.height)
            ahead = following
        if ahead is not None:
            self._apply(*ahead, head.height)
        if raw != encode(self._head):
            raise _Apart("head", self._head, head)
        beyond = next(self._store.scan(Area.BLOCKS, rows.height_key(head.height + 1)), None)
        if beyond is not None:
            raise _Apart("row of blocks beyond the head", None, beyond[0])

    def _heights(self, last: int) -> Iterator[int]:
        """Heights that must have a block: all, but for the empty ones of a replicated engine, which leave nothing.

        A block that is missing there without being empty is told by the roots of the next one.
        """
        gaps = self._store.get(Area.META, rows.AGREED) is not None
        for height in range(1, last + 1):
            if not gaps or self._store.get(Area.BLOCKS, rows.height_key(height)) is not None:
                yield height

    def _prepared(self, height: int) -> tuple[_Stored, Prepared]:
        stored = self._block(height)
        return stored, self.machine.prepare(stored.transactions)

    def _block(self, height: int) -> _Stored:
        where = f"block {height}"
        key = rows.height_key(height)
        raw = dict(self._store.scan(Area.BLOCKS, key, rows.height_key(height + 1)))
        if key not in raw:
            raise _Apart(where, "a block", None)
        transactions: list[bytes] = []
        misbehaviour: list[Misbehaviour] = []
        for group_key, group in raw.items():
            if rows.holds_transactions(group_key):
                transactions += _readable(f"transactions of {where}", group, list[bytes])
            elif rows.holds_misbehaviour(group_key):
                misbehaviour += _readable(f"misbehaviour of {where}", group, list[Misbehaviour])
        return _Stored(height, _readable(where, raw[key], rows.Summary), transactions, misbehaviour, raw)

    def _apply(self, stored: _Stored, prepared: Prepared, last: int) -> None:
        summary = stored.summary
        try:
            executed = self.machine.execute(stored.height, summary.time, prepared, stored.misbehaviour)
            block = self.machine.seal(executed)
        except KernelFault as fault:
            raise _Apart(f"block {stored.height}", f"a block that can be executed ({fault})", summary) from fault
        self._compare_block(stored, block, None)
        if clock.monotonic() - self._told >= REPORT_EVERY or block.head.height == last:
            self._told = clock.monotonic()
            rate = int(self._transactions / max(self._told - self._started, 0.001))
            self._progress(Progress(block.head.height, last, self._transactions, rate))

    def _compare_block(self, stored: _Stored, block: Block, genesis: bytes | None) -> None:
        """Rows of BLOCKS and INDEX at once; the others go to the scratch store and are compared at the end."""
        where = f"block {block.head.height}"
        _compare_heads(where, block, stored.summary)
        made = rows.block_rows(block.stored, block.executed.misbehaviour)
        for key in sorted({*made, *stored.raw}):
            if made.get(key) != stored.raw.get(key):
                raise _Apart(f"{rows.part_of(key)} of {where}", made.get(key), stored.raw.get(key))
        batch = rows.batch_of(block, block.head.height - rows.KEPT_HEIGHTS + 1, genesis)
        self._compare_index(where, batch.changes[Area.INDEX])
        for area in (Area.BLOCKS, Area.INDEX):
            batch.changes[area].clear()
        self._scratch.write(batch, sync=False)
        self.machine.durable(block)
        self._head = block.head
        self._blocks += 1
        self._transactions += len(stored.transactions)
        self._receipts += len(block.index)

    def _compare_index(self, where: str, made: dict[bytes, bytes | None]) -> None:
        keys = list(made)
        for key, found in zip(keys, self._store.multi_get(Area.INDEX, keys), strict=True):
            if found != made[key]:
                raise _Apart(f"index of transaction {key.hex()} in {where}", made[key], found)

    def compare_checkpoints(self, notes: Sequence[str]) -> None:
        """Signed notes of this log: their root at their size. Who signed them is the verifier's question."""
        for note in notes:
            checkpoint = proofs.note.parse_checkpoint(note)
            where = f"checkpoint of size {checkpoint.size}"
            if checkpoint.size > self.machine.log.size:
                raise _Apart(where, f"a log of {self.machine.log.size}", checkpoint.size)
            root = self.machine.log.root(checkpoint.size)
            if root != checkpoint.root:
                raise _Apart(where, root, checkpoint.root)

    def compare_areas(self) -> None:
        """Every row of the state, the log, the undo rows and the few of META; and that the index has no more."""
        joined = rows.read_joined(self._store)
        begin = {Area.UNDO: b"" if joined is None else rows.height_key(joined + 1)}
        for area in (Area.STATE, Area.LOG, Area.UNDO, Area.META):
            start = begin.get(area, b"")
            for key, expected, found in differences(self._scratch.scan(area, start), self._store.scan(area, start)):
                if not key.startswith(RESERVED):
                    raise _Apart(f"row {_named(key)} of {area.name.lower()}", expected, found)
        indexed = sum(1 for _ in self._store.scan(Area.INDEX))
        if indexed != self._receipts:
            raise _Apart("rows of the index", self._receipts, indexed)

    def check_invariants(self) -> None:
        """The full form of every truth, over all state."""
        for name in self.machine.full_invariants():
            raise _Apart(f"invariant {name}", "that it holds", "that it does not")


def _compare_heads(where: str, block: Block, stored: rows.Summary) -> None:
    """The roots first: they say in a word where two ledgers part."""
    made, found = block.head, stored.head
    names = "height", "time", "module_roots", "state_root", "log_size", "log_root", "app_hash"
    for name in names:
        if getattr(made, name) != getattr(found, name):
            raise _Apart(f"{name.replace('_', ' ')} of {where}", getattr(made, name), getattr(found, name))


def _readable(where: str, raw: bytes, kind: type[T]) -> T:
    try:
        return decode(raw, kind)
    except ValueError as error:
        raise _Apart(where, f"bytes of its format ({error})", raw) from error


def _named(key: bytes) -> str:
    """A key with its table's name readable and the rest in hex."""
    name, zero, rest = key.partition(b"\0")
    readable = name.isascii() and name.decode(errors="replace").isprintable()
    return f"{name.decode()} {rest.hex()}" if zero and readable else key.hex()


def _told(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bytes):
        return value[:SHOWN].hex() + ("…" if len(value) > SHOWN else "")
    if isinstance(value, list):
        return "[" + ", ".join(map(_told, value)) + "]"
    return str(value)
