"""What one block changed, from the first write to the rows that are stored.

The functions at the end go through all changes of a block; each has a twin of the same name in `kerege_native`, which
does the same to the same dictionaries.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from kerege.kernel.codec import encode

if TYPE_CHECKING:
    from kerege.kernel.cells import Differences

try:
    import kerege_native as native
except ImportError:
    native = None  # type: ignore[assignment]

Items = dict[bytes, list[Any]]
"""Key → [table, value before the block, value now]."""

Rows = list[tuple[bytes, bytes | None]]
"""Keys with stored bytes; None where there are none."""

Encoded = tuple[dict[bytes, bytes | None], bytes, dict[int, Rows]]
"""Key → bytes to store · the encoded `Rows` before · by position of a module, what its tree must take."""

_FEW = 64
"""Up to so many new keys are put into order one by one; beyond it all are sorted anew."""


class Changes:
    """What one block changed: key → [table, value before the block, value now]; insertion-ordered."""

    __slots__ = ("_known", "_order", "differences", "items", "stored", "touched")

    def __init__(self) -> None:
        self.items: Items = {}
        self.touched: set[str] = set()
        """Names of the tables that the block wrote to."""
        self.stored: dict[bytes, bytes] = {}
        """Bytes before the block of keys whose stored value was of an older schema: encoding would not give them."""
        self.differences: Differences = {}
        """Once the block ended, what it changed in the tables that somebody watches."""
        self._order: list[bytes] = []
        self._known = 0

    def __len__(self) -> int:
        return len(self.items)

    def first(self, start: bytes, end: bytes) -> bytes | None:
        """The first changed key with start ≤ key < end."""
        order = self._order if len(self.items) == self._known else self._in_order()
        at = bisect_left(order, start)
        return order[at] if at < len(order) and order[at] < end else None

    def between(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """Changed keys with start ≤ key < end, in order; nothing may change meanwhile."""
        order = self._in_order()
        return (order[at] for at in range(bisect_left(order, start), bisect_left(order, end)))

    def settle(self, watched: Mapping[str, Any]) -> None:
        """At the block's end, leave out keys that hold again what they held before; see `differences`."""
        self.differences = _settle(self.items, watched)
        if self._known:
            self._order, self._known = [], 0

    def _in_order(self) -> list[bytes]:
        """All changed keys in order: the ones added since the last time are put in."""
        new = len(self.items) - self._known
        if new > _FEW:
            self._order = sorted(self.items)
        else:
            for key in islice(reversed(self.items), new):
                insort(self._order, key)
        self._known = len(self.items)
        return self._order

    def encode(self, position: dict[str, int]) -> Encoded:
        """The changes as bytes, in order of the keys; `position` numbers the modules."""
        return _encode_changes(self.items, self.stored, position)


def settle_plain(items: Items, watched: Mapping[str, Any]) -> "Differences":
    """Leave out what is unchanged; of what stays, the differences in the tables with these names."""
    same: list[bytes] = []
    found: Differences = {}
    for key, (table, before, now) in items.items():
        if before is now or before == now:
            same.append(key)
        elif table.name in watched:
            found.setdefault(table.name, []).append((key, before, now))
    for key in same:
        del items[key]
    return found


def encode_changes_plain(items: Items, outdated: dict[bytes, bytes], position: dict[str, int]) -> Encoded:
    """See `Changes.encode`; `outdated`: bytes before where encoding would not give them."""
    stored: dict[bytes, bytes | None] = {}
    undo: Rows = []
    touched: dict[int, Rows] = {}
    for key in sorted(items):
        table, before, now = items[key]
        encode_value = table.encode_value
        raw = stored[key] = None if now is None else encode_value(now)
        undo.append((key, None if before is None else (outdated.get(key) or encode_value(before))))
        touched.setdefault(position[table.module], []).append((key, raw))
    return stored, encode(undo), touched


def settle_native(items: Items, watched: Mapping[str, Any]) -> "Differences":
    """The same by the native twin."""
    return native.settle(items, watched)


def encode_changes_native(items: Items, outdated: dict[bytes, bytes], position: dict[str, int]) -> Encoded:
    """The same by the native twin."""
    return native.encode_changes(items, outdated, position, encode)


_settle, _encode_changes = settle_plain, encode_changes_plain
if native is not None:
    _settle, _encode_changes = settle_native, encode_changes_native
