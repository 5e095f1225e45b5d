"""All module data while a block executes: decoded values in a bounded cache over the store.

One undo log gives savepoints; one set of dirty keys a block gives what to hash and what to store.
A block's changes stay pending until the store has them durably, so that the next block can execute
meanwhile.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kerege.kernel.tables import Table

_MISSING: Any = object()


class StateReader(Protocol):
    """What the state needs of a store: committed bytes by key, and ranges in key order."""

    def get(self, key: bytes) -> bytes | None:
        """Stored bytes (schema byte and value), or None."""

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """Stored bytes of several keys in one call."""

    def scan(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with start ≤ key < end, in key order, of a consistent snapshot."""


def end_of(prefix: bytes) -> bytes:
    """The first key after all that begin with the prefix (prefixes end in a zero byte or a part of a key)."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1])


class Changes:
    """What one block changed: key → (table, value before the block, value now); insertion-ordered."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: dict[bytes, list[Any]] = {}

    def __len__(self) -> int:
        return len(self.items)


class State:
    """The state under execution. `cache_limit` bounds the decoded values kept beyond pending blocks."""

    def __init__(self, reader: StateReader, cache_limit: int = 400_000) -> None:
        self._reader = reader
        self._half = max(1, cache_limit // 2)
        self._young: dict[bytes, Any] = {}
        self._old: dict[bytes, Any] = {}
        self._pending: list[Changes] = []
        self._changes = Changes()
        self.undo: list[tuple["Table[Any, Any]", bytes, Any]] = []
        self.operations = 0
        self.created = 0

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
        self.undo.append((table, key, before))
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
        value = self._old.get(key, _MISSING)
        if value is _MISSING:
            value = self._load_pending(key)
        if value is _MISSING:
            raw = self._reader.get(key)
            value = None if raw is None else table.decode_value(raw)
        self._young[key] = value
        return value

    def _load_pending(self, key: bytes) -> Any:  # noqa: ANN401
        for changes in reversed(self._pending):
            change = changes.items.get(key)
            if change is not None:
                return change[2]
        return _MISSING

    def prefetch(self, table_keys: list[tuple["Table[Any, Any]", bytes]]) -> None:
        """Load the keys that a block declares in one call."""
        wanted = {k: t for t, k in table_keys if k not in self._young and k not in self._old}
        missing = [k for k in wanted if self._load_pending(k) is _MISSING]
        for key, raw in zip(missing, self._reader.multi_get(missing), strict=True):
            self._young[key] = None if raw is None else wanted[key].decode_value(raw)

    def scan(
        self, table: "Table[Any, Any]", start: bytes, prefix: bytes, limit: int | None
    ) -> Iterator[tuple[bytes, Any]]:
        """Pairs from `start` on while keys begin with `prefix`, in key order, as of now."""
        end = end_of(prefix)
        layers = (*self._pending, self._changes)
        overlay = sorted({key for layer in layers for key in layer.items if start <= key < end})
        given = 0
        for key, stored in self._merge(start, end, overlay):
            self.operations += 1
            value = self.read(table, key) if stored is None else self._cached(table, key, stored)
            if value is None:
                continue
            yield key, value
            given += 1
            if given == limit:
                return

    def _cached(self, table: "Table[Any, Any]", key: bytes, raw: bytes) -> Any:  # noqa: ANN401
        value = self._young.get(key, _MISSING)
        return table.decode_value(raw) if value is _MISSING else value

    def _merge(self, start: bytes, end: bytes, overlay: list[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
        """Keys of the store and of the overlay in order; an overlaid key comes without stored bytes."""
        changed = dict.fromkeys(overlay)
        keys = iter(changed)
        ahead = next(keys, None)
        for key, raw in self._reader.scan(start, end):
            while ahead is not None and ahead < key:
                yield ahead, None
                ahead = next(keys, None)
            if key in changed:
                continue
            yield key, raw
        while ahead is not None:
            yield ahead, None
            ahead = next(keys, None)

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
        same = [key for key, (_, before, now) in changes.items.items() if before is now or before == now]
        for key in same:
            del changes.items[key]
        self._changes = Changes()
        self.undo.clear()
        self._pending.append(changes)
        if len(self._young) > self._half:
            self._old = self._young
            self._young = {}
        return changes

    def discard_block(self) -> None:
        """Forget what the open block changed: the next candidate starts from the same state."""
        for key in self._changes.items:
            self._young.pop(key, None)
            self._old.pop(key, None)
        self._changes = Changes()
        self.undo.clear()

    def forget(self, changes: Changes) -> None:
        """The block whose changes these are (none, at the end) is not kept."""
        if self._pending and self._pending[-1] is changes:
            self._pending.pop()

    def durable(self, changes: Changes) -> None:
        """The store holds these changes now; called in block order."""
        if self._pending and self._pending[0] is changes:
            self._pending.pop(0)
