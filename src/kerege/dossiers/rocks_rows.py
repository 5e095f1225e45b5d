"""Rows in RocksDB: sorted tables that are written once, so that a row costs the same however many there are.

Rows are sorted by their keyed names when they leave the memory: no order of insertion survives a merge. A removed row
is gone from every file after `purge`: the log is flushed away, and the tables that hold it are merged.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from rocksdict import (
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DbClosedError,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
)

from kerege.dossiers.errors import DossiersAbsent, StoreDamaged, StoreUnwritable, WrongVersion
from kerege.dossiers.files import make_private_folder, sync_folder
from kerege.dossiers.ports import Change, Shelf

MIB = 1 << 20
_FORMAT_KEY, _FORMAT = b"\xffformat", b"kerege-dossiers/2"
_SHELVES = {shelf: bytes([number]) for number, shelf in enumerate(Shelf, 1)}
_DAMAGED = ("Corruption", "Invalid argument", "No such file")
_REFUSED = ("No space left", "File too large", "quota exceeded", "Read-only file system", "Permission denied")
"""What the operating system says where it lets nobody write: the bytes that are there are whole."""

T = TypeVar("T")


def _options(*, create: bool) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(create)
    options.set_paranoid_checks(True)
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    options.set_write_buffer_size(64 * MIB)
    options.set_max_background_jobs(2)
    options.set_max_open_files(256)
    options.set_bytes_per_sync(MIB)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_compression_type(DBCompressionType.none())  # what is encrypted does not shrink
    tables = BlockBasedOptions()
    tables.set_block_cache(Cache(16 * MIB))
    tables.set_block_size(16 * 1024)  # two rows of a register
    tables.set_bloom_filter(10, block_based=False)  # whether a name is held is asked far more often than it is
    options.set_block_based_table_factory(tables)
    return options


class RocksRows:
    """`Rows` in a folder of RocksDB; one process holds it."""

    def __init__(self, path: Path) -> None:
        """Open the folder; raises `DossiersAbsent`, `WrongVersion`, `StoreDamaged`."""
        if not (path / "CURRENT").is_file():
            raise DossiersAbsent(file=path)
        self._path = path
        self._lock = RLock()
        self._removed: list[bytes] = []
        self._rows = _open(path, create=False)
        found = self._try(lambda: self._rows.get(_FORMAT_KEY))
        if found != _FORMAT:
            self._rows.close()
            raise WrongVersion(file=path, found=found, expected=_FORMAT)

    @staticmethod
    def create(path: Path) -> "RocksRows":
        """Make an empty store in a new private folder and open it."""
        make_private_folder(path)
        rows = _open(path, create=True)
        rows[_FORMAT_KEY] = _FORMAT
        rows.flush_wal(sync=True)
        rows.close()
        sync_folder(path)
        return RocksRows(path)

    def get(self, shelf: Shelf, locator: bytes) -> bytes | None:
        """Give the bytes under a locator, or None."""
        found: bytes | None = self._try(lambda: self._rows.get(_SHELVES[shelf] + locator))
        return found

    def held(self, shelf: Shelf, locators: Sequence[bytes]) -> set[bytes]:
        """Those of many locators that have a row."""
        mark = _SHELVES[shelf]
        names: Any = [mark + locator for locator in locators]
        found: Any = self._try(lambda: self._rows.get(names))  # a list for a list
        return {locator for locator, row in zip(locators, found, strict=True) if row is not None}

    def scan(self, shelf: Shelf) -> Iterator[tuple[bytes, bytes]]:
        """Go through one shelf in the order of locators, as it is now."""
        mark = _SHELVES[shelf]
        rows = self._try(lambda: self._rows.iter(ReadOptions()))
        rows.seek(mark)
        while rows.valid() and rows.key()[:1] == mark:
            yield rows.key()[1:], rows.value()
            rows.next()

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes or none; they are on the medium when this returns. Raises `StoreUnwritable`."""
        batch, removed = WriteBatch(raw_mode=True), []
        for change in changes:
            name = _SHELVES[change.shelf] + change.locator
            if change.sealed is None:
                batch.delete(name)
                removed.append(name)
            else:
                batch.put(name, change.sealed)
        with self._lock:
            try:
                self._rows.write(batch)
                self._rows.flush_wal(sync=True)
            except Exception as error:
                with suppress(StoreDamaged, StoreUnwritable):
                    self._reopen()
                raise StoreUnwritable(reason=error) from error
            self._removed += removed

    def purge(self) -> None:
        """Flush the log away and merge the tables that hold removed rows, so that no file keeps a copy."""
        with self._lock:
            self._try(self._rows.flush)
            for name in self._removed:
                self._try(lambda name=name: self._rows.compact_range(name, name + b"\0"))  # type: ignore[misc]
            self._removed.clear()

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new folder."""
        with self._lock:
            self._try(lambda: Checkpoint(self._rows).create_checkpoint(str(target)))
        target.chmod(0o700)
        sync_folder(target.parent)

    def close(self) -> None:
        """Let the folder go.

        RocksDB writes its memory out as tables then, and may find the disk full: nothing is lost by that, for what was
        acknowledged lies in the log and is read from there.
        """
        with self._lock, suppress(Exception):
            self._rows.close()

    def _reopen(self) -> None:
        """After a failed write RocksDB writes no more: what was acknowledged is read again from the log."""
        with suppress(Exception):  # it tells the same fault once more
            self._rows.close()
        self._rows = _open(self._path, create=False)

    def _try(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except DbClosedError:  # a failed write closed it, and the disk was too full to open it again
            with self._lock:
                self._reopen()
            return action()
        except Exception as error:
            raise _fault(self._path, error) from error


def _fault(path: Path, error: Exception) -> StoreDamaged | StoreUnwritable:
    kind = StoreUnwritable if any(sign in str(error) for sign in _REFUSED) else StoreDamaged
    return kind(folder=path, reason=error)


def _open(path: Path, *, create: bool) -> Rdict:
    try:
        return Rdict(str(path), _options(create=create))
    except Exception as error:
        if any(sign in str(error) for sign in _DAMAGED):
            raise StoreDamaged(folder=path, reason=error) from error
        raise StoreUnwritable(folder=path, reason=error) from error
