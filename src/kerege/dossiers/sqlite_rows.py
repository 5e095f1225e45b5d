"""Rows in SQLite: one file, write-ahead log, every commit on the medium before it returns.

Tables are clustered by the keyed name (WITHOUT ROWID), so no order of insertion survives in the file, and removed rows
are overwritten (`secure_delete`).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import RLock
from typing import Any

from kerege.dossiers.errors import DossiersAbsent, StoreDamaged, StoreUnwritable, WrongVersion
from kerege.dossiers.files import PRIVATE_FILE, sync_file, sync_folder, write_private
from kerege.dossiers.ports import Change, Shelf

_APPLICATION = 0x4B444F53  # "KDOS"
_FORMAT = 1
_PAGE = 1000
"""Keys of one question."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for one writer, every commit durable; raises `StoreDamaged` for a file that is none."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreDamaged(file=path) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the body in one durable transaction or undo it; raises `StoreUnwritable` where the medium refuses."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            raise StoreUnwritable(reason=error) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise StoreDamaged(reason=error) from error
        raise


def among(connection: sqlite3.Connection, what: str, keys: Sequence[bytes]) -> Iterator[Any]:
    """Rows of a table (`what`: "key, columns FROM table") whose key is one of many."""
    key = what.split(",", 1)[0].split(" ", 1)[0]
    for start in range(0, len(keys), _PAGE):
        part = keys[start : start + _PAGE]
        yield from connection.execute(f"SELECT {what} WHERE {key} IN ({','.join('?' * len(part))})", part)


def check_format(connection: sqlite3.Connection, path: Path, application: int, version: int) -> None:
    """Raise `WrongVersion` unless the file was made by this format."""
    made_by = connection.execute("PRAGMA application_id").fetchone()[0]
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if made_by != application or found != version:
        raise WrongVersion(file=path, found=found, expected=version)


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy of an open database to a new file, durably; readers and the writer go on."""
    write_private(target, b"")
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()
    sync_file(target)
    sync_folder(target.parent)


class SqliteRows:
    """`Rows` in a SQLite file."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises `DossiersAbsent`, `WrongVersion`, `StoreDamaged`."""
        if not path.is_file():
            raise DossiersAbsent(file=path)
        self._lock = RLock()
        self._connection = connect(path)
        check_format(self._connection, path, _APPLICATION, _FORMAT)

    @staticmethod
    def create(path: Path) -> "SqliteRows":
        """Make an empty file of mode 0600 and open it."""
        write_private(path, b"")
        connection = connect(path)
        with transaction(connection):
            for shelf in Shelf:
                connection.execute(
                    f"CREATE TABLE {shelf.value} (locator BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID"
                )
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.close()
        path.chmod(PRIVATE_FILE)
        return SqliteRows(path)

    def get(self, shelf: Shelf, locator: bytes) -> bytes | None:
        """Give the bytes under a locator, or None."""
        with self._lock:
            query = f"SELECT sealed FROM {shelf.value} WHERE locator = ?"  # noqa: S608 - names of an enum
            row = self._connection.execute(query, (locator,)).fetchone()
        return None if row is None else bytes(row[0])

    def held(self, shelf: Shelf, locators: Sequence[bytes]) -> set[bytes]:
        """Those of many locators that have a row."""
        with self._lock:
            return {row[0] for row in among(self._connection, f"locator FROM {shelf.value}", locators)}

    def scan(self, shelf: Shelf) -> Iterator[tuple[bytes, bytes]]:
        """Go through one shelf in the order of locators."""
        last = b""
        while True:
            with self._lock:
                query = (
                    f"SELECT locator, sealed FROM {shelf.value} "  # noqa: S608 - names of an enum
                    "WHERE locator > ? ORDER BY locator LIMIT 256"
                )
                rows = self._connection.execute(query, (last,)).fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes or none; they are on the medium when this returns."""
        with self._lock, transaction(self._connection):
            for (shelf, removed), some in groupby(changes, lambda change: (change.shelf, change.sealed is None)):
                if removed:
                    query = f"DELETE FROM {shelf.value} WHERE locator = ?"  # noqa: S608 - names of an enum
                    self._connection.executemany(query, ((change.locator,) for change in some))
                else:
                    query = f"INSERT OR REPLACE INTO {shelf.value} VALUES (?, ?)"  # noqa: S608 - names of an enum
                    self._connection.executemany(query, ((change.locator, change.sealed) for change in some))

    def purge(self) -> None:
        """Fold the write-ahead log into the file and empty it, so that it keeps no copy of removed rows."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file."""
        with self._lock:
            copy_database(self._connection, target)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()
