"""`kerege export`: every row of the state, of one block, whoever else uses the ledger meanwhile."""

import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from kerege.cli import exporting
from kerege.consensus.trees import open_trees
from kerege.kernel.block import Head
from kerege.kernel.codec import decode
from kerege.kernel.export import import_row
from kerege.kernel.forms import from_json
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.modules.disclosure.messages import RequestAccess
from kerege.modules.services.state import CASES
from kerege.node.wiring import NodeWiring, _send
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch
from kerege.storage.rocks import RocksStore
from tests.cli.program import REFUSED, REGISTRAR, kerege, look, running, write_message
from tests.storage.volumes import VOLUMES, volume


class Busy(NodeWiring):
    """A ledger on which a block is made during each of the first readings."""

    def __init__(self, times: int) -> None:
        self.times = times

    @contextmanager
    def open_door(self, home):
        with super().open_door(home) as door:
            scan, self._home, self._door = door.scan, home, door
            vars(door)["scan"] = lambda prefix, after=b"": self._scan(scan, prefix, after)
            yield door

    def _scan(self, scan, prefix, after):
        if self.times and prefix == CASES.prefix:
            self.times -= 1
            _send(self._door, self.signer(self._home, REGISTRAR), _look(self.times), "nothing is exported")
        return scan(prefix, after)


def _look(number: int):
    return from_json(look(f"{number:02x}" * 16), RequestAccess, "kg")


def rows_of(file: Path):
    about, *rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return about, rows


def state_of(home: Path):
    with RocksStore(home) as store:
        return dict(store.scan(Area.STATE)), {area: dict(store.scan(area)) for area in (Area.META, Area.LOG)}


# Refused


def test_a_place_that_cannot_be_written(home, tmp_path):
    for out in (tmp_path, tmp_path / "nothing" / "x.jsonl", Path("/dev/full/x"), Path()):
        kerege("export", "--home", home, "--out", out).one_sentence("cannot be written")
    assert not list(tmp_path.glob(".*"))


def test_a_ledger_that_does_not_stand_still(home, tmp_path):
    out = tmp_path / "state.jsonl"
    out.write_text("before")
    busy = Busy(exporting.ATTEMPTS)
    kerege("export", "--home", home, "--out", out, wiring=busy).one_sentence("stop the node", code=REFUSED)
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["state.jsonl"]


@pytest.fixture
def exported(home: Path, tmp_path: Path) -> Path:
    """The state of a ledger with a look on it."""
    file = write_message(tmp_path / "message.json", look("11" * 16))
    assert kerege("submit", file, "--home", home, "--as", REGISTRAR).code == 0
    assert kerege("export", "--home", home, "--out", tmp_path / "state.jsonl").code == 0
    return tmp_path / "state.jsonl"


def changed(lines: list[bytes], number: int, old: bytes, new: bytes) -> list[bytes]:
    assert old in lines[number], lines[number]
    return [line.replace(old, new, 1) if at == number else line for at, line in enumerate(lines)]


NO_EXPORT = {
    "empty": (lambda _lines: [], "is no export"),
    "no JSON": (lambda lines: [b"{\n", *lines[1:]], "is no export"),
    "another format": (lambda lines: changed(lines, 0, b"export/1", b"export/2"), "is no export"),
    "a root in capitals": (lambda lines: [lines[0].replace(b"a", b"A"), *lines[1:]], "is no export"),
    "other modules": (lambda lines: changed(lines, 0, b'"accounts":', b'"account":'), "another release"),
    "a row of nothing": (lambda lines: [*lines[:5], b"5\n", *lines[6:]], "line 6 is no row"),
    "a row that is cut": (lambda lines: [*lines[:-1], lines[-1][:-9]], "is no row"),
    "an unknown table": (lambda lines: changed(lines, 1, b"accounts.account", b"accounts.nothing"), "line 2 is no row"),
    "a nesting without end": (lambda lines: [*lines[:5], b"[" * 100_000 + b"\n"], "line 6 is no row"),
    "a field twice": (lambda lines: changed(lines, 1, b"{", b'{"table":"accounts.account",'), "names a field twice"),
    "spaces": (lambda lines: changed(lines, 1, b":", b": "), "line 2 is written otherwise"),
    "no end of line": (lambda lines: [*lines[:-1], lines[-1].rstrip()], "is written otherwise"),
    "a row twice": (lambda lines: [*lines[:3], lines[2], *lines[3:]], "line 4 is not behind"),
    "another order": (lambda lines: [lines[0], *reversed(lines[1:])], "line 3 is not behind"),
}


@pytest.mark.parametrize(("change", "told"), NO_EXPORT.values(), ids=NO_EXPORT)
def test_what_is_no_export(exported, change, told):
    exported.write_bytes(b"".join(change(exported.read_bytes().splitlines(keepends=True))))
    kerege("verify-export", exported).one_sentence(str(exported), told)


def test_an_export_that_cannot_be_read(tmp_path):
    for file in (tmp_path, tmp_path / "missing"):
        kerege("verify-export", file).one_sentence("cannot be read")


CHANGED = {
    "a row is missing": (lambda lines: lines[:-1], "the rows of services"),
    "a row says another thing": (lambda lines: changed(lines, 1, b'"status":"open"', b'"status":"closed"'), "accounts"),
    "a module is missing": (lambda lines: [x for x in lines if b'"table":"policy.' not in x], "the rows of policy"),
    "another state root": (lambda lines: flipped(lines, "state_root"), "the state root is"),
    "another app hash": (lambda lines: flipped(lines, "app_hash"), "the app hash is"),
    "another log": (lambda lines: flipped(lines, "log_root"), "the app hash is"),
}


def flipped(lines: list[bytes], name: str) -> list[bytes]:
    root = json.loads(lines[0])[name]
    return changed(lines, 0, root.encode(), (("1" if root[0] == "0" else "0") + root[1:]).encode())


@pytest.mark.parametrize(("change", "told"), CHANGED.values(), ids=CHANGED)
def test_a_changed_export_does_not_hold(exported, change, told):
    exported.write_bytes(b"".join(change(exported.read_bytes().splitlines(keepends=True))))
    done = kerege("verify-export", exported, "--json")
    assert (done.code, done.json["ok"]) == (REFUSED, False)
    assert told in done.json["difference"]


# Written


def test_an_export_is_read_back_by_itself(exported, home):
    head = kerege("show", "head", "--home", home, "--json").json
    done = kerege("verify-export", exported, "--app-hash", head["app_hash"], "--json")
    assert (done.code, done.json["ok"], done.json["difference"]) == (0, True, None)
    assert (done.json["height"], done.json["app_hash"]) == (1, head["app_hash"])
    assert done.json["rows"] == len(exported.read_bytes().splitlines()) - 1
    other = kerege("verify-export", exported, "--app-hash", "00" * 32, "--json")
    assert (other.code, other.json["ok"]) == (REFUSED, False)
    kerege("verify-export", exported, "--app-hash", "x").one_sentence("is not an id")


def test_every_row_and_the_same_roots(home, tmp_path):
    file = write_message(tmp_path / "message.json", look("11" * 16))
    assert kerege("submit", file, "--home", home, "--as", REGISTRAR).code == 0
    done = kerege("export", "--home", home, "--out", tmp_path / "state.jsonl", "--json")
    about, rows = rows_of(tmp_path / "state.jsonl")
    assert (done.code, done.json["rows"], done.json["height"]) == (0, len(rows), 1)
    modules, batch, store = Modules(MODULES), Batch(), MemoryStore()
    for row in rows:
        batch.put(Area.STATE, *import_row(modules, row, about["prefix"]))
    state, others = state_of(home)
    assert dict(batch.changes[Area.STATE]) == state
    assert list(batch.changes[Area.STATE]) == sorted(state), "in order of keys: two exports of a state are one file"
    for area, content in others.items():
        batch.update(area, content)
    store.write(batch)
    head = next(decode(raw, Head) for key, raw in store.scan(Area.META) if b"kerege-head/1" in raw)
    trees = open_trees(modules, store, head, None, lambda *_: None)
    assert [tree.root.hex() for tree in trees] == list(about["module_roots"].values())
    assert about["state_root"] == head.state_root.hex() == done.json["state_root"]
    assert (about["format"], about["app_hash"]) == ("kerege-export/1", head.app_hash.hex())


def test_a_block_meanwhile_is_in_it_whole(home, tmp_path):
    done = kerege("export", "--home", home, "--out", tmp_path / "state.jsonl", "--json", wiring=Busy(2))
    assert (done.code, done.json["height"]) == (0, 2)
    again = kerege("export", "--home", home, "--out", tmp_path / "again.jsonl")
    assert again.code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "state.jsonl").read_bytes()


def test_a_running_node_is_asked(home, tmp_path):
    with running(home):
        assert kerege("export", "--home", home, "--out", tmp_path / "up.jsonl").code == 0
    assert kerege("export", "--home", home, "--out", tmp_path / "down.jsonl").code == 0
    assert (tmp_path / "up.jsonl").read_bytes() == (tmp_path / "down.jsonl").read_bytes()


def test_no_personal_value_leaves_the_dossiers(copy, tmp_path):
    assert kerege("export", "--home", copy, "--out", tmp_path / "state.jsonl").code == 0
    written = (tmp_path / "state.jsonl").read_text(encoding="utf-8")
    assert not [secret for secret in ("Нурсултан", "Асанов", "11203199500017") if secret in written]


if VOLUMES:

    def test_a_copy_that_can_only_be_read(home, tmp_path):
        """An auditor's: read and replayed without its keys; nothing is signed with it."""
        with volume(tmp_path / "small", "64m") as copy:
            shutil.copytree(home, copy / "home", ignore=shutil.ignore_patterns("keys", "dossiers", "node"))
            subprocess.run(["mount", "-o", "remount,ro", str(copy)], check=True)
            words = ("--home", copy / "home")
            assert (
                kerege("show", "head", *words, "--json").json == kerege("show", "head", "--home", home, "--json").json
            )
            assert kerege("verify-ledger", *words, "--json").json["ok"]
            assert kerege("export", *words, "--out", tmp_path / "state.jsonl").code == 0
            assert kerege("verify-export", tmp_path / "state.jsonl").code == 0
            kerege("checkpoint", *words).one_sentence("can only be read", code=REFUSED)
            file = write_message(tmp_path / "message.json", look("11" * 16))
            kerege("submit", file, *words, "--as", REGISTRAR).one_sentence("cannot be written")


def test_what_is_no_file_is_written_to_and_stays(home, tmp_path):
    """A pipe gets the bytes and nothing takes its place; a link goes on pointing where it did."""
    pipe, kept, link = tmp_path / "pipe", tmp_path / "kept.jsonl", tmp_path / "link.jsonl"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert kerege("export", "--home", home, "--out", pipe).code == 0
    reader.join()
    assert pipe.is_fifo()
    kept.write_text("old")
    link.symlink_to(kept)
    assert kerege("export", "--home", home, "--out", link).code == 0
    assert link.is_symlink()
    assert kept.read_bytes() == read[0]
