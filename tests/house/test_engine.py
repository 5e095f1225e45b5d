"""`make engine`: one sentence with the cure where it cannot be done, and nothing but the pinned module is taken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import engine

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `.tools`, no modules fetched yet."""
    monkeypatch.setattr(engine, "TOOLS", tmp_path / "tools")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "tools"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert engine.main(list(arguments)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_an_engine_that_nobody_has_tried_is_refused(tools, capsys):
    assert "v0.37.0 is no engine that Kerege runs on; choose one of v0.38.25, v0.40.0" in said(capsys, "v0.37.0")


def test_without_go_and_network_one_sentence_says_so(tools, capsys, monkeypatch):
    monkeypatch.setenv("GO", "/nowhere/go")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{NOWHERE}/simple")
    assert "the package index cannot be reached; connect this machine" in said(capsys)


def test_without_network_one_sentence_says_so(tools, capsys, monkeypatch):
    if engine.find_go() is None:
        pytest.skip("no Go on this machine: make engine fetches one")
    monkeypatch.setenv("GOPROXY", NOWHERE)
    assert "Go's module proxy cannot be reached; connect this machine" in said(capsys)
    assert not list(tools.glob("cometbft*"))


def test_an_old_go_is_not_taken(tmp_path, monkeypatch):
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.21.4\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("GO", str(old))
    assert engine.find_go() is None


def test_a_binary_of_another_module_is_refused():
    versions, go = engine.installed(), engine.find_go()
    if not versions or go is None:
        pytest.skip("no CometBFT in .tools: make engine")
    path = engine.binary(versions[0])
    engine.check(go, path, versions[0])
    other = next(version for version in engine.ENGINES if version != versions[0])
    with pytest.raises(engine.Stop, match="was not built from the pinned module"):
        engine.check(go, path, other)
    with pytest.raises(engine.Stop, match="it says nothing"):
        engine.check(go, Path(sys.executable), versions[0])


def test_the_binary_says_its_version():
    if engine.DEFAULT not in engine.installed():
        pytest.skip(f"CometBFT {engine.DEFAULT} is not in .tools: make engine")
    done = subprocess.run([engine.binary(), "version"], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == engine.DEFAULT.removeprefix("v")
