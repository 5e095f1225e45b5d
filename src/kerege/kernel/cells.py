"""Values in memory while a block executes: what was read, what the block changed, and how to undo it.

Two twins stand behind one interface: `kerege_native.Cells` (Rust) and `PlainCells`, its oracle in the tests and the
fallback where the native package is absent. Both work on the same dictionaries and lists; what they differ in is only
who takes the few steps of each read and write, of which a transfer makes ten.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kerege.kernel.tables import Table

try:
    import kerege_native as native
except ImportError:
    native = None  # type: ignore[assignment]

MISSING: Any = object()

Load = Callable[["Table[Any, Any]", bytes], Any]
"""The value under a key that is not among the values in memory."""
Know = Callable[["Table[Any, Any]", bytes], None]
"""Told before a key of a table with few keys is written."""
Undo = list[tuple["Table[Any, Any]", bytes, Any]]
"""Table, key and value before, of every write since the transaction began."""
Differences = dict[str, list[tuple[bytes, Any, Any]]]
"""Table name → key, value before and value now."""


class Column(Protocol):
    """One table's door to the cells; keys are the table's own, not encoded."""

    def find(self, key: Any) -> Any:  # noqa: ANN401 - the table's key and value types
        """The value under the key, or None."""

    def put(self, key: Any, value: Any) -> None:  # noqa: ANN401
        """Set the value under the key; None removes it."""

    def want(self, key: Any, wanted: "dict[bytes, Table[Any, Any]]") -> None:  # noqa: ANN401
        """Enter the key's bytes where a read would find no value in memory."""


class Cells(Protocol):
    """For the one thread that executes."""

    young: dict[bytes, Any]
    """Key → value, of those read or written lately."""
    old: dict[bytes, Any]
    """The same of those before: what is met again is young again."""
    changes: dict[bytes, list[Any]]
    """Key → [table, value before the block, value now], of the open block."""
    touched: set[str]
    """Names of the tables with such a key."""
    operations: int
    """Reads, writes and scanned rows since the transaction began: the same on every node, whatever is cached."""
    created: int
    """Keys that the transaction added, less those it removed."""

    @property
    def undo(self) -> Undo:
        """Every write since the transaction began."""

    @property
    def known(self) -> dict[str, set[bytes] | None]:
        """Per table with few keys: every key that may have a value; None where there are too many."""

    def column(self, table: "Table[Any, Any]") -> Column:
        """The door of a table."""

    def begin_transaction(self) -> None:
        """Start the undo log and the meters anew."""

    def differences(self, watched: Mapping[str, Any]) -> Differences:
        """What the transaction changed in tables of these names: each key once, in order of the first write."""


def native_present() -> bool:
    """Whether the native twin is installed."""
    return native is not None


def make_cells(load: Load, know: Know, kind: str = "") -> Cells:
    """Empty cells: the native twin where present, else the plain one; "native" or "plain" asks for one of them."""
    if kind == "plain" or not (kind or native_present()):
        return PlainCells(load, know)
    return native.Cells(load, know)


class PlainCells:
    """See `Cells`."""

    __slots__ = ("_know", "_load", "changes", "created", "known", "old", "operations", "touched", "undo", "young")

    def __init__(self, load: Load, know: Know) -> None:
        self.young: dict[bytes, Any] = {}
        self.old: dict[bytes, Any] = {}
        self.changes: dict[bytes, list[Any]] = {}
        self.touched: set[str] = set()
        self.undo: Undo = []
        self.known: dict[str, set[bytes] | None] = {}
        self.operations = 0
        self.created = 0
        self._load = load
        self._know = know

    def column(self, table: "Table[Any, Any]") -> "PlainColumn":
        """See `Cells.column`."""
        return PlainColumn(self, table, self._know)

    def load(self, table: "Table[Any, Any]", key: bytes) -> Any:  # noqa: ANN401
        """The value of a key that is not among the young ones; it is young from now on, unless it is known absent."""
        if table.few and is_vain(self.known, table, key):
            return None
        value = self.old.get(key, MISSING)
        if value is MISSING:
            value = self._load(table, key)
        self.young[key] = value
        return value

    def begin_transaction(self) -> None:
        """See `Cells.begin_transaction`."""
        self.undo.clear()
        self.operations = 0
        self.created = 0

    def differences(self, watched: Mapping[str, Any]) -> Differences:
        """See `Cells.differences`."""
        found: Differences = {}
        seen: set[bytes] = set()
        for table, key, before in self.undo:
            if table.name in watched and key not in seen:
                seen.add(key)
                found.setdefault(table.name, []).append((key, before, self.young[key]))
        return found


def is_vain(known: dict[str, set[bytes] | None], table: "Table[Any, Any]", key: bytes) -> bool:
    """Whether all keys of a table with few are known, and this is none of them."""
    keys = known.get(table.name)
    return keys is not None and key not in keys


class PlainColumn:
    """See `Column`."""

    __slots__ = ("_cells", "_encode", "_know", "_table")

    def __init__(self, cells: PlainCells, table: "Table[Any, Any]", know: Know) -> None:
        self._cells = cells
        self._table = table
        self._encode = table.encode_key
        self._know = know

    def find(self, key: Any) -> Any:  # noqa: ANN401 - see `Column`
        """See `Column.find`."""
        raw, cells = self._encode(key), self._cells
        cells.operations += 1
        value = cells.young.get(raw, MISSING)
        return cells.load(self._table, raw) if value is MISSING else value

    def put(self, key: Any, value: Any) -> None:  # noqa: ANN401
        """See `Column.put`."""
        raw, cells, table = self._encode(key), self._cells, self._table
        cells.operations += 1
        before = cells.young.get(raw, MISSING)
        if before is MISSING:
            before = cells.load(table, raw)
        if table.few:
            self._know(table, raw)
        cells.undo.append((table, raw, before))
        if before is None or value is None:
            cells.created += (before is None) - (value is None)
        change = cells.changes.get(raw)
        if change is None:
            cells.touched.add(table.name)
            cells.changes[raw] = [table, before, value]
        else:
            change[2] = value
        cells.young[raw] = value

    def want(self, key: Any, wanted: "dict[bytes, Table[Any, Any]]") -> None:  # noqa: ANN401
        """See `Column.want`."""
        raw, cells, table = self._encode(key), self._cells, self._table
        in_memory = raw in cells.young or raw in cells.old
        if not in_memory and not (table.few and is_vain(cells.known, table, raw)):
            wanted[raw] = table
