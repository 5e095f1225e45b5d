"""The comparison of Python versions finds interpreters that run, and fails on one root that differs."""

import sys
from pathlib import Path

from tools import versions


def test_the_python_of_this_run_is_found():
    assert sys.version_info[:2] in versions.interpreters()


def test_one_differing_root_fails(monkeypatch, capsys):
    monkeypatch.setattr(versions, "environments", lambda: iter([("a", Path("a")), ("b", Path("b"))]))
    monkeypatch.setattr(versions, "root", lambda python, _seed: "00" if python == Path("a") else "01")
    assert versions.main() == 1
    assert "2 different roots" in capsys.readouterr().err


def test_equal_roots_pass(monkeypatch, capsys):
    monkeypatch.setattr(versions, "environments", lambda: iter([("a", Path("a")), ("b", Path("b"))]))
    monkeypatch.setattr(versions, "root", lambda _python, _seed: "00")
    assert versions.main() == 0
    assert "one root under 6 runs" in capsys.readouterr().out
