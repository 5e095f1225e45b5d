"""The key service's own table book: wrapped data keys, which dossier is whose, tombstones, holds, spent job starts.

It lies in `keys/`, where no adversary of the store looks. What ties a row to a subject is sealed under the running
epoch all the same, so that after an epoch's end an old copy of this file says nothing about what was erased.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from kerege.dossiers.errors import KeysMissing
from kerege.dossiers.files import write_private
from kerege.dossiers.sqlite import among, check_format, connect, copy_database, transaction

_APPLICATION = 0x4B4B4559  # "KKEY"
_FORMAT = 1
_PAGE = 1000
"""Rows of one question."""

_TABLE = " STRICT, WITHOUT ROWID"
_SCHEMA = (
    # handle = keyed name of (subject, purpose)
    "CREATE TABLE wrapped (handle BLOB PRIMARY KEY, epoch INTEGER NOT NULL, sealed BLOB NOT NULL)" + _TABLE,
    # locator = keyed name of (record, version, purpose); pending = hour after which its transaction cannot commit
    "CREATE TABLE entries (locator BLOB PRIMARY KEY, handle BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, pending INTEGER)" + _TABLE,
    "CREATE INDEX entries_of_handle ON entries (handle)",
    "CREATE INDEX entries_pending ON entries (pending) WHERE pending IS NOT NULL",
    "CREATE TABLE tombstones (handle BLOB PRIMARY KEY, tombstone BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " at INTEGER NOT NULL)" + _TABLE,
    "CREATE TABLE erased (locator BLOB PRIMARY KEY, tombstone BLOB NOT NULL)" + _TABLE,
    "CREATE TABLE holds (handle BLOB PRIMARY KEY, ground TEXT NOT NULL, until INTEGER)" + _TABLE,
    "CREATE TABLE jobs (job BLOB PRIMARY KEY)" + _TABLE,
    "CREATE TABLE backups (folder TEXT PRIMARY KEY, expires INTEGER NOT NULL)" + _TABLE,
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)" + _TABLE,
)


class Keybook:
    """Typed statements over `wrapped.sqlite`; every method that changes runs inside `transaction()`."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise KeysMissing(file=path)
        self._connection = connect(path)
        check_format(self._connection, path, _APPLICATION, _FORMAT)

    @staticmethod
    def create(path: Path) -> "Keybook":
        """Make an empty book of mode 0600."""
        write_private(path, b"")
        connection = connect(path)
        with transaction(connection):
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.close()
        return Keybook(path)

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside or none, on the medium at the end."""
        return transaction(self._connection)

    # -- data keys ---------------------------------------------------------------------------------------------------

    def wrapped(self, handle: bytes) -> tuple[int, bytes] | None:
        """Give epoch and wrapped data key of a (subject, purpose), or None."""
        found = self._connection.execute("SELECT epoch, sealed FROM wrapped WHERE handle = ?", (handle,)).fetchone()
        return None if found is None else (found[0], found[1])

    def wrapped_of(self, handles: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        """Epoch and wrapped data key of those of many (subject, purpose) that have one."""
        return {row[0]: (row[1], row[2]) for row in self._among("handle, epoch, sealed FROM wrapped", handles)}

    def put_wrapped(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Store wrapped data keys (handle, epoch, sealed), in place of older wrappings."""
        self._connection.executemany("INSERT OR REPLACE INTO wrapped VALUES (?, ?, ?)", rows)

    def drop_wrapped(self, handle: bytes) -> None:
        """Overwrite and remove a wrapped data key."""
        self._connection.execute("DELETE FROM wrapped WHERE handle = ?", (handle,))

    def handles(self) -> Iterator[bytes]:
        """Go through all (subject, purpose) that have a data key."""
        last = b""
        query = "SELECT handle FROM wrapped WHERE handle > ? ORDER BY handle LIMIT ?"
        while page := self._connection.execute(query, (last, _PAGE)).fetchall():
            yield from (row[0] for row in page)
            last = page[-1][0]

    # -- entries -----------------------------------------------------------------------------------------------------

    def entry(self, locator: bytes) -> tuple[bytes, int, bytes, int | None] | None:
        """Give (handle, epoch, sealed entry, pending until) of a row, or None."""
        query = "SELECT handle, epoch, sealed, pending FROM entries WHERE locator = ?"
        found = self._connection.execute(query, (locator,)).fetchone()
        return None if found is None else (found[0], found[1], found[2], found[3])

    def pending_of(self, locators: Sequence[bytes]) -> dict[bytes, int | None]:
        """Those of many rows that are registered, with the hour until which each waits for its transaction."""
        return dict(self._among("locator, pending FROM entries", locators))

    def put_entries(self, rows: Iterable[tuple[bytes, bytes, int, bytes, int | None]]) -> None:
        """Register rows (locator, handle, epoch, sealed, pending), in place of older registrations."""
        self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)

    def confirm(self, locator: bytes) -> None:
        """Note that the row's commitment is on the ledger."""
        self._connection.execute("UPDATE entries SET pending = NULL WHERE locator = ?", (locator,))

    def drop_entry(self, locator: bytes) -> None:
        """Remove the registration of a row."""
        self._connection.execute("DELETE FROM entries WHERE locator = ?", (locator,))

    def entries_of(self, handle: bytes) -> list[bytes]:
        """List the rows of a (subject, purpose)."""
        rows = self._connection.execute("SELECT locator FROM entries WHERE handle = ? ORDER BY locator", (handle,))
        return [row[0] for row in rows]

    def pending(self, before: int) -> list[bytes]:
        """List the rows whose time to commit was over before this."""
        query = "SELECT locator FROM entries WHERE pending < ? ORDER BY pending, locator"
        return [row[0] for row in self._connection.execute(query, (before,))]

    def locators(self, after: bytes) -> list[bytes]:
        """Give the next page of registered rows, in order."""
        query = "SELECT locator FROM entries WHERE locator > ? ORDER BY locator LIMIT ?"
        return [row[0] for row in self._connection.execute(query, (after, _PAGE))]

    # -- erasure -----------------------------------------------------------------------------------------------------

    def tombstone(self, handle: bytes) -> bytes | None:
        """Give the tombstone of an erased (subject, purpose), or None."""
        query = "SELECT tombstone FROM tombstones WHERE handle = ?"
        found = self._connection.execute(query, (handle,)).fetchone()
        return None if found is None else bytes(found[0])

    def buried(self, handles: Sequence[bytes], locators: Sequence[bytes]) -> tuple[set[bytes], set[bytes]]:
        """Those of many (subject, purpose), and of many rows, that were erased."""
        subjects = self._among("handle FROM tombstones", handles)
        return {row[0] for row in subjects}, {row[0] for row in self._among("locator FROM erased", locators)}

    def bury(self, handle: bytes, tombstone: bytes, epoch: int, at: int) -> list[bytes]:
        """Replace data key and registrations of a (subject, purpose) by its tombstone; gives the rows left over."""
        locators = self.entries_of(handle)
        self._connection.execute("INSERT INTO tombstones VALUES (?, ?, ?, ?)", (handle, tombstone, epoch, at))
        self._connection.executemany("INSERT INTO erased VALUES (?, ?)", [(row, tombstone) for row in locators])
        self._connection.execute("DELETE FROM entries WHERE handle = ?", (handle,))
        self._connection.execute("DELETE FROM holds WHERE handle = ?", (handle,))
        self.drop_wrapped(handle)
        self.count("generation")
        return locators

    def erased(self, locator: bytes) -> bytes | None:
        """Give the tombstone under which a row was erased, or None."""
        found = self._connection.execute("SELECT tombstone FROM erased WHERE locator = ?", (locator,)).fetchone()
        return None if found is None else bytes(found[0])

    def erased_rows(self) -> Iterator[bytes]:
        """Go through all rows that erasures left without a key."""
        yield from [row[0] for row in self._connection.execute("SELECT locator FROM erased ORDER BY locator")]

    def earliest_erasure(self, epochs: tuple[int, ...]) -> int | None:
        """Time of the first erasure whose old wrapped keys one of these epochs could still open."""
        marks = ",".join("?" * len(epochs))
        query = f"SELECT min(at) FROM tombstones WHERE epoch IN ({marks})"  # noqa: S608 - question marks only
        found: int | None = self._connection.execute(query, epochs).fetchone()[0]
        return found

    # -- holds, jobs, backups, counters ------------------------------------------------------------------------------

    def hold(self, handle: bytes) -> tuple[str, int | None] | None:
        """Give ground and end of a hold, or None."""
        found = self._connection.execute("SELECT ground, until FROM holds WHERE handle = ?", (handle,)).fetchone()
        return None if found is None else (found[0], found[1])

    def put_hold(self, handle: bytes, ground: str, until: int | None) -> None:
        """Place a hold, in place of an older one."""
        self._connection.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?)", (handle, ground, until))

    def drop_hold(self, handle: bytes) -> None:
        """End a hold."""
        self._connection.execute("DELETE FROM holds WHERE handle = ?", (handle,))

    def spend(self, job: bytes) -> bool:
        """Use up the start of a machine job; False where it was used already."""
        return self._connection.execute("INSERT OR IGNORE INTO jobs VALUES (?)", (job,)).rowcount == 1

    def note_backup(self, folder: str, expires: int) -> None:
        """Remember where a copy of the keys lies and when it must be gone."""
        self._connection.execute("INSERT OR REPLACE INTO backups VALUES (?, ?)", (folder, expires))

    def backups(self) -> list[tuple[str, int]]:
        """List the copies of the keys with the end of their term."""
        return [(row[0], row[1]) for row in self._connection.execute("SELECT folder, expires FROM backups")]

    def drop_backup(self, folder: str) -> None:
        """Forget a copy that is gone."""
        self._connection.execute("DELETE FROM backups WHERE folder = ?", (folder,))

    def count(self, name: str) -> None:
        """Add one to a counter."""
        query = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
        self._connection.execute(query, (name,))

    def counter(self, name: str) -> int:
        """Give a counter, 0 where it never counted."""
        found = self._connection.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        return 0 if found is None else int(found[0])

    def raise_counter(self, name: str, value: int) -> None:
        """Set a counter to at least this value."""
        query = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
        self._connection.execute(query, (name, value))

    def _among(self, what: str, keys: Sequence[bytes]) -> Iterator[Any]:
        return among(self._connection, what, keys)

    # -- files -------------------------------------------------------------------------------------------------------

    def purge(self) -> None:
        """Fold the write-ahead log into the file and empty it."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file."""
        copy_database(self._connection, target)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()
