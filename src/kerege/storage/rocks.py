"""The store on disk: RocksDB through `rocksdict`, one column family an area, under `store/` of the node's home."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn, Self

from rocksdict import AccessType, ColumnFamily, Rdict, RdictIter, ReadOptions, WriteBatch

from kerege.storage import settings
from kerege.storage.errors import HomeMissing, HomeOfAnotherVersion, NotWritable, StorageError, StoreClosed
from kerege.storage.faults import FORMAT, translate
from kerege.storage.port import RESERVED, Area, Batch

try:
    import kerege_native as native
except ImportError:
    native = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOSE_ATTEMPTS = 200
"""How often `close` asks again, ten milliseconds apart, while another thread still reads."""

FORMAT_KEY = RESERVED + b"format"
"""Where `Area.META` says in which format the store is."""


class _Refusing:
    """Stands where a column family was once the store is closed or has failed: every call raises the reason."""

    def __init__(self, reason: StorageError) -> None:
        self._reason = reason

    def get(self, _key: object) -> NoReturn:
        raise self._reason.with_traceback(None)  # raised many times: without this its traceback would grow each time

    def iter(self, _options: object = None) -> NoReturn:
        raise self._reason.with_traceback(None)


class RocksArea:
    """One column family, for reading. Made by the store; see `AreaReader` for the meaning of every method."""

    __slots__ = ("_path", "_rows")

    def __init__(self, rows: Rdict, path: Path) -> None:
        self._rows: Any = rows  # an Rdict or, later, a _Refusing; rocksdict types a list for a list as Any
        self._path = path

    def get(self, key: bytes) -> bytes | None:
        """See `AreaReader.get`. Errors: `StoreDamaged`, `StoreFailed`, `StoreClosed`."""
        try:
            found: bytes | None = self._rows.get(key)
        except StorageError:
            raise
        except Exception as error:
            raise translate(error, self._path) from error
        return found

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """See `AreaReader.multi_get`. The interpreter lock is released while RocksDB looks them up."""
        try:
            found: list[bytes | None] = self._rows.get(keys)
        except StorageError:
            raise
        except Exception as error:
            raise translate(error, self._path) from error
        return found

    def scan(
        self, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `AreaReader.scan`. A RocksDB iterator, which is a snapshot; while it lives, it keeps the files open."""
        if end is not None and start >= end:
            return iter(())
        try:
            options = ReadOptions()
            if end is not None:
                options.set_iterate_upper_bound(end)  # or it would walk the deleted keys behind the range
            iterator = self._rows.iter(options)
            if reverse:
                iterator.seek_to_last()
            else:
                iterator.seek(start)
        except StorageError:
            raise
        except Exception as error:
            raise translate(error, self._path) from error
        return self._down(iterator, start, end) if reverse else self._up(iterator, end)

    # `_bound` in the walks looks unused and is not: RocksDB reads the upper bound from the memory of that very object,
    # and rocksdict 0.3.29 does not keep it alive. Nor do we give it a lower bound: it would set it as the upper one.

    def _up(self, iterator: RdictIter, _bound: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._rows
        valid, key, value, step = iterator.valid, iterator.key, iterator.value, iterator.next
        while valid():
            yield key(), value()
            if self._rows is not rows:  # closed or failed meanwhile: this raises the reason
                self._rows.get(b"")
            step()
        self._check_complete(iterator)

    def _down(self, iterator: RdictIter, start: bytes, _bound: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._rows
        valid, key, value, step = iterator.valid, iterator.key, iterator.value, iterator.prev
        while valid():
            found = key()
            if found < start:
                return
            yield found, value()
            if self._rows is not rows:
                self._rows.get(b"")
            step()
        self._check_complete(iterator)

    def _check_complete(self, iterator: RdictIter) -> None:
        """An iterator that met an error just ends: a scan must never pass for complete then."""
        try:
            iterator.status()
        except Exception as error:
            raise translate(error, self._path) from error

    def refuse(self, reason: StorageError) -> None:
        """Answer everything with `reason` from now on, and let the column family go."""
        self._rows = _Refusing(reason)


class _Opened:
    """What the owner and the secondary share: the areas over one RocksDB instance."""

    def __init__(self, path: Path, database: Rdict) -> None:
        self.path = path
        self._database = database
        self._families = [database.get_column_family(settings.family(area)) for area in Area]
        self._areas = tuple(RocksArea(rows, path) for rows in self._families)
        self._reason: StorageError | None = None
        self._closed = False
        self._lock = threading.Lock()

    def area(self, area: Area) -> RocksArea:
        """See `Store.area`."""
        return self._areas[area]

    def get(self, area: Area, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._areas[area].get(key)

    def multi_get(self, area: Area, keys: list[bytes]) -> list[bytes | None]:
        """See `Store.multi_get`."""
        return self._areas[area].multi_get(keys)

    def scan(
        self, area: Area, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        return self._areas[area].scan(start, end, reverse=reverse)

    def close(self) -> None:
        """See `Store.close`. Writes the buffers out, so that the next start has no log to read again.

        Errors: a storage error where that fails on a healthy store (nothing is lost: the log holds it). After a failed
        write nothing more is raised; that error was told. The lock on the home ends when the last open scan is dropped.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            healthy = self._reason is None
            self._refuse(StoreClosed())
            faults = [fault for rows in [*self._families, self._database] if (fault := _closed(rows)) is not None]
            self._families = []
        if healthy and faults:
            raise translate(faults[0], self.path) from faults[0]

    def _refuse(self, reason: StorageError) -> None:
        self._reason = reason
        for area in self._areas:
            area.refuse(reason)

    def __enter__(self) -> Self:
        """Use as a context: closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class RocksStore(_Opened):
    """The node's store, open for writing: one process at a time."""

    def __init__(self, home: Path, *, create: bool = False, cache_bytes: int = settings.CACHE_BYTES) -> None:
        """Open the store under `home`; with `create`, make it where there is none.

        Errors: `HomeMissing`, `HomeLocked`, `HomeOfAnotherVersion`, `DiskFull`, `NotWritable`, `StoreDamaged`,
        `StoreFailed`.
        """
        path = home / "store"
        if not create and not is_store(path):
            raise HomeMissing(path)
        try:
            database = Rdict(str(path), settings.database(create=create), settings.areas(cache_bytes))
            super().__init__(path, database)
            self._handles: list[ColumnFamily] = [
                database.get_column_family_handle(settings.family(area)) for area in Area
            ]
        except Exception as error:
            raise translate(error, path) from error
        try:
            self._claim_format()
        except StorageError:
            self.close()
            raise

    def write(self, batch: Batch, *, sync: bool = True) -> None:
        """See `Store.write`.

        Two steps: RocksDB takes the batch into its log and buffers (holding the interpreter lock, as rocksdict does),
        then the log is synced with the lock released, so that the next block executes meanwhile.
        """
        with self._lock:
            if self._reason is not None:
                raise self._reason.with_traceback(None)
            whole = self._native(batch)
            try:
                self._database.write(whole)
                if sync:
                    self._database.flush_wal(sync=True)
            except Exception as error:
                reason = translate(error, self.path)
                if isinstance(reason, StorageError):
                    self._refuse(reason)
                raise reason from error

    def close(self) -> None:
        """See `Store.close`."""
        self._handles = []
        super().close()

    def _native(self, batch: Batch) -> WriteBatch:
        """The same changes as one RocksDB batch: ranges first, then keys in order.

        Sorted, because neighbouring inserts find their place in the processor's cache: half the time inside RocksDB,
        which more than pays for the sort.
        """
        whole = WriteBatch(raw_mode=True)
        try:
            for area, start, end in batch.ranges:
                whole.delete_range(start, end, self._handles[area])
            for handle, changes in zip(self._handles, batch.changes, strict=True):
                if changes:
                    whole.set_default_column_family(handle)
                    _fill(whole, changes)
        except (KeyError, ValueError) as error:  # rocksdict's words for «not bytes»
            raise translate(error, self.path) from error
        return whole

    def _claim_format(self) -> None:
        """Check the format the store names; write ours into one that holds nothing at all (made a moment ago)."""
        found = self.get(Area.META, FORMAT_KEY)
        if found is None and not any(next(self.scan(area), None) for area in Area):
            batch = Batch()
            batch.put(Area.META, FORMAT_KEY, FORMAT.encode())
            self.write(batch)
            return
        check_format(self.path, found)


def is_store(path: Path) -> bool:
    """Whether a RocksDB database is at `path`. Errors: `NotWritable` where one may not even look."""
    try:
        return (path / "CURRENT").is_file()
    except OSError as error:
        raise NotWritable(path, str(error)) from error


def check_format(path: Path, found: bytes | None) -> None:
    """Refuse a store whose format is not ours. Errors: `HomeOfAnotherVersion`."""
    if found != FORMAT.encode():
        named = found.decode(errors="replace") if found is not None else None
        raise HomeOfAnotherVersion(path, named, FORMAT)


def open_secondary(path: Path, scratch: Path, cache_bytes: int) -> Rdict:
    """A read-only RocksDB instance over the owner's files; its diary goes to `scratch`."""
    access = AccessType.secondary(str(scratch))
    return Rdict(str(path), settings.secondary(), settings.areas(cache_bytes), access)


def fill_plain(whole: WriteBatch, changes: dict[bytes, bytes | None]) -> None:
    """Put the changes of one area into a batch in order of their keys."""
    for key in sorted(changes):
        value = changes[key]
        if value is None:
            del whole[key]
        else:
            whole[key] = value


_fill = fill_plain
if native is not None:
    _fill = native.fill_batch


def _closed(rows: Rdict) -> Exception | None:
    """Close one handle whatever happens; what went wrong is returned, so that the others are closed too."""
    for attempt in range(CLOSE_ATTEMPTS):
        try:
            rows.close()
        except (
            RuntimeError
        ) as error:  # «Already borrowed»: another thread is inside `multi_get`, which takes milliseconds
            if attempt == CLOSE_ATTEMPTS - 1:
                return error
            time.sleep(0.01)
        except Exception as error:  # noqa: BLE001 (rocksdict raises nothing narrower; the caller raises it)
            return error
        else:
            break
    return None
