"""`make demo` on a folder that it cannot have: one sentence, and what is there stays."""

import subprocess
import sys
from pathlib import Path

from kerege.node.home import Home
from kerege.node.ledger import open_ledger
from kerege.node.workplace import create_dev_home


def demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kerege.testing.demo", "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_home_that_a_node_has_open_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo" / "home")
    create_dev_home(home, "kg")
    with open_ledger(home) as ledger:
        done = demo(tmp_path / "demo")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("kerege: ")
        assert len(done.stderr.splitlines()) == 1
        assert ledger.door.head().height == 0
    open_ledger(home).close()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    done = demo(tmp_path / "demo")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert (tmp_path / "demo").read_text() == "mine"
