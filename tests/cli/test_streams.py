"""Standard streams as others leave them: closed, full, or in an encoding without Cyrillic."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import environment

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def shell(words: str, *, encoding: str = "utf-8", **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program by a shell, which opens and closes its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m kerege.node {words}"],
        capture_output=True,
        check=False,
        encoding=encoding,
        env={**environment(), **env},
        timeout=60,
    )


@pytest.mark.parametrize(("bundle", "code"), [("certificate", 0), ("superseded", 3)])
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_the_exit_code_of_a_verdict_needs_no_stream(demo: Path, bundle: str, code: int, closed: str) -> None:
    done = shell(f"verify {demo}/{bundle}.json --trust {demo}/trust.json {closed}")
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("words", ["--help", "verify --help", "schema", "verify-ledger --home {home}"])
def test_a_full_device_is_told_in_one_sentence(copy: Path, words: str) -> None:
    done = shell(f"{words.format(home=copy)} > /dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left" in done.stderr


def test_letters_that_the_terminal_has_not_are_told_by_their_codes(home: Path) -> None:
    told = shell(f"keys list --home {home}", encoding="ascii", **ASCII)
    assert (told.returncode, told.stderr) == (0, "")
    assert "\\u0417" in told.stdout


def test_json_is_json_in_any_encoding(home: Path) -> None:
    plain, unicode = (shell(f"keys list --home {home} --json", **env) for env in (ASCII, {}))
    assert json.loads(plain.stdout) == json.loads(unicode.stdout)
    assert plain.stdout.isascii()


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path) + b"/\xff"
    done = subprocess.run(
        [sys.executable, "-m", "kerege.node", "show", "head", "--home", missing],
        capture_output=True,
        check=False,
        env=environment(),
        timeout=60,
    )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"is not a home" in done.stderr
