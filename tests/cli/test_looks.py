"""`kerege show looks`: pages that together are every look, once, the newest first."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ACCEPTOR, REFUSED, REGISTRAR, environment, kerege, look, write_message

CASES = ("c1" * 16, "c2" * 16)
REFERENCES = ("d1" * 32, "d2" * 32)
ALL = 7


@pytest.fixture(scope="module")
def looked(dev_home, tmp_path_factory) -> Path:
    """Seven looks by two officers, for two cases, at two dossiers; four of them in one block."""
    folder = tmp_path_factory.mktemp("looked")
    home = Path(shutil.copytree(dev_home, folder / "home"))
    messages = [look(f"{n:02x}" * 16, CASES[n % 2], REFERENCES[n % 3 == 0]) for n in range(ALL)]
    for officer, part in ((REGISTRAR, messages[:4]), (ACCEPTOR, messages[4:5]), (REGISTRAR, messages[5:])):
        office = officer.partition("/")[0]
        file = write_message(folder / "messages.json", [{**message, "office": office} for message in part])
        done = kerege("submit", file, "--home", home, "--as", officer)
        assert done.code == 0, done
    return home


def shown(home: Path, *words: str):
    done = kerege("show", "looks", "--home", home, "--json", *words)
    assert done.code == 0, done
    return done.json


def pages(home: Path, size: int, option: str, *words: str) -> list[list[str]]:
    found: list[list[str]] = []
    after: tuple[str, ...] = ()
    while page := [row["access"] for row in shown(home, "--limit", str(size), *after, *words)]:
        found.append(page)
        after = (option, page[-1])
    return found


# Refused


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x"])
def test_a_limit_out_of_bounds(looked, limit):
    done = kerege("show", "looks", "--home", looked, "--limit", limit)
    assert (done.code, done.out) == (2, "")
    assert "--limit" in done.err


@pytest.mark.parametrize("option", ["--after", "--before", "--case", "--reference"])
@pytest.mark.parametrize("given", ["x", "C1" * 16, "c1" * 33])
def test_an_id_that_is_none(looked, option, given):
    kerege("show", "looks", "--home", looked, option, given).one_sentence("is not an id")


@pytest.mark.parametrize("given", ["x", "kg1qqqq", "uz1qpgggnynh4kmudc655n362yzq65a4px9q84frr"])
def test_an_officer_that_is_none(looked, given):
    kerege("show", "looks", "--home", looked, "--officer", given).one_sentence("is not an address", "kg1")


def test_a_page_after_a_look_that_is_not_there(looked):
    kerege("show", "looks", "--home", looked, "--after", "ee" * 16).one_sentence("there is no look", code=REFUSED)


# Shown


@pytest.mark.parametrize(("size", "option"), [(1, "--after"), (3, "--before"), (6, "--after"), (7, "--after")])
def test_pages_are_every_look_once_the_newest_first(looked, size, option):
    whole = shown(looked)
    found = pages(looked, size, option)
    assert [access for page in found for access in page] == [row["access"] for row in whole]
    assert all(len(page) == size for page in found[:-1])
    assert len(whole) == len({row["access"] for row in whole}) == ALL
    assert [row["when"] for row in whole] == sorted((row["when"] for row in whole), reverse=True)


def test_filters_and_their_pages(looked):
    address = kerege("keys", "address", ACCEPTOR, "--home", looked).out.strip()
    for words, expected in (
        (("--case", CASES[1]), {1, 3, 5}),
        (("--reference", REFERENCES[1]), {0, 3, 6}),
        (("--officer", address), {4}),
        (("--case", CASES[0], "--reference", REFERENCES[1]), {0, 6}),
        (("--case", CASES[0], "--officer", address), {4}),
        (("--case", CASES[1], "--officer", address), set()),
        (("--case", "ee" * 16), set()),
    ):
        whole = [row["access"] for row in shown(looked, *words)]
        assert {int(access[:2], 16) for access in whole} == expected, words
        assert [access for page in pages(looked, 2, "--after", *words) for access in page] == whole


def test_people_see_a_table(looked):
    done = kerege("show", "looks", "--home", looked, "--limit", "2")
    assert done.code == 0
    assert "no-case" in done.out
    assert json.dumps(shown(looked)[0]["access"])[1:-1] in done.out


@pytest.mark.parametrize("width", [40, 80, 120, 260])
def test_a_terminal_shows_every_value_unbroken_or_on_lines_of_its_own(looked, width):
    """A table of ten columns on a narrow one would be a column of letters."""
    seen = on_a_terminal(width, "show", "looks", "--home", looked, "--limit", "2")
    assert max(map(len, seen.splitlines())) <= width
    for row in shown(looked, "--limit", "2"):
        told = (row["when"], row["access"], row["office"], row["role"], row["ground"])
        assert [each for each in told if each not in seen and len(each) + 12 <= width] == []
    assert ("│" in seen) == (width == 260)


def on_a_terminal(width: int, *words: str | Path) -> str:
    primary, secondary = pty.openpty()
    variables = {**environment(), "COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "kerege.node", *map(str, words)]
    with subprocess.Popen(command, stdin=secondary, stdout=secondary, env=variables) as asked:
        os.close(secondary)
        seen = b""
        while True:
            try:
                part = os.read(primary, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
    os.close(primary)
    assert asked.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
