"""The folder: one process, private files, nothing drawn anew by accident, nothing torn by a kill."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
from rocksdict import Options, Rdict

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from kerege.dossiers.files import FolderLock
from kerege.dossiers.jobs import Committed
from kerege.dossiers.memory_rows import MemoryRows
from kerege.dossiers.ports import Change, Rows, Shelf
from kerege.dossiers.rocks_rows import RocksRows
from kerege.dossiers.store import Draft
from tests.dossiers.support import NOW, Ledger, draft, open_controller

PROJECT = Path(__file__).parents[2]
HERE = os.environ | {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
"""For processes of this tree."""


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A bound on the size of files stands in for a full disk: the same refusal by the system, of the same call."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_second_process_is_kept_out_and_told_so(controller: Controller, home: Path, ledger: Ledger) -> None:
    with pytest.raises(errors.DossiersLocked) as told:
        open_controller(home, ledger, patience=0)
    assert told.value.facts["process"] == str(os.getpid())
    assert told.value.cure in str(told.value)
    controller.close()
    open_controller(home, ledger, patience=0).close()


def test_who_has_it_for_a_moment_is_waited_for(controller: Controller, home: Path, ledger: Ledger) -> None:
    controller.close()
    held = FolderLock(home / "dossiers")
    Timer(0.5, held.close).start()
    open_controller(home, ledger).close()


def test_nothing_is_created_over_what_exists(controller: Controller, home: Path, ledger: Ledger) -> None:
    controller.close()
    with pytest.raises(errors.DossiersExist):
        Controller.create(home, ledger)
    shutil.rmtree(home / "dossiers" / "rows")
    with pytest.raises(errors.DossiersExist):
        Controller.create(home, ledger)
    with pytest.raises(errors.DossiersAbsent):
        open_controller(home, ledger)


@pytest.mark.parametrize("lost", ["names.key", "epochs/0001.key", "uniqueness/0001.key", "wrapped/CURRENT"])
def test_a_lost_key_is_named_and_never_drawn_anew(home: Path, ledger: Ledger, lost: str) -> None:
    Controller.create(home, ledger).close()
    (home / "keys" / lost).unlink()
    with pytest.raises(errors.KeysMissing):
        open_controller(home, ledger)
    assert not (home / "keys" / lost).exists()


def test_keys_are_private_and_an_exposed_one_is_refused(controller: Controller, home: Path, ledger: Ledger) -> None:
    """Nobody but the owner reaches a file: it is closed itself, or stands in a folder that is."""
    for path in home.rglob("*"):
        closed = [part for part in (path, *path.parents) if part.is_relative_to(home) and part != home]
        assert any(part.stat().st_mode & 0o077 == 0 for part in closed), path
    engine = home / "keys" / "wrapped"
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home / "keys").rglob("*") if path.parent != engine)
    controller.close()
    (home / "keys" / "epochs" / "0001.key").chmod(0o640)
    with pytest.raises(errors.KeysExposed):
        open_controller(home, ledger)


def test_a_store_of_another_format_is_refused(controller: Controller, home: Path, ledger: Ledger) -> None:
    controller.close()
    path = home / "dossiers" / "rows"
    current = (path / "CURRENT").read_bytes()
    (path / "CURRENT").write_bytes(b"no database, only words\n")
    with pytest.raises(errors.StoreDamaged):
        open_controller(home, ledger)
    (path / "CURRENT").write_bytes(current)
    rows = Rdict(str(path), Options(raw_mode=True))
    rows[b"\xffformat"] = b"kerege-dossiers/99"
    rows.close()
    with pytest.raises(errors.WrongVersion):
        open_controller(home, ledger)


def test_a_store_of_the_form_before_is_read_and_takes_the_new_one(home: Path, ledger: Ledger) -> None:
    path = home / "dossiers" / "rows"
    Controller.create(home, ledger, clock=lambda: NOW).close()
    for name in (b"kerege-dossiers/2", b"kerege-dossiers/3"):
        rows = Rdict(str(path), Options(raw_mode=True))
        rows[b"\xffformat"] = name
        rows.close()
        open_controller(home, ledger).close()
        rows = Rdict(str(path), Options(raw_mode=True))
        assert rows[b"\xffformat"] == b"kerege-dossiers/3"
        rows.close()


@pytest.mark.parametrize("adapter", ["memory", "rocks"])
def test_every_adapter_of_rows_does_the_same(adapter: str, tmp_path: Path) -> None:
    rows: Rows = MemoryRows() if adapter == "memory" else RocksRows.create(tmp_path / "rows")
    names = [bytes([number]) * 32 for number in (3, 1, 2)]
    rows.apply(Change(Shelf.BOOKS, name, name * 2) for name in names)
    rows.apply([Change(Shelf.BOOKS, names[0], None), Change(Shelf.BOOKS, names[1], b"new")])
    assert list(rows.scan(Shelf.BOOKS)) == [(names[1], b"new"), (names[2], names[2] * 2)]
    assert rows.get(Shelf.BOOKS, names[0]) is None
    assert rows.get(Shelf.DOSSIERS, names[1]) is None
    assert rows.find(Shelf.BOOKS, names) == {names[1]: b"new", names[2]: names[2] * 2}
    assert rows.find(Shelf.DOSSIERS, names) == {}

    def failing() -> object:
        yield Change(Shelf.BOOKS, names[2], b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rows.apply(failing())  # type: ignore[arg-type]
    assert rows.get(Shelf.BOOKS, names[2]) == names[2] * 2
    rows.put_many(Shelf.DOSSIERS, [(name, name * 3) for name in names])
    assert rows.find(Shelf.DOSSIERS, names) == {name: name * 3 for name in names}
    rows.flush()
    assert rows.find(Shelf.DOSSIERS, names) == {name: name * 3 for name in names}
    rows.purge()
    rows.close()


WRITER = """
import sys
from pathlib import Path
from kerege.dossiers.controller import Controller
from tests.dossiers.support import Ledger, draft, open_controller, NOW

ledger = Ledger()
with open_controller(Path(sys.argv[1]), ledger) as controller:
    while True:
        batch = [draft(*((f"field-{n}", "value") for n in range(20))) for _ in range(8)]
        for one in batch:
            print("writing", one.record.hex(), one.subject.hex(), flush=True)
        for written in controller.dossiers.write(batch):
            print("written", written.record.hex(), written.root.hex(), flush=True)
"""


def test_a_kill_leaves_no_torn_dossier(home: Path, ledger: Ledger) -> None:
    Controller.create(home, ledger, clock=lambda: NOW).close()
    written: dict[bytes, bytes] = {}
    begun: dict[bytes, bytes] = {}
    for pause in (0.05, 0.11, 0.17, 0.23):
        command = [sys.executable, "-c", WRITER, str(home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=HERE)
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        for verb, name, rest in (line.split() for line in lines if line.count(" ") == 2 and line.endswith("\n")):
            (begun if verb == "writing" else written)[bytes.fromhex(name)] = bytes.fromhex(rest)
    assert written
    with open_controller(home, ledger) as controller:
        items = [Committed(record, 1, root) for record, root in written.items()]
        report = controller.dossiers.check(items, ledger.start("check"))
        assert (report.missing, report.wrong) == (0, 0)
        # What was begun and not answered is there whole, or not at all and free to be written again.
        for record, subject in begun.items():
            one = draft(*((f"field-{n}", "value") for n in range(20)), record=record, subject=subject)
            try:
                assert len(controller.dossiers.read(ledger.grant(one, *one.names))) == 20
            except errors.DossierMissing:
                assert record not in written
                controller.dossiers.write([one])
        gone = controller.dossiers.collect_orphans(NOW * 2, lambda entry: entry.record in written)
        assert gone.confirmed == len(written)


IMPORTER = """
import os, signal, sys
from pathlib import Path
from tests.dossiers.support import Ledger, draft, open_controller
from tests.dossiers.test_home import batch_of_an_import

with open_controller(Path(sys.argv[1]), Ledger()) as controller:
    for number in range(int(sys.argv[2])):
        controller.dossiers.seal(controller.dossiers.admit(batch_of_an_import(number)))
        if number == 0:
            controller.dossiers.make_durable()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def batch_of_an_import(number: int) -> list[Draft]:
    """Dossiers of derived ids and salts: the same again."""
    names = [bytes([number, each]) * 8 for each in range(30)]
    return [draft(record=name, subject=name, seed=name * 2, again=True) for name in names]


def test_what_a_kill_loses_of_an_import_is_written_again_as_the_same(home: Path, ledger: Ledger) -> None:
    Controller.create(home, ledger, clock=lambda: NOW).close()
    done = subprocess.run([sys.executable, "-c", IMPORTER, str(home), "3"], check=False, env=HERE)
    assert done.returncode == -signal.SIGKILL
    batches = [batch_of_an_import(number) for number in range(3)]
    with open_controller(home, ledger) as controller:
        there = [controller.dossiers.holds(batch[0].record, 1, "acts") for batch in batches]
        assert there == [True, False, False]
        written = [controller.dossiers.write(batch) for batch in batches]
        again = [controller.dossiers.write(batch) for batch in batches]
        assert [[one.root for one in each] for each in written] == [[one.root for one in each] for each in again]
        items = [Committed(one.record, 1, one.root) for each in written for one in each]
        report = controller.dossiers.check(items, ledger.start("check"))
        assert (report.total, report.missing, report.wrong) == (90, 0, 0)


MIXED = """
import os, signal, sys
from pathlib import Path
from kerege.dossiers.ports import Change, Shelf
from kerege.dossiers.rocks_rows import RocksRows

rows = RocksRows.create(Path(sys.argv[1]))
for number in range(5):
    rows.put_many(Shelf.DOSSIERS, [(bytes([number, each]) * 16, os.urandom(4_000)) for each in range(50)])
    rows.apply([Change(Shelf.BOOKS, bytes([number]) * 32, b"kept")])
    if number == 2:
        rows.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_logged_between_rows_that_are_not_survives_a_kill(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", MIXED, str(tmp_path / "rows")], check=False, env=HERE)
    assert done.returncode == -signal.SIGKILL
    for _ in range(2):  # as it was found, and as that left it
        rows = RocksRows(tmp_path / "rows")
        assert [name[0] for name, _ in rows.scan(Shelf.BOOKS)] == list(range(5))
        assert sum(name[0] <= 2 for name, _ in rows.scan(Shelf.DOSSIERS)) == 150
        rows.close()


def test_what_a_failed_write_loses_is_not_said_to_be_durable(tmp_path: Path) -> None:
    rows = RocksRows.create(tmp_path / "rows")
    told = [(os.urandom(32), os.urandom(8_000)) for _ in range(3)]
    rows.put_many(Shelf.DOSSIERS, told)
    with files_of_at_most(100_000), pytest.raises(errors.StoreUnwritable):
        rows.apply([Change(Shelf.BOOKS, os.urandom(32), os.urandom(8_000)) for _ in range(50)])
    with pytest.raises(errors.StoreUnwritable, match="lost"):
        rows.flush()
    rows.put_many(Shelf.DOSSIERS, told)
    rows.flush()
    rows.close()
    again = RocksRows(tmp_path / "rows")
    assert dict(again.scan(Shelf.DOSSIERS)) == dict(told)
    again.close()


def test_a_disk_that_is_full_when_an_import_is_made_durable(tmp_path: Path) -> None:
    rows = RocksRows.create(tmp_path / "rows")
    told = [(os.urandom(32), os.urandom(8_000)) for _ in range(50)]
    with files_of_at_most(96 * 1024):
        rows.put_many(Shelf.DOSSIERS, told)
        with pytest.raises(errors.StoreUnwritable):
            rows.flush()
    rows.put_many(Shelf.DOSSIERS, told)
    rows.flush()
    assert len(rows.find(Shelf.DOSSIERS, [name for name, _ in told])) == 50
    rows.close()


def test_a_full_disk_is_said_and_costs_nothing(controller: Controller, ledger: Ledger) -> None:
    good = draft()
    controller.dossiers.write([good])
    with files_of_at_most(100_000), pytest.raises(errors.StoreUnwritable):
        controller._rows.apply([Change(Shelf.BOOKS, os.urandom(32), os.urandom(8_000)) for _ in range(50)])
    assert controller.dossiers.read(ledger.grant(good, "surname"))
    controller.dossiers.write([draft() for _ in range(50)])


def test_a_disk_that_is_full_at_the_end_costs_nothing(tmp_path: Path) -> None:
    """Closing and purging write tables: what the system says then is told as such, and what was written is there."""
    rows = RocksRows.create(tmp_path / "rows")
    written = [Change(Shelf.BOOKS, os.urandom(32), os.urandom(8_000)) for _ in range(50)]
    rows.apply(written)
    with files_of_at_most(96 * 1024):
        with pytest.raises(errors.StoreUnwritable):
            rows.purge()
        rows.close()
    again = RocksRows(tmp_path / "rows")
    assert dict(again.scan(Shelf.BOOKS)) == {change.locator: change.sealed for change in written}
    again.close()


def test_keys_on_a_full_disk(controller: Controller, home: Path, ledger: Ledger) -> None:
    """Whatever the key service writes: it says that there is no room, lets go, and has what it had before."""
    good = draft()
    controller.dossiers.write([good])
    with files_of_at_most(4096):
        with pytest.raises(errors.StoreUnwritable), controller.keys._book.transaction():
            controller.keys._book.note_backup("/some" * 2_000 + "where", 5)
        controller.close()
    with open_controller(home, ledger) as again:
        assert again.dossiers.read(ledger.grant(good, "surname"))


def test_a_copy_made_while_work_goes_on_is_whole(controller: Controller, home: Path, tmp_path: Path) -> None:
    controller.dossiers.write([draft() for _ in range(20)])
    before = list(controller._rows.scan(Shelf.DOSSIERS))
    controller.backup(tmp_path / "copy")
    controller.dossiers.write([draft() for _ in range(5)])
    copy = RocksRows(tmp_path / "copy" / "rows")
    assert list(copy.scan(Shelf.DOSSIERS)) == before
    copy.close()


def test_a_store_that_another_process_holds_is_not_opened(tmp_path: Path) -> None:
    rows = RocksRows.create(tmp_path / "rows")
    with pytest.raises(errors.StoreUnwritable, match="lock"):
        RocksRows(tmp_path / "rows")
    rows.close()
    RocksRows(tmp_path / "rows").close()
