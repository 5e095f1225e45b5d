"""How RocksDB is set for the ledger, with the reason beside each setting; figures measured on two cores, 20 Nov 2026.

Memory is bounded whatever the size of the ledger: `cache_bytes` (256 MiB unless told; data, index and filter blocks of
all areas together) + 128 MiB of write buffers + open-file tables (at most 512 files, some kB each).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rocksdict import BlockBasedOptions, Cache, DataBlockIndexType, DBCompressionType, DBRecoveryMode, Options

from kerege.storage.port import Area

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
CACHE_BYTES = 256 * MIB
"""Default bound of the block cache."""
WRITE_BUFFER_BYTES = 128 * MIB
"""Bound of all write buffers together."""
WAL_BYTES = 128 * MIB
"""Bound of the write-ahead log; what a start after a crash reads again (about a second)."""

_TOLD = Path(__file__).parent / "rocksdb"
"""Settings that rocksdict has no method for, as the files that RocksDB keeps its settings in; beside them rocksdict's
own: keys and values are bytes as they are, without its type tags."""


def database(*, create: bool) -> Options:
    """The settings of the database as a whole; with `create`, missing areas are made."""
    options, _ = Options.load_latest(str(_TOLD))
    options.create_if_missing(create)
    options.create_missing_column_families(create)
    options.set_paranoid_checks(True)  # a ledger would rather stop than serve a damaged byte
    # After a crash: up to the last whole batch. Acknowledged ones were synced; only an unacknowledged one can be torn.
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    options.set_db_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_total_wal_size(WAL_BYTES)  # or a rarely written area (META) would keep every old log alive
    # One thread writes: the lock-free path for many writers costs 8 % of an insert for nothing.
    options.set_allow_concurrent_memtable_write(False)
    options.set_max_background_jobs(2)  # one flush and one compaction; the machine to plan for has two cores
    options.set_max_open_files(512)  # half of the usual limit of 1,024: sockets need the rest
    options.set_bytes_per_sync(MIB)  # table files reach the disk evenly: a block's sync does not wait for a flood
    options.set_keep_log_file_num(4)  # RocksDB's own diary: 4 × 4 MiB at most
    options.set_max_log_file_size(4 * MIB)
    options.set_stats_dump_period_sec(0)
    return options


def secondary() -> Options:
    """The settings of a read-only second instance in another process."""
    options = database(create=False)
    options.set_max_open_files(-1)  # keeps every table open: the owner may delete files the reader still needs
    # Or every look at what is new starts sixteen threads to open a file or none: a fifth of the read model's work.
    options.set_max_file_opening_threads(1)
    return options


def areas(cache_bytes: int) -> dict[str, Options]:
    """The settings of every area, by the name of its column family; one cache of `cache_bytes` for all."""
    # The lock-free cache: a read of one row is a tenth cheaper than through the LRU cache with its locks.
    cache = Cache.new_hyper_clock_cache(cache_bytes, 0)
    return {family(area): _AREAS[area](cache) for area in Area}


def family(area: Area) -> str:
    """The RocksDB column family of an area."""
    return area.name.lower()


def _tables(cache: Cache, *, block_bytes: int, bloom: bool) -> BlockBasedOptions:
    tables = BlockBasedOptions()
    tables.set_block_cache(cache)
    tables.set_block_size(block_bytes)
    # Index and filters live in the bounded cache too: outside it they would grow with the ledger (1.3 B a key).
    tables.set_cache_index_and_filter_blocks(True)
    tables.set_pin_l0_filter_and_index_blocks_in_cache(True)
    tables.set_format_version(5)
    if bloom:
        # 10 bits: 1 % false positives, so an absent key costs no disk read.
        tables.set_bloom_filter(10, block_based=False)
        # A hash table in each block beside its order: a read of one row is a tenth cheaper, a table 3 % larger.
        tables.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
        tables.set_data_block_hash_ratio(0.75)
    return tables


def _area(
    cache: Cache, *, buffer_bytes: int, block_bytes: int = 4096, bloom: bool = False, told: str = "default"
) -> Options:
    options = Options.load_latest(str(_TOLD))[1][told]
    options.set_allow_concurrent_memtable_write(False)
    options.set_write_buffer_size(buffer_bytes)
    options.set_max_write_buffer_number(3)  # two may wait for the disk before a block has to
    options.set_level_compaction_dynamic_level_bytes(True)  # 1.1 × the data on disk instead of up to 2 ×
    options.set_compression_type(DBCompressionType.none())
    options.set_block_based_table_factory(_tables(cache, block_bytes=block_bytes, bloom=bloom))
    return options


def _random(cache: Cache) -> Options:
    """Small rows under keys that come in no order (STATE, INDEX).

    Buffers of 16 MiB: an insert costs 0.6 µs where a buffer fits the processor's cache, 1.4 µs in one of 64 MiB.
    Durable blocks of 3,000 transfers over 1 M keys, one run, other work beside it: 4.9 µs a transfer; 7 to 9 with
    buffers of 32 or 64 MiB; 4.6 with 8 MiB, for a tenth more processor time (merging). No compression: lz4 saved 1/6
    of the disk on rows that shrink better than real ones, and every point read would unpack a block.

    The four reads of a transfer over 1 M accounts, in one call a block, keys in order: 8 to 9 µs of processor time, 11
    in no order, 7.8 once all is merged into one level. Beside that, one run each, nothing was cheaper: blocks of 1, 2
    or 8 KiB, other restart intervals, XXH3, format 6, index and filters outside the cache, no filter at the last level,
    mmap (7.8 to 9); partitioned index and filters (10.8).
    """
    options = _area(cache, buffer_bytes=16 * MIB, bloom=True, told="random")
    options.set_max_bytes_for_level_base(64 * MIB)  # as large as the level above it when full: the cheapest to merge
    options.set_target_file_size_base(32 * MIB)
    # A filter over each buffer too: most keys that are read were not written lately.
    options.set_memtable_prefix_bloom_ratio(0.1)
    options.set_memtable_whole_key_filtering(True)
    return options


def _blobs(cache: Cache) -> Options:
    """Large values in order of height (BLOCKS, UNDO): written once, so never merged again; lz4 is nearly free."""
    options = _area(cache, buffer_bytes=32 * MIB, block_bytes=64 * 1024)
    options.set_compression_type(DBCompressionType.lz4())
    return options


def _tiles(cache: Cache) -> Options:
    """Tiles of hashes (LOG): no compression, hashes do not shrink."""
    return _area(cache, buffer_bytes=8 * MIB)


def _meta(cache: Cache) -> Options:
    """A few rows written with every block (META)."""
    return _area(cache, buffer_bytes=MIB)


_AREAS: dict[Area, Callable[[Cache], Options]] = {
    Area.META: _meta,
    Area.STATE: _random,
    Area.BLOCKS: _blobs,
    Area.INDEX: _random,
    Area.LOG: _tiles,
    Area.UNDO: _blobs,
}
