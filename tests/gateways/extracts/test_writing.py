"""A file of results appears whole or not at all, and what a kill left of it goes with the next one."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kerege.gateways.extracts.writing import Replacement

MAKER = """
import sys, time
from pathlib import Path
from kerege.gateways.extracts.writing import Replacement
file = Replacement(Path(sys.argv[1])).open()
file.write(b"a name")
file.flush()
print("open", flush=True)
time.sleep(60)
"""


def making(path: Path) -> "subprocess.Popen[str]":
    """A process that has the file in the making."""
    process = subprocess.Popen([sys.executable, "-c", MAKER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def hidden(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name.startswith("."))


def write(path: Path, content: bytes = b"whole") -> None:
    replacement = Replacement(path)
    replacement.open().write(content)
    replacement.close(keep=True)


def test_what_a_killed_process_left_goes_with_the_next_file_of_the_name(tmp_path):
    path = tmp_path / "o[1].csv"
    with making(path) as process:
        process.send_signal(signal.SIGKILL)
    assert len(hidden(tmp_path)) == 1
    write(path)
    assert hidden(tmp_path) == []
    assert path.read_bytes() == b"whole"


def test_what_another_process_makes_stays(tmp_path):
    path = tmp_path / "o.csv"
    with making(path) as process:
        before = hidden(tmp_path)
        write(path)
        assert hidden(tmp_path) == before
        process.kill()


@pytest.mark.parametrize("name", [".o.csv.0000.part", ".o.csv.00000000.part.bak", ".p.csv.00000000.part", "o.csv.part"])
def test_what_has_another_name_stays(tmp_path, name):
    (tmp_path / name).write_bytes(b"somebody's")
    write(tmp_path / "o.csv")
    assert (tmp_path / name).read_bytes() == b"somebody's"


def test_what_is_no_file_of_ours_stays(tmp_path):
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / ".o.csv.00000000.part").symlink_to(tmp_path / "kept")
    (tmp_path / ".o.csv.11111111.part").mkdir()
    write(tmp_path / "o.csv")
    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert len(hidden(tmp_path)) == 2


def test_many_who_make_one_file_at_once_each_place_theirs_whole(tmp_path):
    path = tmp_path / "o.csv"
    contents = [bytes([65 + number]) * 1_000 for number in range(8)]

    def make(content):
        for _ in range(30):
            write(path, content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(make, contents))
    assert hidden(tmp_path) == []
