"""`Rows` in a folder of RocksDB."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kerege.dossiers.ports import Change, Shelf
from kerege.dossiers.rocks import MIB, Form, RocksFolder

FORM = Form(
    b"kerege-dossiers/3",
    buffer=16 * MIB,
    cache=2 * MIB,
    block=16 * 1024,
    merge=128,
    reads=(b"kerege-dossiers/2",),
    direct=True,
)
"""A block is two to four rows of a register. At some KiB a row what counts is how often a row is written again by
merges: tables of 2,000 rows, 128 of them, are merged once in 250,000 rows."""
_SHELVES = {shelf: bytes([number]) for number, shelf in enumerate(Shelf, 1)}


class RocksRows:
    """One process holds it."""

    def __init__(self, path: Path) -> None:
        """Open the folder; raises `DossiersAbsent`, `WrongVersion`, `StoreDamaged`."""
        self._rows = RocksFolder(path, FORM)

    @staticmethod
    def create(path: Path) -> "RocksRows":
        """Make an empty store in a new private folder and open it."""
        RocksFolder.create(path, FORM)
        return RocksRows(path)

    def get(self, shelf: Shelf, locator: bytes) -> bytes | None:
        """Give the bytes under a locator, or None."""
        return self._rows.get(_SHELVES[shelf] + locator)

    def find(self, shelf: Shelf, locators: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of many locators that have a row, with its bytes."""
        mark = _SHELVES[shelf]
        found = self._rows.get_many([mark + locator for locator in locators])
        return {locator: row for locator, row in zip(locators, found, strict=True) if row is not None}

    def scan(self, shelf: Shelf) -> Iterator[tuple[bytes, bytes]]:
        """Go through one shelf in the order of locators, as it is now."""
        for name, row in self._rows.scan(_SHELVES[shelf]):
            yield name[1:], row

    def apply(self, changes: Iterable[Change]) -> None:
        """See `Rows`. Raises `StoreUnwritable`."""
        self._rows.write((_SHELVES[change.shelf] + change.locator, change.sealed) for change in changes)

    def put_many(self, shelf: Shelf, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """See `Rows`. Raises `StoreUnwritable`."""
        mark = _SHELVES[shelf]
        self._rows.put_unlogged((mark + locator, row) for locator, row in rows)

    def flush(self) -> None:
        """See `Rows`."""
        self._rows.flush()

    def purge(self) -> None:
        """Leave no copy of removed rows in these files."""
        self._rows.purge()

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new folder."""
        self._rows.backup(target)

    def close(self) -> None:
        """Let the folder go."""
        self._rows.close()
