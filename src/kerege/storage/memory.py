"""The memory twin of the store: same semantics, no disk; for tests and simulation."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Self

from kerege.storage.errors import StoreClosed
from kerege.storage.port import Area, Batch

if TYPE_CHECKING:
    from collections.abc import Iterator


FEW = 64
"""Up to here new and gone keys are put into order one by one; beyond it, all keys are sorted anew."""


class _MemoryArea:
    """One area: a dictionary, and its keys in order, brought up to date when a scan asks for them."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._closed = False
        self._rows: dict[bytes, bytes] = {}
        self._order: list[bytes] = []
        self._stale: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        """See `AreaReader.get`."""
        with self._lock:
            self.check_open()
            return self._rows.get(_checked(key))

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """See `AreaReader.multi_get`."""
        with self._lock:
            self.check_open()
            return [self._rows.get(_checked(key)) for key in keys]

    def scan(
        self, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `AreaReader.scan`. The snapshot is a copy of the range: simple, and linear in what it holds."""
        with self._lock:
            self.check_open()
            rows = [(key, self._rows[key]) for key in self._range(start, end)]
        return self._walk(rows[::-1] if reverse else rows)

    def apply(self, changes: dict[bytes, bytes | None]) -> None:
        """Make the changes; the caller holds the lock and has checked them."""
        for key, value in changes.items():
            if (key in self._rows) != (value is not None):
                self._stale.add(key)
            if value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value

    def drop(self, start: bytes, end: bytes) -> None:
        """Remove a range; the caller holds the lock."""
        self.apply(dict.fromkeys(self._range(start, end)))

    def close(self) -> None:
        """Refuse everything from now on; the caller holds the lock."""
        self._closed = True
        self._rows.clear()

    def check_open(self) -> None:
        """Errors: `StoreClosed`."""
        if self._closed:
            raise StoreClosed

    def _walk(self, rows: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        for row in rows:
            self.check_open()
            yield row

    def _range(self, start: bytes, end: bytes | None) -> list[bytes]:
        self._settle()
        first = bisect_left(self._order, _checked(start))
        return self._order[first : len(self._order) if end is None else bisect_left(self._order, _checked(end))]

    def _settle(self) -> None:
        """Bring the order up to date with the rows."""
        if len(self._stale) > FEW:
            self._order = sorted(self._rows)
        else:
            for key in self._stale:
                place = bisect_left(self._order, key)
                held = place < len(self._order) and self._order[place] == key
                if held and key not in self._rows:
                    del self._order[place]
                elif not held and key in self._rows:
                    insort(self._order, key)
        self._stale.clear()


class MemoryStore:
    """A store that lives as long as the object. Durable against nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._areas = tuple(_MemoryArea(self._lock) for _ in Area)

    def area(self, area: Area) -> _MemoryArea:
        """See `Store.area`."""
        return self._areas[area]

    def get(self, area: Area, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._areas[area].get(key)

    def multi_get(self, area: Area, keys: list[bytes]) -> list[bytes | None]:
        """See `Store.multi_get`."""
        return self._areas[area].multi_get(keys)

    def scan(
        self, area: Area, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        return self._areas[area].scan(start, end, reverse=reverse)

    def write(self, batch: Batch, *, sync: bool = True) -> None:  # noqa: ARG002 (there is no disk to wait for)
        """See `Store.write`."""
        for changes in batch.changes:
            for key, value in changes.items():
                _checked(key)
                _checked(value if value is not None else b"")
        with self._lock:
            self._areas[Area.META].check_open()
            for area, start, end in batch.ranges:
                self._areas[area].drop(_checked(start), _checked(end))
            for rows, changes in zip(self._areas, batch.changes, strict=True):
                rows.apply(changes)

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            for area in self._areas:
                area.close()

    def __enter__(self) -> Self:
        """Use as a context: closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _checked(raw: bytes) -> bytes:
    """Only bytes are keys and values, as in the RocksDB adapter (a bytearray could change after it was sorted in)."""
    if type(raw) is not bytes:
        reason = f"a store holds bytes, not {type(raw).__name__}"
        raise TypeError(reason)
    return raw
