"""Which imported row holds which PIN and act number: keyed names to row numbers, on disk, of all files together.

Without the controller's key a name says nothing; a value is the import's place in the list and a row number. The table
can be lost: it is made anew from the files' own rows when they are imported again.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from kerege.kernel.types import Hash

_ASKED = 500
"""Names of one question."""


class Index:
    """Open for one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._rows = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        # A crash of the machine may lose the newest rows; the journal is replayed over them.
        self._rows.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -65536;"
            "pragma wal_autocheckpoint = 8192;"
            "create table if not exists import (place integer primary key, source blob unique not null);"
            "create table if not exists held (name blob primary key, place integer not null, row integer not null)"
            " without rowid;"
        )

    def place(self, source: Hash) -> int:
        """The place of a file in the list, from 1; entered where it is new."""
        self._rows.execute("insert or ignore into import (source) values (?)", (source,))
        return int(self._rows.execute("select place from import where source = ?", (source,)).fetchone()[0])

    def sources(self) -> dict[int, Hash]:
        """Keyed hashes of the files imported, by their places."""
        return dict(self._rows.execute("select place, source from import"))

    def find(self, names: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Name → (place of the import, row) of those names that are held."""
        found: dict[bytes, tuple[int, int]] = {}
        for start in range(0, len(names), _ASKED):
            part = names[start : start + _ASKED]
            marks = ",".join("?" * len(part))
            query = f"select name, place, row from held where name in ({marks})"  # noqa: S608 - question marks only
            found.update((name, (place, row)) for name, place, row in self._rows.execute(query, part))
        return found

    def add(self, rows: Iterable[tuple[bytes, int, int]]) -> None:
        """Enter (name, place, row); what is held already stays."""
        self._rows.execute("begin")
        self._rows.executemany("insert or ignore into held values (?, ?, ?)", rows)
        self._rows.execute("commit")

    def drop(self, place: int, rows: Sequence[int]) -> None:
        """Rows of a file hold nothing any more."""
        if rows:
            self._rows.executemany("delete from held where place = ? and row = ?", [(place, row) for row in rows])

    def close(self) -> None:
        """Close the table."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
