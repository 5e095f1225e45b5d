"""Real homes, each made once and copied for who changes it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from kerege.cli import keystore as keystore_module
from tests.cli.program import ROOT, kerege

PASSPHRASE = "тоо-суу-кыргый 7"
USED = {"data-protection-officer", "import-officer", "gateway"}
"""Roles whose throw-away keys commands look for."""
POSTS = {
    "minister": ("МЮ-1", "minister-justice"),
    "banker": ("НБКР-1", "central-banker"),
    "registrar": ("ЗАГС-708203", "registrar"),
}


@pytest.fixture(autouse=True)
def _nobodys_keys(tmp_path, monkeypatch):
    """No key, language or database of who runs the tests."""
    monkeypatch.setenv("KEREGE_KEYS", str(tmp_path / "keystore"))
    for name in ("KEREGE_PASSPHRASE", "KEREGE_LANG", "KEREGE_DATABASE", "KEREGE_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def dev_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("dev") / "home"
    done = kerege("init", "--home", home, "--nation", "kg", "--dev")
    assert done.code == 0, done
    for path in (home / "dev-keys").iterdir():  # hundreds of offices make slow copies
        if not path.stem.partition("--")[0].endswith("708203") and path.stem.partition("--")[2] not in USED:
            path.unlink()
    return home


@pytest.fixture
def home(dev_home, tmp_path) -> Path:
    """A fresh ledger with throw-away keys."""
    return Path(shutil.copytree(dev_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    command = [sys.executable, "-m", "kerege.testing.demo", "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    return folder


@pytest.fixture
def copy(demo, tmp_path) -> Path:
    """A copy of the demo's home."""
    return Path(shutil.copytree(demo / "home", tmp_path / "home"))


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keystore with a sealed key of every founding official, at the lowest cost that a file may name."""
    folder = tmp_path_factory.mktemp("sealed") / "keys"
    with mock.patch.object(keystore_module, "COST", 2**14):
        for name in POSTS:
            done = kerege("keys", "new", name, "--folder", folder, env={"KEREGE_PASSPHRASE": PASSPHRASE})
            assert done.code == 0, done
    return folder


@pytest.fixture
def keystore(sealed, monkeypatch, tmp_path) -> Path:
    """A copy of that keystore, as the user's own."""
    folder = Path(shutil.copytree(sealed, tmp_path / "keystore"))
    monkeypatch.setenv("KEREGE_KEYS", str(folder))
    return folder


@pytest.fixture(scope="session")
def founders(sealed) -> dict[str, Any]:
    """The content of a founders' file with those keys."""
    publics = {name: json.loads((sealed / f"{name}.json").read_text())["public"] for name in POSTS}
    officials = [{"office": o, "role": r, "key": publics[name]} for name, (o, r) in POSTS.items()]
    return {"format": "kerege-founders/1", "officials": officials}


@pytest.fixture(scope="session")
def founded_once(founders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    (folder / "founders.json").write_text(json.dumps(founders))
    done = kerege("init", "--home", folder / "home", "--keys", folder / "founders.json")
    assert done.code == 0, done
    return folder / "home"


@pytest.fixture
def founded(founded_once, tmp_path) -> Path:
    """A fresh ledger whose officials hold sealed keys."""
    return Path(shutil.copytree(founded_once, tmp_path / "founded"))
