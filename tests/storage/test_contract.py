"""The store port: one contract, run on every adapter."""

from __future__ import annotations

import importlib
import random
import threading
from operator import itemgetter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.tree import native_present
from kerege.storage import rocks
from kerege.storage.errors import ReadOnlyStore, StorageError, StoreClosed
from kerege.storage.memory import MemoryStore
from kerege.storage.port import RESERVED, Area, Batch, Store
from kerege.storage.rocks import RocksStore
from kerege.storage.secondary import SecondaryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Pair:
    """Where a test writes and where it reads: one store, or an owner and a secondary that catches up."""

    def __init__(self, writer: Store, reader: Store) -> None:
        self.writer = writer
        self.reader = reader

    def write(self, batch: Batch, *, sync: bool = True) -> None:
        self.writer.write(batch, sync=sync)
        if isinstance(self.reader, SecondaryStore):
            self.reader.catch_up()

    def put(self, rows: dict[bytes, bytes | None], area: Area = Area.STATE) -> None:
        batch = Batch()
        batch.update(area, rows)
        self.write(batch)

    def keys(self, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False) -> list[bytes]:
        return [key for key, _ in self.reader.scan(Area.STATE, start, end, reverse=reverse)]


@pytest.fixture(params=["memory", "rocks", "rocks, plain", "secondary"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    if request.param == "memory":
        with MemoryStore() as store:
            yield Pair(store, store)
        return
    if request.param == "rocks, plain":
        monkeypatch.setattr(rocks, "_fill", rocks.fill_plain)
    with RocksStore(tmp_path, create=True) as owner:
        if request.param != "secondary":
            yield Pair(owner, owner)
            return
        with SecondaryStore(tmp_path) as secondary:
            yield Pair(owner, secondary)


ROWS: dict[bytes, bytes | None] = {
    b"": b"",
    b"\x00": b"0",
    b"a": b"1",
    b"a\x00": b"2",
    b"a\xff": b"3",
    b"b": b"4",
    b"\xff": b"5",
    b"\xff\xff": b"6",
}


def test_an_absent_key_is_none(pair: Pair) -> None:
    assert pair.reader.get(Area.STATE, b"nothing") is None
    assert pair.reader.multi_get(Area.STATE, [b"nothing", b""]) == [None, None]
    assert pair.reader.multi_get(Area.STATE, []) == []
    assert list(pair.reader.scan(Area.STATE)) == []


def test_empty_keys_and_empty_values_are_values(pair: Pair) -> None:
    pair.put({b"": b"", b"k": b""})
    assert pair.reader.multi_get(Area.STATE, [b"", b"k", b"x"]) == [b"", b"", None]
    assert list(pair.reader.scan(Area.STATE)) == [(b"", b""), (b"k", b"")]


def test_multi_get_keeps_order_and_repeats(pair: Pair) -> None:
    pair.put(ROWS)
    assert pair.reader.multi_get(Area.STATE, [b"b", b"no", b"a", b"b"]) == [b"4", None, b"1", b"4"]


def test_scan_is_in_byte_order_whatever_the_order_of_writing(pair: Pair) -> None:
    shuffled = list(ROWS.items())
    random.Random(7).shuffle(shuffled)
    pair.put(dict(shuffled))
    assert list(pair.reader.scan(Area.STATE)) == sorted(ROWS.items())
    assert list(pair.reader.scan(Area.STATE, reverse=True)) == sorted(ROWS.items(), reverse=True)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("start", [*ROWS, b"aa", b"\xff\xff\xff"])
@pytest.mark.parametrize("end", [None, *ROWS, b"aa", b"\xff\xff\xff"])
def test_a_range_includes_its_start_and_excludes_its_end(
    ranged: Pair, start: bytes, end: bytes | None, reverse: bool
) -> None:
    expected = sorted((key for key in ROWS if start <= key and (end is None or key < end)), reverse=reverse)
    assert ranged.keys(start, end, reverse=reverse) == expected


@pytest.fixture(scope="module", params=["memory", "rocks"])
def ranged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with (
        MemoryStore()
        if request.param == "memory"
        else RocksStore(tmp_path_factory.mktemp("home"), create=True) as store
    ):
        pair = Pair(store, store)
        pair.put(ROWS)
        yield pair


def test_areas_do_not_see_each_other(pair: Pair) -> None:
    batch = Batch()
    for area in Area:
        batch.put(area, b"key", area.name.encode())
    pair.write(batch)
    for area in Area:
        assert pair.reader.get(area, b"key") == area.name.encode()
        rows = [row for row in pair.reader.scan(area) if not row[0].startswith(RESERVED)]
        assert rows == [(b"key", area.name.encode())]


def test_the_last_word_on_a_key_wins(pair: Pair) -> None:
    batch = Batch()
    batch.put(Area.STATE, b"a", b"1")
    batch.delete(Area.STATE, b"a")
    batch.delete(Area.STATE, b"b")
    batch.put(Area.STATE, b"b", b"2")
    batch.put(Area.STATE, b"c", b"3")
    batch.delete_range(Area.STATE, b"a", b"z")
    batch.put(Area.STATE, b"d", b"4")
    pair.write(batch)
    assert list(pair.reader.scan(Area.STATE)) == [(b"d", b"4")]


def test_delete_range_removes_its_start_and_keeps_its_end(pair: Pair) -> None:
    pair.put({bytes([n]): b"x" for n in range(200)})
    batch = Batch()
    batch.delete_range(Area.STATE, b"\x05", b"\xc0")
    batch.delete_range(Area.STATE, b"\x03", b"\x03")
    batch.delete_range(Area.STATE, b"\x03", b"\x02")
    batch.put(Area.STATE, b"\x07", b"back")
    assert len(batch) == 2
    pair.write(batch)
    assert pair.keys() == [bytes([n]) for n in (0, 1, 2, 3, 4, 7, *range(0xC0, 200))]
    assert pair.reader.get(Area.STATE, b"\x05") is None
    assert pair.keys(b"\x08", b"\xc0") == []


def test_a_batch_can_be_written_again(pair: Pair) -> None:
    batch = Batch()
    batch.put(Area.STATE, b"a", b"1")
    pair.write(batch)
    pair.put({b"a": None})
    pair.write(batch)
    assert pair.reader.get(Area.STATE, b"a") == b"1"


def test_an_empty_batch_changes_nothing(pair: Pair) -> None:
    pair.put(ROWS)
    pair.write(Batch())
    assert list(pair.reader.scan(Area.STATE)) == sorted(ROWS.items())


def test_a_scan_sees_the_moment_of_its_call(pair: Pair) -> None:
    pair.put(ROWS)
    untouched, begun = pair.reader.scan(Area.STATE), pair.reader.scan(Area.STATE, reverse=True)
    first = next(begun)
    pair.put(dict.fromkeys(ROWS) | {b"new": b"x"})
    pair.put({b"a": b"changed"})
    assert list(untouched) == sorted(ROWS.items())
    assert [first, *begun] == sorted(ROWS.items(), reverse=True)
    assert pair.keys() == [b"a", b"new"]


def test_big_values_come_back_whole(pair: Pair) -> None:
    blob = random.Random(1).randbytes(9 << 20)
    pair.put({(1).to_bytes(8): blob, (2).to_bytes(8): b"small"}, Area.BLOCKS)
    assert pair.reader.get(Area.BLOCKS, (1).to_bytes(8)) == blob
    assert list(pair.reader.scan(Area.BLOCKS)) == [((1).to_bytes(8), blob), ((2).to_bytes(8), b"small")]


@pytest.mark.parametrize("wrong", ["text", bytearray(b"x"), memoryview(b"x"), 1])
def test_only_bytes_are_stored_and_a_refused_batch_leaves_nothing(pair: Pair, wrong: object) -> None:
    for key, value in ((wrong, b"v"), (b"k", wrong)):
        batch = Batch()
        batch.put(Area.META, b"before", b"1")
        try:
            batch.put(Area.STATE, key, value)  # type: ignore[arg-type]
        except TypeError:  # bytearray: not even a key of a dictionary
            continue
        with pytest.raises(TypeError):
            pair.write(batch)
    assert pair.reader.get(Area.META, b"before") is None
    with pytest.raises(TypeError):
        pair.reader.get(Area.STATE, wrong)  # type: ignore[arg-type]
    pair.put({b"still": b"alive"})
    assert pair.reader.get(Area.STATE, b"still") == b"alive"


def test_readers_see_whole_batches_only(pair: Pair) -> None:
    """A batch sets two areas to the same number; no reader may find the later area behind the earlier one."""
    stop = threading.Event()
    torn: list[tuple[bytes | None, bytes | None]] = []
    looks = 0

    def look() -> None:
        nonlocal looks
        while not stop.is_set():
            rows = dict(pair.reader.scan(Area.STATE))
            if len(set(rows.values())) > 1:
                torn.append((min(rows.values()), max(rows.values())))
            looks += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(60):
        pair.put({bytes([key]): number.to_bytes(8) for key in range(50)})
    stop.set()
    watcher.join()
    assert looks > 0
    assert torn == []


def test_a_closed_store_refuses_everything(pair: Pair) -> None:
    pair.put(ROWS)
    reader, area, scan = pair.reader, pair.reader.area(Area.STATE), pair.reader.scan(Area.STATE)
    next(scan)
    reader.close()
    reader.close()
    for use in (
        lambda: reader.get(Area.STATE, b"a"),
        lambda: reader.multi_get(Area.STATE, [b"a"]),
        lambda: reader.scan(Area.STATE),
        lambda: area.get(b"a"),
        lambda: next(scan),
    ):
        with pytest.raises(StoreClosed):
            use()
    with pytest.raises((StoreClosed, ReadOnlyStore)):
        reader.write(Batch())


def test_every_storage_error_says_what_and_how_to_cure(tmp_path: Path) -> None:
    with SecondaryStoreOf(tmp_path) as secondary, pytest.raises(ReadOnlyStore) as caught:
        secondary.write(Batch())
    assert isinstance(caught.value, StorageError)
    assert caught.value.facts == {"path": str(tmp_path / "store")}
    assert str(caught.value).endswith(caught.value.cure)


def SecondaryStoreOf(home: Path) -> SecondaryStore:  # noqa: N802 (reads as the class it gives)
    """A secondary over a new, empty home without an owner."""
    RocksStore(home, create=True).close()
    return SecondaryStore(home)


def test_a_range_keeps_its_end_while_the_memory_of_the_bound_is_reused(tmp_path: Path) -> None:
    """rocksdict hands RocksDB the address of the bound and lets the bytes go; the adapter must hold them."""
    with RocksStore(tmp_path, create=True) as store:
        batch = Batch()
        batch.update(Area.STATE, {n.to_bytes(40): b"x" for n in range(400)})
        store.write(batch)
        scans = [store.scan(Area.STATE, end=(n + 1).to_bytes(40), reverse=n % 2 == 0) for n in range(200)]
        litter = [bytes([n % 256]) * 40 for n in range(5000)]
        assert [len(list(scan)) for scan in scans] == list(range(1, 201))
        assert len(litter) == 5000


def test_a_store_closes_under_readers_and_lets_go_of_its_lock(tmp_path: Path) -> None:
    store = RocksStore(tmp_path, create=True)
    keys = [number.to_bytes(8) for number in range(5000)]
    batch = Batch()
    batch.update(Area.STATE, dict.fromkeys(keys, b"x" * 50))
    store.write(batch)
    ends: list[type[BaseException]] = []

    def read() -> None:
        try:
            while True:
                store.multi_get(Area.STATE, keys)
        except StorageError as error:
            ends.append(type(error))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    store.write(batch)
    store.close()
    for reader in readers:
        reader.join()
    assert ends == [StoreClosed] * 3
    RocksStore(tmp_path).close()


class Told:
    """Notes what a batch is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[bytes, bytes | None]] = []

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.told.append((key, value))

    def __delitem__(self, key: bytes) -> None:
        self.told.append((key, None))


@pytest.mark.skipif(not native_present(), reason="kerege_native is not installed")
@given(
    st.dictionaries(st.binary(max_size=10) | st.binary(max_size=2).map(b"the same 8".__add__), st.none() | st.binary())
)
def test_both_twins_fill_a_batch_in_order_of_the_keys(changes: dict[bytes, bytes | None]) -> None:
    plain, native = Told(), Told()
    rocks.fill_plain(plain, changes)  # type: ignore[arg-type]
    importlib.import_module("kerege_native").fill_batch(native, changes)
    assert plain.told == native.told == sorted(changes.items(), key=itemgetter(0))
