"""Which imported row holds which PIN and act number: keyed names to row numbers, on disk, of all files together.

Without the controller's key a name says nothing; a value is the import's place in the list and a row number. The folder
can be lost: it is made anew from the files' own rows when they are imported again.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from kerege.dossiers.rocks import MIB, Form, RocksFolder
from kerege.kernel.types import Hash

FORM = Form(b"kerege-imported/2", buffer=MIB, cache=2 * MIB, merge=16)

_IMPORT, _HELD = b"i", b"n"
_PLACE, _ROW = 4, 8
"""Bytes of a place and of a row's number."""


class Index:
    """Open for one process."""

    def __init__(self, path: Path) -> None:
        if not (path / "CURRENT").is_file():
            RocksFolder.create(path, FORM)
        self._rows = RocksFolder(path, FORM)

    def place(self, source: Hash) -> int:
        """The place of a file in the list, from 1; entered where it is new."""
        known = self.sources()
        for place, each in known.items():
            if each == source:
                return place
        place = max(known, default=0) + 1
        self._rows.write([(_IMPORT + place.to_bytes(_PLACE, "big"), source)])
        return place

    def sources(self) -> dict[int, Hash]:
        """Keyed hashes of the files imported, by their places."""
        return {int.from_bytes(name[1:], "big"): source for name, source in self._rows.scan(_IMPORT)}

    def find(self, names: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Name → (place of the import, row) of those names that are held."""
        rows = self._rows.get_many([_HELD + name for name in names])
        return {name: _holder(row) for name, row in zip(names, rows, strict=True) if row is not None}

    def add(self, place: int, rows: Iterable[tuple[int, Iterable[bytes]]]) -> None:
        """Enter rows of a file (number, names): names that nobody holds, or this row.

        A crash of the machine may lose the newest rows: the journal is replayed over them.
        """
        file = place.to_bytes(_PLACE, "big")
        held = ((file + number.to_bytes(_ROW, "big"), names) for number, names in rows)
        self._rows.write([(_HELD + name, row) for row, names in held for name in names], sync=False)

    def drop(self, place: int, rows: Sequence[int]) -> None:
        """Rows of a file hold nothing any more."""
        if rows:
            gone = {(place, row) for row in rows}
            self._rows.write([(name, None) for name, row in self._rows.scan(_HELD) if _holder(row) in gone])

    def close(self) -> None:
        """Let the folder go."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _holder(row: bytes) -> tuple[int, int]:
    return int.from_bytes(row[:_PLACE], "big"), int.from_bytes(row[_PLACE:], "big")
