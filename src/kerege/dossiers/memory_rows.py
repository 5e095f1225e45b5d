"""Rows in memory: the twin of `RocksRows` for tests and simulations; keeps nothing."""

from collections.abc import Iterable, Iterator, Sequence

from kerege.dossiers.ports import Change, Shelf


class MemoryRows:
    """`Rows` in a dictionary."""

    def __init__(self) -> None:
        self._shelves: dict[Shelf, dict[bytes, bytes]] = {shelf: {} for shelf in Shelf}

    def get(self, shelf: Shelf, locator: bytes) -> bytes | None:
        """Give the bytes under a locator, or None."""
        return self._shelves[shelf].get(locator)

    def find(self, shelf: Shelf, locators: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of many locators that have a row, with its bytes."""
        rows = self._shelves[shelf]
        return {locator: rows[locator] for locator in locators if locator in rows}

    def scan(self, shelf: Shelf) -> Iterator[tuple[bytes, bytes]]:
        """Go through one shelf in the order of locators."""
        yield from sorted(self._shelves[shelf].items())

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes or none: the iterable is run to its end before the first change."""
        for change in list(changes):
            if change.sealed is None:
                self._shelves[change.shelf].pop(change.locator, None)
            else:
                self._shelves[change.shelf][change.locator] = change.sealed

    def put_many(self, shelf: Shelf, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put rows."""
        self._shelves[shelf].update(rows)

    def flush(self) -> None:
        """A dictionary has no medium."""

    def purge(self) -> None:
        """Nothing lingers in a dictionary."""

    def close(self) -> None:
        """Nothing to let go."""
