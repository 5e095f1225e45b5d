"""`kerege init`: whose keys found a ledger, and that a refused one leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerege.node.wire import LONGEST_PATH
from tests.cli.conftest import PASSPHRASE, POSTS
from tests.cli.program import REGISTRAR as REGISTRAR_POST
from tests.cli.program import Done, environment, kerege, running

MINISTER, BANKER, REGISTRAR = range(3)


def found(tmp_path, content) -> Done:
    file = tmp_path / "founders.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return kerege("init", "--home", tmp_path / "new", "--keys", file)


def _with(founders, number, **changed):
    officials = [{**o, **changed} if i == number else o for i, o in enumerate(founders["officials"])]
    return {**founders, "officials": officials}


def _without(founders, number):
    return {**founders, "officials": [o for i, o in enumerate(founders["officials"]) if i != number]}


UNUSABLE = {
    "format": lambda f: {**f, "format": "kerege-founders/2"},
    "no format": lambda f: {"officials": f["officials"]},
    "more": lambda f: {**f, "extra": 1},
    "no officials": lambda f: {**f, "officials": []},
    "officials missing": lambda f: {"format": f["format"]},
    "officials no list": lambda f: {**f, "officials": {}},
    "an official with more": lambda f: _with(f, REGISTRAR, seed="00"),
    "an official without a key": lambda f: {**f, "officials": [{"office": "МЮ-1", "role": "minister-justice"}]},
    "a key too short": lambda f: _with(f, REGISTRAR, key="00"),
    "a key in capitals": lambda f: _with(f, REGISTRAR, key=f["officials"][REGISTRAR]["key"][:-1] + "F"),
    "a key with a line's end": lambda f: _with(f, REGISTRAR, key=f["officials"][REGISTRAR]["key"] + "\n"),
    "an office without a name": lambda f: _with(f, REGISTRAR, office=""),
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_of_another_form(founders, tmp_path, change):
    found(tmp_path, change(founders)).one_sentence("the founders' file is unusable", "docs/how-to/")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 5_000], ids=["empty", "cut", "binary", "deep"])
def test_a_file_that_is_no_json(tmp_path, content):
    found(tmp_path, content).one_sentence("the founders' file is unusable")
    assert not (tmp_path / "new").exists()


WRONG = {
    "unknown office": (lambda f: _with(f, REGISTRAR, office="ЗАГС-1"), "no open office ЗАГС-1"),
    "unknown role": (lambda f: _with(f, REGISTRAR, role="king"), "no role king"),
    "role of another office": (lambda f: _with(f, REGISTRAR, role="central-banker"), "no role central-banker"),
    "no curve point": (lambda f: _with(f, REGISTRAR, key="f" * 64), "ask for it again"),
    "small order": (lambda f: _with(f, REGISTRAR, key="00" * 32), "ask for it again"),
    "twice": (lambda f: {**f, "officials": f["officials"] * 2}, "twice"),
    "no government": (lambda f: _without(f, MINISTER), "government"),
    "no central bank": (lambda f: _without(f, BANKER), "central-bank"),
}


@pytest.mark.parametrize(("change", "told"), WRONG.values(), ids=WRONG)
def test_officials_that_cannot_found(founders, tmp_path, change, told):
    found(tmp_path, change(founders)).one_sentence(told)
    assert not (tmp_path / "new").exists()


def test_a_file_that_cannot_be_read(tmp_path):
    kerege("init", "--home", tmp_path / "new", "--keys", tmp_path / "missing.json").one_sentence("cannot be read")
    kerege("init", "--home", tmp_path / "new", "--keys", tmp_path).one_sentence("cannot be read")
    (tmp_path / "long.json").write_bytes(b" " * (16 * 1024 * 1024 + 1))
    kerege("init", "--home", tmp_path / "new", "--keys", tmp_path / "long.json").one_sentence("is longer than")
    assert not (tmp_path / "new").exists()


def is_locked(file):
    """Asked of the system: to try it would hold up whoever is about to."""
    return f":{file.stat().st_ino} " in Path("/proc/locks").read_text()


@pytest.mark.parametrize("reached", [".unfinished", "store/CURRENT", "trust.json", "dev-keys", "keys", "home.json"])
def test_after_a_kill_a_home_is_whole_or_begun_anew(tmp_path, reached):
    """Whatever the process had written when it was killed."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.txt").write_text("somebody's")
    words = ("init", "--home", home, "--dev")
    command = [sys.executable, "-m", "kerege.node", *map(str, words)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as first:
        while not (home / reached).exists() or (reached == ".unfinished" and not is_locked(home / reached)):
            assert first.poll() is None
        kerege(*words).one_sentence("another process is making a home" if reached != "home.json" else "home")
        first.kill()
    whole = (home / "home.json").exists()
    if not whole:
        kerege("show", "head", "--home", home).one_sentence("is not a home of a ledger", "kerege init")
        assert kerege(*words).code == 0
    assert kerege("verify-ledger", "--home", home).code == 0
    assert kerege("dossiers", "check", "--home", home).code == 0
    kerege(*words).one_sentence("a home already")
    assert (home / "notes.txt").read_text() == "somebody's"


def test_what_is_left_of_a_ledger_is_not_written_over(home):
    key = (home / "node/checkpoint.key").read_bytes()
    (home / "home.json").unlink()
    told = ("dev-keys, dossiers, keys, node, store", "no home.json", "restore it")
    kerege("init", "--home", home, "--dev").one_sentence(*told)
    assert (home / "node/checkpoint.key").read_bytes() == key


@pytest.mark.parametrize("letter", ["x", "ы"])
def test_a_path_too_long_for_the_socket_is_refused_before_anything_is_written(tmp_path, letter):
    room = LONGEST_PATH - len(os.fsencode(tmp_path / "run/ledger.sock")) - 1
    long = tmp_path / (letter * (room // len(letter.encode()) + 1))
    told = (str(long), f"has {len(str(long))} characters", "bytes too many", "shorter path")
    kerege("init", "--home", long, "--dev").one_sentence(*told)
    assert not long.exists()
    if letter == "x":
        fits = tmp_path / (letter * room)
        assert kerege("init", "--home", fits, "--dev").code == 0
        with running(fits):
            assert kerege("show", "head", "--home", fits).code == 0


def test_either_keys_or_throw_away_ones(founders, tmp_path):
    (tmp_path / "founders.json").write_text(json.dumps(founders))
    kerege("init", "--home", tmp_path / "new").one_sentence("--keys FILE", "--dev")
    both = ("--keys", tmp_path / "founders.json", "--dev")
    kerege("init", "--home", tmp_path / "new", *both).one_sentence("--keys FILE", "--dev")
    assert not (tmp_path / "new").exists()


def test_what_stood_in_the_folder_stays(founders, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/letter.txt").write_text("mine")
    found(tmp_path, WRONG["no government"][0](founders)).one_sentence("government")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["letter.txt"]


def test_officials_found_a_ledger_with_their_own_keys(founded):
    env = {"KEREGE_PASSPHRASE": PASSPHRASE}
    assert not (founded / "dev-keys").exists()
    assert json.loads((founded / "home.json").read_text())["dev"] is False
    assert kerege("keys", "list", "--home", founded, "--json", env=env).json == []
    assert kerege("verify-ledger", "--home", founded, "--json").json["ok"] is True


def test_each_official_has_an_account(founded, keystore):
    for name in POSTS:
        address = kerege("keys", "address", name).out.strip()
        account = kerege("show", "account", address, "--home", founded, "--json").json
        public = json.loads((keystore / f"{name}.json").read_text())["public"]
        assert [key["key"] for key in account["keys"]] == [public]


def test_no_throw_away_key_signs_there(founded):
    kerege("dossiers", "check", "--home", founded).one_sentence("--as")
    kerege("dossiers", "check", "--home", founded, "--as", REGISTRAR_POST).one_sentence(
        "only after `kerege init --dev`"
    )
