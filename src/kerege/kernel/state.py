"""All module data while a block executes: decoded values in a bounded cache over the store.

One undo log gives savepoints; one set of dirty keys a block gives what to hash and what to store.
A block's changes stay pending until the store has them durably, so that the next block can execute
meanwhile. Everything here is for the one thread that executes, but `durable`, which only lets go.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kerege.kernel.cells import MISSING, Cells, Column, Undo, make_cells
from kerege.kernel.changes import Changes
from kerege.kernel.errors import KernelFault, WorkExceeded

if TYPE_CHECKING:
    from kerege.kernel.tables import Table

UNBOUNDED = 2**63
"""Table operations where nobody counts: views, full invariants, genesis."""

KNOWN_KEYS = 65_536
"""Of a table with few keys all are known in memory, up to so many."""


_LEAVING = 20_000
"""Values that are freed at the end of a block, at most, once the cache has let go of them: about two milliseconds."""

NOTHING: Mapping[str, Any] = {}
"""No tables are watched."""


class StateReader(Protocol):
    """What the state needs of a store: committed bytes by key, and ranges in key order."""

    def get(self, key: bytes) -> bytes | None:
        """Stored bytes (schema byte and value), or None."""

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """Stored bytes of several keys in one call."""

    def scan(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with start ≤ key < end, in key order, of a consistent snapshot."""


def end_of(prefix: bytes) -> bytes:
    """The first key after all that begin with the prefix; raises `ValueError` where there is none (only 0xff bytes)."""
    trimmed = prefix.rstrip(b"\xff")
    if not trimmed:
        raise ValueError("nothing comes after this prefix")
    return trimmed[:-1] + bytes([trimmed[-1] + 1])


T = TypeVar("T")
Beside = Callable[[Callable[[], list[T]]], Callable[[], list[T]]]
"""Begins a piece of work and gives what waits for its result: on a thread beside, or, as in `at_once`, when asked."""


def at_once(work: Callable[[], list[T]]) -> Callable[[], list[T]]:
    """No thread beside: the work is done when its result is asked for."""
    return work


class Fetch:
    """Keys being read for a block to come."""

    __slots__ = ("ended", "keys", "read", "tables")

    def __init__(
        self,
        keys: list[bytes],
        tables: "dict[bytes, Table[Any, Any]]",
        read: Callable[[], list[bytes | None]],
        ended: int,
    ) -> None:
        self.keys = keys
        self.tables = tables
        """Key → its table."""
        self.read = read
        """Waits for the stored bytes, in the order of the keys."""
        self.ended = ended
        """Blocks that had ended when the read began."""


class State:
    """The state under execution. `cache_limit` bounds the decoded values kept beyond pending blocks.

    What the store says that it should not (an error, bytes that do not decode) is a `KernelFault`: never an outcome
    of a transaction, as another node's store may be well.
    """

    def __init__(self, reader: StateReader, cache_limit: int = 400_000, kind: str = "") -> None:
        """`kind`: of the cells, see `make_cells`."""
        self._reader = reader
        self._half = max(1, cache_limit // 2)
        self.cells: Cells = make_cells(self._load, self._know, kind)
        """What is in memory: the younger half of the cache, the open block's changes and the undo log."""
        self._leaving: dict[bytes, Any] = {}
        """Values that left the cache and still take memory."""
        self._columns: dict[Table[Any, Any], Column] = {}
        self._outdated: dict[bytes, bytes] = {}
        """Stored bytes of cached values that were upcast when read."""
        self._pending: list[Changes] = []
        self._open_changes()
        self._newest = self._changes
        """What the block that ended last changed."""
        self._ended = 0
        """Blocks that ended so far, and two more for each that was forgotten: how old a fetch is."""
        self.limit = UNBOUNDED
        """Operations beyond which a scan is refused while it runs."""
        self.misses: dict[Table[Any, Any], int] = {}
        """Table → single reads of the store so far."""

    # Values

    @property
    def missed(self) -> int:
        """Single reads of the store so far."""
        return sum(tuple(self.misses.values()))  # as it is now: another thread may ask

    def column(self, table: "Table[Any, Any]") -> Column:
        """The door of a table, the same for every block."""
        found = self._columns.get(table)
        if found is None:
            found = self._columns[table] = self.cells.column(table)
        return found

    def forget_cached(self) -> None:
        """Drop every value that was read: they are read again, and nothing but time is lost."""
        self.cells.young = {}
        self.cells.old = {}

    @property
    def created(self) -> int:
        """See `Cells.created`."""
        return self.cells.created

    @property
    def undo(self) -> Undo:
        """See `Cells.undo`."""
        return self.cells.undo

    @property
    def operations(self) -> int:
        """See `Cells.operations`."""
        return self.cells.operations

    def _load(self, table: "Table[Any, Any]", key: bytes) -> Any:  # noqa: ANN401
        """The value of a key that is not cached: of a block that is not durable yet, else of the store."""
        if table.few and not self._may_hold(table, key):
            return None
        for changes in reversed(self._pending):
            change = changes.items.get(key)
            if change is not None:
                return change[2]
        self.misses[table] = self.misses.get(table, 0) + 1
        try:
            raw = self._reader.get(key)
        except Exception as error:
            raise KernelFault(f"{table.name} cannot be read: {error}") from error
        return None if raw is None else self._decode(table, key, raw)

    def _may_hold(self, table: "Table[Any, Any]", key: bytes) -> bool:
        """Whether a table with few keys may have a value under a key."""
        known = self.cells.known.get(table.name, MISSING)
        if known is MISSING:
            known = self._know_all(table)
        return known is None or key in known

    def _know_all(self, table: "Table[Any, Any]") -> set[bytes] | None:
        start, end = table.prefix, end_of(table.prefix)
        layers = [*self._pending, self._changes]  # before the store: what becomes durable meanwhile is in both
        known = {key for layer in layers for key in layer.items if key.startswith(start)}
        known.update(key for key, _ in islice(self._stored(start, end), KNOWN_KEYS + 1))
        self.cells.known[table.name] = None if len(known) > KNOWN_KEYS else known
        return self.cells.known[table.name]

    def _know(self, table: "Table[Any, Any]", key: bytes) -> None:
        """A key may have a value from now on; one that is deleted stays known, which costs no more than a read."""
        known = self.cells.known.get(table.name)
        if known is not None:
            known.add(key)
            if len(known) > KNOWN_KEYS:
                self.cells.known[table.name] = None

    def _decode(self, table: "Table[Any, Any]", key: bytes, raw: bytes) -> Any:  # noqa: ANN401
        """The value of stored bytes, remembered as they are where they are of an older schema."""
        try:
            value = table.decode_value(raw)
        except (ValueError, IndexError) as error:  # msgspec's errors are ValueErrors
            raise KernelFault(f"{table.name} holds bytes that are no value of it: {error}") from error
        if raw[0] != table.schema:
            self._outdated[key] = raw
        return value

    def begin_fetch(self, wanted: dict[bytes, "Table[Any, Any]"], beside: Beside[bytes | None]) -> "Fetch":
        """Begin to read keys that a block will need, in one call, beside the block before. Never changes what is read.

        `wanted` is of this moment (`Column.want`). What stands in a block that is not durable is left out: the store
        may be behind it.
        """
        missing = {key: table for key, table in wanted.items() if not table.few or self._may_hold(table, key)}
        for changes in tuple(self._pending):  # as it is now: the oldest may become durable meanwhile
            items = changes.items
            missing = {key: table for key, table in missing.items() if key not in items}
        keys = sorted(missing)  # neighbours lie in the same blocks of the store
        read = beside(partial(self._reader.multi_get, keys)) if keys else list[bytes | None]
        return Fetch(keys, missing, read, self._ended)

    def finish_fetch(self, fetch: "Fetch") -> None:
        """Take in what was read. Of a key that one block wrote meanwhile memory knows better; after two it may not."""
        if self._ended > fetch.ended + 1:
            return
        try:
            found = fetch.read()
        except Exception as error:
            raise KernelFault(f"the state cannot be read: {error}") from error
        written = self._newest.items if self._ended > fetch.ended else {}
        open_changes = self._changes.items
        young, tables, decode = self.cells.young, fetch.tables, self._decode
        for key, raw in zip(fetch.keys, found, strict=True):
            if key not in written and key not in open_changes:
                young[key] = None if raw is None else decode(tables[key], key, raw)

    # Ranges

    def scan(
        self, table: "Table[Any, Any]", start: bytes, prefix: bytes, limit: int | None
    ) -> Iterator[tuple[bytes, Any]]:
        """Pairs from `start` on while keys begin with `prefix`, in key order.

        A live cursor: the next pair is the one with the next key at the time it is asked for, so that what is put
        ahead of the scan is met and what is deleted ahead is not. Raises `WorkExceeded` beyond the transaction's bound.
        """
        given = 0
        for key, raw in self._keys(table, start, end_of(prefix)):
            value = self.cells.young.get(key, MISSING)
            if value is MISSING:
                value = self.cells.old.get(key, MISSING)
            if value is MISSING:
                value = self._load(table, key) if raw is None else self._decode(table, key, raw)
            if value is None:
                continue
            self.cells.operations += 1
            if self.cells.operations > self.limit:
                raise WorkExceeded(operations=self.cells.operations, limit=self.limit)
            yield key, value
            given += 1
            if given == limit:
                return

    def _keys(self, table: "Table[Any, Any]", start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """Keys of store, pending blocks and open block in order; those that a block changed come without bytes."""
        changes, name = self._changes, table.name
        pending = merge(*[layer.between(start, end) for layer in self._pending if name in layer.touched])
        stored = self._stored(start, end)  # after the layers: what becomes durable in between is in both
        waiting, row = next(pending, None), next(stored, None)
        while True:
            if waiting is None and name not in changes.touched:  # nothing lies over the store, as for most scans
                if row is None:
                    return
                yield row
                start, row = row[0] + b"\0", next(stored, None)
                continue
            here = changes.first(start, end) if name in changes.touched else None
            key = min((k for k in (here, waiting, row and row[0]) if k is not None), default=None)
            if key is None:
                return
            raw = None
            if row is not None and row[0] == key:
                raw = row[1]
                row = next(stored, None)
            if here == key:
                raw = None
            while waiting == key:
                raw = None
                waiting = next(pending, None)
            yield key, raw
            start = key + b"\0"

    def _stored(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from self._reader.scan(start, end)
        except Exception as error:
            raise KernelFault(f"the state cannot be read: {error}") from error

    # Savepoints

    def rollback(self, mark: int) -> None:
        """Undo every write since the undo log had `mark` entries."""
        cells = self.cells
        undo, young, changes = cells.undo, cells.young, cells.changes
        while len(undo) > mark:
            _, key, before = undo.pop()
            cells.created -= (before is None) - (young[key] is None)
            young[key] = before
            changes[key][2] = before

    # Blocks

    def begin_transaction(self) -> None:
        """Start the undo log and the meters anew."""
        self.cells.begin_transaction()

    def end_block(self, watched: Mapping[str, Any] = NOTHING) -> Changes:
        """Hand out what the block changed (unchanged keys left out) and keep it pending until `durable`.

        Of tables with `watched` names it says what differs.
        """
        changes = self._changes
        changes.settle(watched)
        if self._outdated:
            changes.stored = {key: self._outdated.pop(key) for key in changes.items if key in self._outdated}
        self._open_changes()
        self._pending.append(changes)
        self._newest = changes
        self._ended += 1
        self._age()
        return changes

    def _age(self) -> None:
        """Bound the cache: what was not met for long leaves, some values a block, for all at once would hold it up."""
        for _ in range(min(_LEAVING, len(self._leaving))):
            self._leaving.popitem()
        if len(self.cells.young) > self._half:
            self._leaving, self.cells.old, self.cells.young = self.cells.old, self.cells.young, {}
            self._outdated = {key: raw for key, raw in self._outdated.items() if key in self.cells.old}

    def discard_block(self) -> None:
        """Forget what the open block changed: the next candidate starts from the same state."""
        self._forget_values(self._changes)
        self._open_changes()

    def discard(self, changes: Changes) -> None:
        """Forget the newest block that ended, as if it had never run; raises `KernelFault` for any other."""
        if not self._pending or self._pending[-1] is not changes:
            raise KernelFault("only the newest block that is not durable can be discarded")
        self._pending.pop()
        self._forget_values(changes)

    def durable(self, changes: Changes) -> None:
        """The store holds these changes now; called in block order (another thread may: a block is let go of whole)."""
        if self._pending and self._pending[0] is changes:
            del self._pending[0]

    def _open_changes(self) -> None:
        self._changes = Changes()
        self.cells.changes = self._changes.items
        self.cells.touched = self._changes.touched
        self.cells.undo.clear()

    def _forget_values(self, changes: Changes) -> None:
        self._ended += 2  # memory may now know less than the store: what was read before is not to be trusted
        for key in changes.items:
            self.cells.young.pop(key, None)
            self.cells.old.pop(key, None)
