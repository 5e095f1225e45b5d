"""The outbox: transactions that a node has acknowledged before they are final, kept over its restarts.

A file of SQLite beside the ledger's store, which has no place for what is no part of the ledger. What is in it is
handed to the engine until it is final or has expired.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path


class Outbox:
    """The outbox in a file; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)  # what is in it is nobody's yet; the files that SQLite puts beside it have the same mode
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("CREATE TABLE IF NOT EXISTS accepted (place INTEGER PRIMARY KEY, raw BLOB UNIQUE)")

    def put(self, raws: Iterable[bytes]) -> None:
        """Keep transactions: on the disk when this returns."""
        self._change("INSERT OR IGNORE INTO accepted (raw) VALUES (?)", raws)

    def drop(self, raws: Iterable[bytes]) -> None:
        """Forget what is answered."""
        self._change("DELETE FROM accepted WHERE raw = ?", raws)

    def all(self) -> list[bytes]:
        """What was kept, in the order in which it came."""
        return [raw for (raw,) in self._database.execute("SELECT raw FROM accepted ORDER BY place")]

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def _change(self, statement: str, raws: Iterable[bytes]) -> None:
        rows = [(raw,) for raw in raws]
        if rows:
            self._database.execute("BEGIN")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
