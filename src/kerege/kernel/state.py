"""All module data while a block executes: decoded values in a bounded cache over the store.

One undo log gives savepoints; one set of dirty keys a block gives what to hash and what to store.
A block's changes stay pending until the store has them durably, so that the next block can execute
meanwhile. Everything here is for the one thread that executes, but `durable`, which only lets go.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from functools import partial
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from kerege.kernel.errors import KernelFault, WorkExceeded

if TYPE_CHECKING:
    from kerege.kernel.tables import Table

_MISSING: Any = object()

UNBOUNDED = 2**63
"""Table operations where nobody counts: views, full invariants, genesis."""

KNOWN_KEYS = 65_536
"""Of a table with few keys all are known in memory, up to so many."""

_FEW = 64
"""Up to so many new keys are put into order one by one; beyond it all are sorted anew."""


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


class Changes:
    """What one block changed: key → [table, value before the block, value now]; insertion-ordered."""

    __slots__ = ("_known", "_order", "items", "stored")

    def __init__(self) -> None:
        self.items: dict[bytes, list[Any]] = {}
        self.stored: dict[bytes, bytes] = {}
        """Bytes before the block of keys whose stored value was of an older schema: encoding would not give them."""
        self._order: list[bytes] = []
        self._known = 0

    def __len__(self) -> int:
        return len(self.items)

    def first(self, start: bytes, end: bytes) -> bytes | None:
        """The first changed key with start ≤ key < end."""
        order = self._order if len(self.items) == self._known else self._settle()
        at = bisect_left(order, start)
        return order[at] if at < len(order) and order[at] < end else None

    def between(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """Changed keys with start ≤ key < end, in order; nothing may change meanwhile."""
        order = self._settle()
        return (order[at] for at in range(bisect_left(order, start), bisect_left(order, end)))

    def drop_unchanged(self) -> None:
        """Leave out keys that hold again what they held before."""
        same = [key for key, (_, before, now) in self.items.items() if before is now or before == now]
        for key in same:
            del self.items[key]
        if self._known:
            self._order, self._known = [], 0

    def _settle(self) -> list[bytes]:
        """All changed keys in order: the ones added since the last time are put in."""
        new = len(self.items) - self._known
        if new > _FEW:
            self._order = sorted(self.items)
        else:
            for key in islice(reversed(self.items), new):
                insort(self._order, key)
        self._known = len(self.items)
        return self._order


Beside = Callable[[Callable[[], list[bytes | None]]], Callable[[], list[bytes | None]]]
"""Begins a read of the store and gives what waits for it: on a thread beside, or, as in `at_once`, when asked."""


def at_once(read: Callable[[], list[bytes | None]]) -> Callable[[], list[bytes | None]]:
    """No thread beside: the read is done when its result is asked for."""
    return read


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
        """Key → its table; of more keys than are read."""
        self.read = read
        """Waits for the stored bytes, in the order of the keys."""
        self.ended = ended
        """Blocks that had ended when the read began."""


class State:
    """The state under execution. `cache_limit` bounds the decoded values kept beyond pending blocks.

    What the store says that it should not (an error, bytes that do not decode) is a `KernelFault`: never an outcome
    of a transaction, as another node's store may be well.
    """

    def __init__(self, reader: StateReader, cache_limit: int = 400_000) -> None:
        self._reader = reader
        self._half = max(1, cache_limit // 2)
        self._young: dict[bytes, Any] = {}
        self._old: dict[bytes, Any] = {}
        self._outdated: dict[bytes, bytes] = {}
        """Stored bytes of cached values that were upcast when read."""
        self._pending: list[Changes] = []
        self._changes = Changes()
        self._ended = 0
        """Blocks that ended so far, and two more for each that was forgotten: how old a fetch is."""
        self._known: dict[str, set[bytes] | None] = {}
        """Per table with few keys: every key that may have a value; None where there are too many."""
        self.undo: list[tuple[Table[Any, Any], bytes, Any]] = []
        self.operations = 0
        """Reads, writes and scanned rows since the transaction began: the same on every node, whatever is cached."""
        self.limit = UNBOUNDED
        """Operations beyond which a scan is refused while it runs."""
        self.created = 0
        """Keys that the transaction added, less those it removed."""
        self.missed = 0
        """Single reads of the store so far."""

    # Values

    def read(self, table: "Table[Any, Any]", key: bytes) -> Any:  # noqa: ANN401 - the table's value type
        """The value under the key, or None."""
        self.operations += 1
        value = self._young.get(key, _MISSING)
        return self._load(table, key) if value is _MISSING else value

    def write(self, table: "Table[Any, Any]", key: bytes, value: Any) -> None:  # noqa: ANN401
        """Set the value under the key; None removes it."""
        self.operations += 1
        before = self._young.get(key, _MISSING)
        if before is _MISSING:
            before = self._load(table, key)
        if table.few:
            self._know(table, key)
        self.undo.append((table, key, before))
        if before is None or value is None:
            self.created += (before is None) - (value is None)
        changes = self._changes.items
        change = changes.get(key)
        if change is None:
            changes[key] = [table, before, value]
        else:
            change[2] = value
        self._young[key] = value

    def current(self, key: bytes) -> Any:  # noqa: ANN401
        """The value of a key that the running transaction wrote."""
        return self._young[key]

    def _load(self, table: "Table[Any, Any]", key: bytes) -> Any:  # noqa: ANN401
        if table.few and not self._may_hold(table, key):
            return None
        value = self._old.get(key, _MISSING)
        if value is _MISSING:
            value = self._load_pending(key)
        if value is _MISSING:
            self.missed += 1
            try:
                raw = self._reader.get(key)
            except Exception as error:
                raise KernelFault(f"{table.name} cannot be read: {error}") from error
            value = self._decode(table, key, raw)
        self._young[key] = value
        return value

    def _may_hold(self, table: "Table[Any, Any]", key: bytes) -> bool:
        """Whether a table with few keys may have a value under a key."""
        known = self._known.get(table.name, _MISSING)
        if known is _MISSING:
            known = self._know_all(table)
        return known is None or key in known

    def _know_all(self, table: "Table[Any, Any]") -> set[bytes] | None:
        start, end = table.prefix, end_of(table.prefix)
        layers = [*self._pending, self._changes]  # before the store: what becomes durable meanwhile is in both
        known = {key for layer in layers for key in layer.items if key.startswith(start)}
        known.update(key for key, _ in islice(self._stored(start, end), KNOWN_KEYS + 1))
        self._known[table.name] = None if len(known) > KNOWN_KEYS else known
        return self._known[table.name]

    def _know(self, table: "Table[Any, Any]", key: bytes) -> None:
        """A key may have a value from now on; one that is deleted stays known, which costs no more than a read."""
        known = self._known.get(table.name)
        if known is not None:
            known.add(key)
            if len(known) > KNOWN_KEYS:
                self._known[table.name] = None

    def _load_pending(self, key: bytes) -> Any:  # noqa: ANN401
        for changes in reversed(self._pending):
            change = changes.items.get(key)
            if change is not None:
                return change[2]
        return _MISSING

    def _decode(self, table: "Table[Any, Any]", key: bytes, raw: bytes | None) -> Any:  # noqa: ANN401
        """The value of stored bytes, remembered as they are where they are of an older schema."""
        if raw is None:
            return None
        try:
            value = table.decode_value(raw)
        except (ValueError, IndexError) as error:  # msgspec's errors are ValueErrors
            raise KernelFault(f"{table.name} holds bytes that are no value of it: {error}") from error
        if raw[0] != table.schema:
            self._outdated[key] = raw
        return value

    def knows(self, table: "Table[Any, Any]") -> bool:
        """Whether all keys of a table are in memory: a table with few keys that was asked for before."""
        return table.few and self._known.get(table.name) is not None

    def begin_fetch(self, wanted: dict[bytes, "Table[Any, Any]"], beside: Beside) -> "Fetch":
        """Begin to read keys that a block will need, in one call, beside the block before. Never changes what is read.

        What stands in memory or in a block that is not durable is left out: the store may be behind it.
        """
        young, old = self._young, self._old
        missing = [
            key
            for key, table in wanted.items()
            if key not in young and key not in old and (not table.few or self._may_hold(table, key))
        ]
        for changes in tuple(self._pending):  # as it is now: the oldest may become durable meanwhile
            items = changes.items
            missing = [key for key in missing if key not in items]
        missing.sort()  # neighbours lie in the same blocks of the store
        read = beside(partial(self._reader.multi_get, missing)) if missing else list[bytes | None]
        return Fetch(missing, wanted, read, self._ended)

    def finish_fetch(self, fetch: "Fetch") -> None:
        """Take in what was read. Of a key that one block wrote meanwhile memory knows better; after two it may not."""
        if self._ended > fetch.ended + 1:
            return
        try:
            found = fetch.read()
        except Exception as error:
            raise KernelFault(f"the state cannot be read: {error}") from error
        young, old, tables, decode = self._young, self._old, fetch.tables, self._decode
        for key, raw in zip(fetch.keys, found, strict=True):
            if key not in young and key not in old:
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
        for key, raw in self._keys(start, end_of(prefix)):
            value = self._young.get(key, _MISSING)
            if value is _MISSING:
                value = self._load(table, key) if raw is None else self._decode(table, key, raw)
            if value is None:
                continue
            self.operations += 1
            if self.operations > self.limit:
                raise WorkExceeded(operations=self.operations, limit=self.limit)
            yield key, value
            given += 1
            if given == limit:
                return

    def _keys(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """Keys of store, pending blocks and open block in order; those that a block changed come without bytes."""
        changes = self._changes
        pending = merge(*[layer.between(start, end) for layer in self._pending])
        stored = self._stored(start, end)  # after the layers: what becomes durable in between is in both
        waiting, row = next(pending, None), next(stored, None)
        while True:
            here = changes.first(start, end)
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
        undo, changes = self.undo, self._changes.items
        while len(undo) > mark:
            _, key, before = undo.pop()
            self.created -= (before is None) - (self._young[key] is None)
            self._young[key] = before
            changes[key][2] = before

    # Blocks

    def begin_transaction(self) -> None:
        """Start the undo log and the meters anew."""
        self.undo.clear()
        self.operations = 0
        self.created = 0

    def end_block(self) -> Changes:
        """Hand out what the block changed (unchanged keys left out) and keep it pending until `durable`."""
        changes = self._changes
        changes.drop_unchanged()
        if self._outdated:
            changes.stored = {key: self._outdated.pop(key) for key in changes.items if key in self._outdated}
        self._changes = Changes()
        self.undo.clear()
        self._pending.append(changes)
        self._ended += 1
        if len(self._young) > self._half:
            self._old, self._young = self._young, {}
            self._outdated = {key: raw for key, raw in self._outdated.items() if key in self._old}
        return changes

    def discard_block(self) -> None:
        """Forget what the open block changed: the next candidate starts from the same state."""
        self._forget_values(self._changes)
        self._changes = Changes()
        self.undo.clear()

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

    def _forget_values(self, changes: Changes) -> None:
        self._ended += 2  # memory may now know less than the store: what was read before is not to be trusted
        for key in changes.items:
            self._young.pop(key, None)
            self._old.pop(key, None)
