"""A folder of RocksDB: names to bytes, in tables that are written once, so that a row costs the same however many.

Names that come in no order cost a table of pages one page each: behind 200,000 rows SQLite took 73 µs of processor time
for each registration of a dossier, this takes 15. A removed row is gone from every file after `purge`: the log is
flushed away, and the tables that hold it are merged. Names stand sorted: no order of insertion survives a merge.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from rocksdict import (
    BlockBasedIndexType,
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
    WriteOptions,
)

from kerege.dossiers.errors import DossiersAbsent, StoreDamaged, StoreUnwritable, WrongVersion
from kerege.durable import make_private_folder, sync_folder

MIB = 1 << 20
FORMAT_KEY = b"\xffformat"
_FEW = 64
"""Removed names that are merged away one by one."""
_DAMAGED = ("Corruption", "Invalid argument", "No such file")
_REFUSED = ("No space left", "File too large", "quota exceeded", "Read-only file system", "Permission denied")
"""What the operating system says where it lets nobody write: the bytes that are there are whole."""
_UNLOGGED = WriteOptions()
_UNLOGGED.disable_wal = True  # type: ignore[method-assign,assignment]  # an attribute, whatever its stub says

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form:
    """What is kept in a folder, and in how much memory: the same however much it is."""

    name: bytes
    """What the folder says of itself."""
    buffer: int
    """Bytes that are sorted in memory before they become a file; twice that while one is written."""
    cache: int
    """Bytes of blocks, of indexes and of filters that stay in memory."""
    block: int = 4096
    """Bytes that are read at once."""
    merge: int = 4
    """Files that are merged at once: more are written less often, and looked into one by one until then."""
    reads: tuple[bytes, ...] = ()
    """Names of older forms, whose rows are read as well: a folder of such a name gets this one."""
    direct: bool = False
    """Whether files are written past the system's page cache: rows that are many and long, and seldom read soon."""


def _options(form: Form, path: Path, *, create: bool) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(create)
    options.set_paranoid_checks(True)
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    options.set_write_buffer_size(form.buffer)
    # What nobody holds is not looked for in memory either: a fifth of what the key service's book costs a row.
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.02)
    options.set_max_background_jobs(2)
    options.set_max_open_files(max(256, 5 * form.merge))
    options.set_bytes_per_sync(MIB)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_level_zero_file_num_compaction_trigger(form.merge)
    options.set_level_zero_slowdown_writes_trigger(3 * form.merge)
    options.set_level_zero_stop_writes_trigger(4 * form.merge)
    options.set_max_bytes_for_level_base(4 * form.merge * form.buffer)
    options.set_compression_type(DBCompressionType.none())  # what is encrypted does not shrink
    if form.direct and takes_direct_writes(path):
        options.set_use_direct_io_for_flush_and_compaction(True)
        options.set_compaction_readahead_size(MIB // 16)  # of each file that is merged
    tables = BlockBasedOptions()
    tables.set_block_cache(Cache(form.cache))
    tables.set_block_size(form.block)
    tables.set_bloom_filter(10, block_based=False)  # whether a name is held is asked far more often than it is
    # Indexes and filters stay within the cache too, a part at a time: outside it they would grow with the rows.
    tables.set_cache_index_and_filter_blocks(True)
    tables.set_pin_l0_filter_and_index_blocks_in_cache(True)
    tables.set_index_type(BlockBasedIndexType.two_level_index_search())
    tables.set_partition_filters(True)
    options.set_block_based_table_factory(tables)
    return options


def takes_direct_writes(folder: Path) -> bool:
    """Whether files of a folder can be written past the system's page cache: those in memory, for one, cannot."""
    direct = getattr(os, "O_DIRECT", None)
    if direct is None:
        return False
    probe = folder / ".direct"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | direct, 0o600))
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


class RocksFolder:
    """One process holds it, any number of threads use it."""

    def __init__(self, path: Path, form: Form) -> None:
        """Open the folder; raises `DossiersAbsent`, `WrongVersion`, `StoreDamaged`."""
        if not (path / "CURRENT").is_file():
            raise DossiersAbsent(file=path)
        self._path = path
        self._form = form
        self._lock = RLock()
        self._removed: set[bytes] = set()
        """Names, or where they are many their first bytes."""
        self._unlogged = False
        """Whether anything stands in memory alone."""
        self._lost = False
        """Whether anything that stood in memory alone is gone."""
        self.opening = 0
        """How often the folder was opened again after a write that failed."""
        self._rows = _open(path, form, create=False)
        found = self.get(FORMAT_KEY)
        if found in form.reads:
            self.write([(FORMAT_KEY, form.name)])
        elif found != form.name:
            self._rows.close()
            raise WrongVersion(file=path, found=found, expected=form.name)

    @staticmethod
    def create(path: Path, form: Form) -> None:
        """Make an empty store in a new private folder."""
        make_private_folder(path)
        rows = _open(path, form, create=True)
        rows[FORMAT_KEY] = form.name
        rows.flush_wal(sync=True)
        rows.close()
        sync_folder(path)

    def get(self, name: bytes) -> bytes | None:
        """The bytes under a name, or None."""
        return self.get_many([name])[0]

    def get_many(self, names: Sequence[bytes]) -> list[bytes | None]:
        """The bytes under each of many names, or None.

        `rocksdict` lets the interpreter go while it looks up a list, not while it looks up one name: every thread would
        wait for the medium.
        """
        asked: Any = list(names)
        found: Any = self._try(lambda: self._rows.get(asked))  # a list for a list
        return list(found)

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Names that begin with a prefix and come after another, with their bytes, in order, as it is now."""
        rows = self._try(lambda: self._rows.iter(ReadOptions()))
        rows.seek(max(prefix, after))
        if after and rows.valid() and rows.key() == after:
            rows.next()
        while rows.valid() and rows.key().startswith(prefix):
            yield rows.key(), rows.value()
            rows.next()

    def write(self, changes: Iterable[tuple[bytes, bytes | None]], *, sync: bool = True) -> None:
        """Make all changes (None: away with it) or none; with `sync` they are on the medium when this returns.

        Raises `StoreUnwritable`.
        """
        batch, removed = WriteBatch(raw_mode=True), []
        for name, value in changes:
            if value is None:
                batch.delete(name)
                removed.append(name)
            else:
                batch.put(name, value)
        with self._writing():
            self._rows.write(batch)
            if sync:
                self._rows.flush_wal(sync=True)
            self._removed.update(removed)
            if len(self._removed) > _FEW:
                self._removed = {name[:1] for name in self._removed}

    def sync(self, opening: int) -> None:
        """Have on the medium what was written without `sync` while `opening` was this number.

        Raises `StoreUnwritable`, also where the folder was opened again since: nobody knows what was read from the log.
        """
        with self._writing():
            if opening != self.opening:
                raise StoreUnwritable(reason="a write in between failed")
            self._rows.flush_wal(sync=True)

    def put_unlogged(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put rows that stand in memory alone until `flush`, so that what is long is written once and not twice.

        `rocksdict` lets no other thread run while it writes: without the log that is 9 µs a row of 8 KiB, with it 20.
        Raises `StoreUnwritable`.
        """
        batch = WriteBatch(raw_mode=True)
        for name, row in rows:
            batch.put(name, row)
        with self._writing():
            self._unlogged = True
            self._rows.write(batch, _UNLOGGED)

    def flush(self) -> None:
        """Have on the medium what stands in memory; raises `StoreUnwritable` where not all of it is there any more."""
        with self._writing():
            try:
                self._rows.flush()
                if self._lost:
                    raise StoreUnwritable(reason="what stood in memory is lost: a write in between failed")
            finally:
                self._unlogged = self._lost = False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time; where it fails the folder is opened again, and the cause is told."""
        with self._lock:
            try:
                yield
            except StoreUnwritable:
                raise
            except Exception as error:
                with suppress(StoreDamaged, StoreUnwritable):
                    self._reopen()
                raise StoreUnwritable(reason=error) from error

    def purge(self, *replaced: bytes) -> None:
        """Leave no copy of what was removed, nor of what stood before under names that begin with a byte `replaced`."""
        with self._lock:
            self._try(self._rows.flush)
            for name in sorted({*self._removed, *replaced}):
                end = name + b"\0" if len(name) > 1 else bytes([name[0] + 1])
                self._try(lambda name=name, end=end: self._rows.compact_range(name, end))  # type: ignore[misc]
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
        acknowledged lies in the log, or in tables, and is read from there.
        """
        with self._lock, suppress(Exception):
            self._rows.close()

    def _reopen(self) -> None:
        """After a failed write RocksDB writes no more: what was acknowledged is read again from log and tables."""
        self._lost = self._lost or self._unlogged
        self.opening += 1
        with suppress(Exception):  # it tells the same fault once more
            self._rows.close()
        self._rows = _open(self._path, self._form, create=False)

    def _try(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except DbClosedError:  # a failed write closed it, and the disk was too full to open it again
            with self._lock:
                self._reopen()
            return action()
        except Exception as error:
            kind = StoreUnwritable if any(sign in str(error) for sign in _REFUSED) else StoreDamaged
            raise kind(folder=self._path, reason=error) from error


def _open(path: Path, form: Form, *, create: bool) -> Rdict:
    options = _options(form, path, create=create)
    try:
        # Named for its one family too, or an existing folder is opened with what its file of options told: no filters.
        return Rdict(str(path), options, {"default": options})
    except Exception as error:
        if any(sign in str(error) for sign in _DAMAGED):
            raise StoreDamaged(folder=path, reason=error) from error
        raise StoreUnwritable(folder=path, reason=error) from error
