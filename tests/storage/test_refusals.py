"""What the disk, the system and others can do to a home: each a typed error with facts and a cure, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kerege.storage.errors import (
    DiskFull,
    HomeLocked,
    HomeMissing,
    HomeOfAnotherVersion,
    NotWritable,
    StorageError,
    StoreDamaged,
)
from kerege.storage.faults import FORMAT, translate
from kerege.storage.port import Area, Batch
from kerege.storage.rocks import FORMAT_KEY, RocksStore
from kerege.storage.secondary import SecondaryStore
from tests.storage.numbered import batch_of, check_whole
from tests.storage.volumes import VOLUMES, volume

ROOT = Path(__file__).parents[2]
BLOCK = 500_000


def run(program: str, *arguments: str) -> str:
    """What a Python program prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_process_is_told_who_holds_the_home(tmp_path: Path) -> None:
    program = """
import sys; from pathlib import Path
from kerege.storage.errors import HomeLocked
from kerege.storage.rocks import RocksStore
try: RocksStore(Path(sys.argv[1]))
except HomeLocked as error: print(error.pid, error)
"""
    with RocksStore(tmp_path, create=True) as store:
        store.write(batch_of(1))
        for _ in range(2):  # asking who holds it must not free it
            said = run(program, str(tmp_path))
            assert said.startswith(f"{os.getpid()} The store {tmp_path / 'store'} is in use by process {os.getpid()}.")
        store.write(batch_of(2))
        assert check_whole(store, 2) == 2


def test_the_same_process_cannot_open_a_home_twice(tmp_path: Path) -> None:
    with RocksStore(tmp_path, create=True) as store:
        with pytest.raises(HomeLocked) as caught:
            RocksStore(tmp_path)
        assert caught.value.pid == os.getpid()
        store.write(batch_of(1))
    RocksStore(tmp_path).close()


@pytest.mark.parametrize("adapter", [RocksStore, SecondaryStore])
def test_a_missing_home_is_not_made_by_looking(tmp_path: Path, adapter: type[RocksStore | SecondaryStore]) -> None:
    with pytest.raises(HomeMissing) as caught:
        adapter(tmp_path / "typo")
    assert "kerege init" in caught.value.cure
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("adapter", [RocksStore, SecondaryStore])
@pytest.mark.parametrize("found", ["kerege-store/2", None])
def test_a_home_of_another_version_is_left_alone(
    tmp_path: Path, adapter: type[RocksStore | SecondaryStore], found: str | None
) -> None:
    with RocksStore(tmp_path, create=True) as store:
        batch = batch_of(1)
        if found is None:
            batch.delete(Area.META, FORMAT_KEY)
        else:
            batch.put(Area.META, FORMAT_KEY, found.encode())
        store.write(batch)
    with pytest.raises(HomeOfAnotherVersion) as caught:
        adapter(tmp_path)
    assert caught.value.facts == {"path": str(tmp_path / "store"), "found": found, "expected": FORMAT}
    with pytest.raises(HomeOfAnotherVersion):  # and the refused attempt let go of the lock
        adapter(tmp_path)


def test_a_home_with_more_areas_than_we_know_is_of_another_version(tmp_path: Path) -> None:
    program = """
import sys; from rocksdict import Options, Rdict
from kerege.storage import settings
options = settings.database(create=True)
Rdict(sys.argv[1], options, settings.areas(1 << 20) | {"later": Options(raw_mode=True)}).close()
"""
    run(program, str(tmp_path / "store"))
    with pytest.raises(HomeOfAnotherVersion):
        RocksStore(tmp_path)


if VOLUMES:

    def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
        with volume(tmp_path / "small", "48m") as home:
            ballast = home / "ballast"
            ballast.write_bytes(b"x" * (30 << 20))
            store = RocksStore(home, create=True, cache_bytes=1 << 20)
            acknowledged = 0
            with pytest.raises(DiskFull) as caught:  # noqa: PT012 (the loop ends by the error)
                while acknowledged < 1000:
                    store.write(batch_of(acknowledged + 1, BLOCK))
                    acknowledged += 1
            assert acknowledged > 3
            assert caught.value.facts["path"] == str(home / "store")
            assert caught.value.free_bytes is not None
            assert caught.value.free_bytes < 30 << 20
            for use in (lambda: store.write(Batch()), lambda: store.get(Area.META, b"head")):
                with pytest.raises(DiskFull):
                    use()
            store.close()
            with pytest.raises(DiskFull):  # noqa: PT012 (still full: told again, nothing harmed)
                for number in range(acknowledged + 1, acknowledged + 1000):
                    with RocksStore(home, cache_bytes=1 << 20) as again:
                        check_whole(again, acknowledged, BLOCK)
                        again.write(batch_of(number, BLOCK))
                        acknowledged = number
            ballast.unlink()
            with RocksStore(home, cache_bytes=1 << 20) as cured:
                head = check_whole(cured, acknowledged, BLOCK)
                cured.write(batch_of(head + 1, BLOCK))
                assert check_whole(cured, acknowledged, BLOCK) == head + 1


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    program = """
import resource, sys; from pathlib import Path
from kerege.storage.errors import DiskFull
from kerege.storage.rocks import RocksStore
from tests.storage.numbered import batch_of
store = RocksStore(Path(sys.argv[1]), create=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))
number = 0
try:
    while number < 1000:
        store.write(batch_of(number + 1, 500_000))
        number += 1
except DiskFull as error:
    print(number)
store.close()
"""
    acknowledged = int(run(program, str(tmp_path)))
    assert acknowledged > 3
    with RocksStore(tmp_path) as store:
        head = check_whole(store, acknowledged, BLOCK)
        store.write(batch_of(head + 1, BLOCK))
        assert check_whole(store, acknowledged, BLOCK) == head + 1


def test_a_file_in_the_way_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(NotWritable) as caught:
        RocksStore(tmp_path / "home", create=True)
    assert caught.value.facts["path"] == str(tmp_path / "home" / "store")


def test_a_forbidden_folder_is_not_writable() -> None:
    program = """
import os, pickle, sys; from pathlib import Path
from kerege.storage.errors import NotWritable
from kerege.storage.rocks import RocksStore
if os.getuid() == 0: os.setuid(65534)
try: RocksStore(Path(sys.argv[1]), create=sys.argv[2] == "create")
except NotWritable as error: print(error)
"""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other accounts altogether
        home = Path(name)
        home.chmod(0o555)
        assert "cannot be written: Permission denied" in run(program, name, "create")
        home.chmod(0o755)
        RocksStore(home, create=True).close()
        for path in (home / "store", *(home / "store").iterdir()):
            path.chmod(0o555)
        assert "cannot be written: Permission denied" in run(program, name, "open")
        (home / "store").chmod(0o755)


if VOLUMES:

    def test_a_read_only_volume_is_not_writable(tmp_path: Path) -> None:
        with volume(tmp_path / "small", "24m") as home:
            with RocksStore(home, create=True) as store:
                store.write(batch_of(1))
            subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
            with pytest.raises(NotWritable):
                RocksStore(home)

    def test_a_read_only_volume_can_be_read(tmp_path: Path) -> None:
        with volume(tmp_path / "small", "24m") as home:
            with RocksStore(home, create=True) as store:
                store.write(batch_of(1))
            subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
            with SecondaryStore(home) as reader:
                reader.catch_up()
                check_whole(reader, 1)


def test_a_changed_byte_in_a_table_is_damage(tmp_path: Path) -> None:
    with RocksStore(tmp_path, create=True) as store:
        for number in range(1, 5):
            store.write(batch_of(number))
    for table in (tmp_path / "store").glob("*.sst"):
        data = bytearray(table.read_bytes())
        data[len(data) // 3] ^= 0x01
        table.write_bytes(data)
    with pytest.raises(StoreDamaged) as caught, RocksStore(tmp_path) as store:  # noqa: PT012 (any of the reads)
        for area in Area:
            list(store.scan(area))
    assert "backup" in caught.value.cure


def test_a_missing_table_is_damage(tmp_path: Path) -> None:
    with RocksStore(tmp_path, create=True) as store:
        store.write(batch_of(1))
    for table in (tmp_path / "store").glob("*.sst"):
        table.unlink()
    with pytest.raises(StoreDamaged):
        RocksStore(tmp_path)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "IO error: No space left on device: While appending to file: /x/000012.log: No space left on device",
            DiskFull,
        ),
        ("IO error: Disk quota exceeded: While fsync", DiskFull),
        ("IO error: While open a file for appending: /x/LOCK: Permission denied", NotWritable),
        ("Corruption: block checksum mismatch", StoreDamaged),
        ("Invalid argument: Column families not opened: later", HomeOfAnotherVersion),
    ],
)
def test_texts_of_the_engine_become_types(tmp_path: Path, text: str, kind: type[StorageError]) -> None:
    error = translate(Exception(text), tmp_path)
    assert isinstance(error, kind)
    assert error.facts["path"] == str(tmp_path)
    assert str(error).endswith(error.cure)
