"""SQLite as the key service uses it: write-ahead log, every commit on the medium, removed rows overwritten."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerege.dossiers.errors import StoreDamaged, StoreUnwritable, WrongVersion
from kerege.dossiers.files import sync_file, sync_folder, write_private

_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "cache_size=-16384",
    # Keyed names fall all over the tables: a page is written back once for many commits, not once for each.
    "wal_autocheckpoint=8192",
)
_PAGE = 1000
"""Keys of one question."""


class _Connection(sqlite3.Connection):
    """A connection whose faults are the store's: `StoreUnwritable` where the medium refuses, else `StoreDamaged`."""

    def execute(self, *statement: Any) -> sqlite3.Cursor:  # noqa: ANN401 - SQL and its values
        with _told():
            return super().execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:  # noqa: ANN401 - SQL and its values
        with _told():
            return super().executemany(*statement)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreUnwritable(reason=error) from error
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(reason=error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for one writer, every commit durable; raises `StoreDamaged` for a file that is none.

    Raises `StoreUnwritable` where there is no room to open it.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=_Connection)
    try:
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
    except StoreDamaged as error:
        connection.close()
        raise StoreDamaged(file=path) from error
    except StoreUnwritable:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the body in one durable transaction or undo it; raises `StoreUnwritable` where the medium refuses."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
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
        with _told():
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()
    sync_file(target)
    sync_folder(target.parent)
