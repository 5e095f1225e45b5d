"""Sealed keys: who may not use one, what never leaves it, and that it signs."""

import json
import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from kerege.cli import keystore as store
from tests.cli.conftest import PASSPHRASE, POSTS
from tests.cli.program import REFUSED, ROOT, kerege, look, write_message

RIGHT = {"KEREGE_PASSPHRASE": PASSPHRASE}


def sign(home: Path, tmp_path: Path, name: str = "registrar", env=RIGHT, *words: str):
    """Submit something that the registrar of the founded ledger may."""
    file = write_message(tmp_path / "message.json", look("11" * 16))
    return kerege("submit", file, "--home", home, "--as", name, *words, env=env)


def seed_of(keystore: Path, name: str) -> bytes:
    return bytes(store.open_key(store.read_key(keystore / f"{name}.json"), PASSPHRASE)._key)


# Refused


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", "two words", ".hidden", "x" * 65, "line\n"])
def test_a_name_that_is_none(name):
    """Told before a passphrase is asked for."""
    for env in (RIGHT, {}):
        done = kerege("keys", "new", name, env=env)
        assert done.code == 2
        assert not done.out
        assert "KEREGE_PASSPHRASE" not in done.err
    assert not Path(os.environ["KEREGE_KEYS"]).exists()


def test_a_new_key_without_a_passphrase(keystore):
    kerege("keys", "new", "second").one_sentence("KEREGE_PASSPHRASE")
    kerege("keys", "new", "second", env={"KEREGE_PASSPHRASE": ""}).one_sentence("empty")
    assert not (keystore / "second.json").exists()


@pytest.mark.parametrize("weak", ["1", "password123", "тоо-суу-жер", "aaaaaaaaaaaaaaaaaaaa", "abababababababab"])
def test_a_new_key_with_a_weak_passphrase(keystore, weak):
    done = kerege("keys", "new", "second", env={"KEREGE_PASSPHRASE": weak})
    done.one_sentence("too weak", "at least 12", "four words")
    assert weak not in done.err or weak == "1"
    assert not (keystore / "second.json").exists()


def test_an_old_key_opens_by_whatever_sealed_it(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "COST", 2**14)
    store.draw_key(tmp_path, "old", "kg", "short")
    monkeypatch.setenv("KEREGE_PASSPHRASE", "short")
    assert store.open_key(store.read_key(tmp_path / "old.json"), store.ask_passphrase("old")).public


def test_a_name_that_is_taken_keeps_its_key(keystore):
    before = (keystore / "registrar.json").read_bytes()
    kerege("keys", "new", "registrar", env=RIGHT).one_sentence("exists already", "another name")
    assert (keystore / "registrar.json").read_bytes() == before
    assert sorted(path.name for path in keystore.iterdir()) == sorted(f"{name}.json" for name in POSTS)


def test_a_keystore_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    kerege("keys", "new", "x", "--folder", tmp_path / "file" / "keys", env=RIGHT).one_sentence("cannot be written")


def test_nobody_is_named(founded, tmp_path):
    file = write_message(tmp_path / "message.json", look("11" * 16))
    kerege("submit", file, "--home", founded).one_sentence("--as NAME", "kerege keys list")


@pytest.mark.parametrize("name", ["nobody", "nobody/registrar", "missing.json", "x" * 300, "../registrar"])
def test_a_key_that_is_missing(founded, keystore, tmp_path, name):
    told = ("File name too long",) if len(name) > 255 else (f"neither the keystore nor {founded} has", "keys list")
    sign(founded, tmp_path, name).one_sentence(*told)
    kerege("keys", "address", name, "--home", founded).one_sentence()


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"KEREGE_PASSPHRASE": PASSPHRASE + " "}, "passphrase is wrong"),
        ({"KEREGE_PASSPHRASE": ""}, "empty"),
        ({}, "KEREGE_PASSPHRASE"),
    ],
)
def test_a_wrong_passphrase_sends_nothing(founded, keystore, tmp_path, env, told):
    done = sign(founded, tmp_path, env=env)
    done.one_sentence(told)
    assert PASSPHRASE not in done.err
    assert kerege("show", "head", "--home", founded, "--json").json["height"] == 0
    assert not (founded / "outbox").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_or_change(founded, keystore, tmp_path, mode):
    (keystore / "registrar.json").chmod(mode)
    sign(founded, tmp_path).one_sentence("chmod 600", str(keystore / "registrar.json"))
    assert kerege("keys", "address", "registrar", "--home", founded).code == 0, "an address is no secret"


def _flip(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def _seal(form, **changed):
    return {**form, "seal": {**form["seal"], **changed}}


DAMAGED = {
    "cost beyond reason": lambda f: _seal(f, n=2**30),
    "cost that is no power of two": lambda f: _seal(f, n=2**17 + 1),
    "no cost": lambda f: _seal(f, n=0),
    "salt": lambda f: _seal(f, salt=_flip(f["seal"]["salt"])),
    "nonce": lambda f: _seal(f, nonce=_flip(f["seal"]["nonce"])),
    "nonce too short": lambda f: _seal(f, nonce="00"),
    "seed": lambda f: _seal(f, sealed=_flip(f["seal"]["sealed"])),
    "seed too short": lambda f: _seal(f, sealed="00"),
    "seed not hex": lambda f: _seal(f, sealed="zz"),
    "name": lambda f: {**f, "name": "minister"},
    "public key": lambda f: {**f, "public": _flip(f["public"])},
    "format": lambda f: {**f, "format": "kerege-key/2"},
    "kind": lambda f: {**f, "kind": "rsa"},
    "more": lambda f: {**f, "extra": 1},
    "less": lambda f: {name: f[name] for name in f if name != "seal"},
    "no object": lambda f: [f],
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_a_changed_file(founded, keystore, tmp_path, change):
    path = keystore / "registrar.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    done = sign(founded, tmp_path)
    done.one_sentence(str(path))
    assert PASSPHRASE not in done.err


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"null", b"[" * 5_000], ids=["empty", "cut", "binary", "null", "deep"]
)
def test_a_file_that_is_no_key(founded, keystore, tmp_path, content):
    (keystore / "registrar.json").write_bytes(content)
    sign(founded, tmp_path).one_sentence("not a key file", "kerege keys new")
    listed = kerege("keys", "list", "--home", founded, "--json")
    assert (listed.code, listed.err.count("\n")) == (REFUSED, 1)
    assert f"{keystore / 'registrar.json'} is not a key file" in listed.err
    assert [key["name"] for key in listed.json] == ["banker", "minister"], "the others are there"


def test_a_throw_away_key_that_is_spoilt_leaves_the_others(home, tmp_path):
    (home / "dev-keys/МЮ-1--minister-justice.json").write_text("{")
    listed = kerege("keys", "list", "--home", home, "--json")
    assert (listed.code, listed.err.count("\n")) == (REFUSED, 1)
    assert "МЮ-1/minister-justice is unreadable" in listed.err
    assert "ЗАГС-708203/registrar" in {key["name"] for key in listed.json}
    file = write_message(tmp_path / "message.json", look("11" * 16))
    assert kerege("submit", file, "--home", home, "--as", "ЗАГС-708203/registrar").code == 0
    kerege("submit", file, "--home", home, "--as", "МЮ-1/minister-justice").one_sentence("is no key file")
    kerege("keys", "address", "МЮ-1/minister-justice", "--home", home).one_sentence("there is no key")


# Done


def test_the_right_passphrase_signs(founded, keystore, tmp_path):
    done = sign(founded, tmp_path, "registrar", RIGHT, "--json")
    assert done.code == 0, done
    assert done.json["outcome"] == "applied"
    rows = kerege("show", "looks", "--home", founded, "--json").json
    assert [row["officer"] for row in rows] == [kerege("keys", "address", "registrar").out.strip()]


def test_a_key_is_named_by_its_file_too(founded, keystore, tmp_path):
    elsewhere = (keystore / "registrar.json").rename(tmp_path / "carried.json")
    assert sign(founded, tmp_path, str(elsewhere)).code == 0


def test_what_the_ledger_refuses_ends_with_one(founded, keystore, tmp_path):
    to = kerege("keys", "address", "banker").out.strip()
    words = ("bank", "transfer", "--currency", "KGS", "--amount", "5", "--to", to, "--json")
    done = kerege(*words, "--home", founded, "--as", "registrar", env=RIGHT)
    assert (done.code, done.json["outcome"], done.json["code"]) == (1, "refused", "bank.4")


def test_nothing_secret_is_printed_or_kept(founded, keystore, tmp_path):
    told = kerege("keys", "new", "fresh", "--json", env=RIGHT)
    printed = told.out + told.err
    for words in (("keys", "list", "--home", founded), ("keys", "list", "--home", founded, "--json")):
        done = kerege(*words)
        printed += done.out + done.err
    done = sign(founded, tmp_path, "registrar", RIGHT)
    printed += done.out + done.err
    seeds = [seed_of(keystore, name) for name in ("fresh", "registrar")]
    kept = [path.read_bytes() for folder in (founded, keystore) for path in folder.rglob("*") if path.is_file()]
    for secret in [PASSPHRASE.encode(), *seeds, *(seed.hex().encode() for seed in seeds)]:
        assert secret not in printed.encode()
        assert not any(secret in content for content in kept)


def test_throw_away_seeds_lie_in_their_folder_only(home, tmp_path):
    file = write_message(tmp_path / "message.json", look("11" * 16))
    assert kerege("submit", file, "--home", home, "--as", "ЗАГС-708203/registrar").code == 0
    thrown = list((home / "dev-keys").iterdir())
    seeds = [json.loads(path.read_text())["seed"] for path in thrown]
    others = b"\n".join(path.read_bytes() for path in home.rglob("*") if path.is_file() and path not in thrown)
    assert not any(seed.encode() in others or bytes.fromhex(seed) in others for seed in seeds)


def test_a_key_is_its_owners_only(keystore):
    assert kerege("keys", "new", "fresh", "--folder", keystore / "inner", env=RIGHT).code == 0
    assert (keystore / "inner").stat().st_mode & 0o777 == 0o700
    assert (keystore / "inner/fresh.json").stat().st_mode & 0o777 == 0o600


def test_two_keys_of_one_passphrase_share_nothing(sealed):
    forms = [json.loads((sealed / f"{name}.json").read_text()) for name in POSTS]
    for part in ("salt", "nonce", "sealed"):
        assert len({form["seal"][part] for form in forms}) == len(forms)


def test_a_terminal_is_asked_twice_and_shows_nothing(tmp_path):
    """The passphrase is typed on a terminal of its own, and never echoed."""
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "kerege.node", "keys", "new", "typed", "--folder", str(tmp_path), "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb"}
    with subprocess.Popen(
        command, stdin=secondary, stdout=subprocess.PIPE, stderr=secondary, env=env, start_new_session=True
    ) as asked:
        os.close(secondary)
        shown = b""
        for prompt in (b"Passphrase of typed", b"Repeat"):
            while prompt not in shown:
                if not select.select([primary], [], [], 20)[0]:
                    asked.kill()
                    pytest.fail(f"no prompt after {shown!r}")
                shown += os.read(primary, 1024)
            while termios.tcgetattr(primary)[3] & termios.ECHO:  # what is typed before is thrown away
                assert asked.poll() is None
            os.write(primary, PASSPHRASE.encode() + b"\n")
        assert asked.stdout is not None
        assert json.loads(asked.stdout.read())["name"] == "typed"
        assert asked.wait(20) == 0
    os.close(primary)
    assert PASSPHRASE.encode() not in shown
    assert store.open_key(store.read_key(tmp_path / "typed.json"), PASSPHRASE).public
