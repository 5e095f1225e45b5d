"""What a process started does not outlive it, also where it was killed: nobody keeps the home, the port or a table."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from kerege.node.home import Home
from kerege.node.ledger import open_ledger
from kerege.node.web import check_port
from kerege.node.workplace import create_dev_home
from tests.gateways.importing.desk import HEADER, rows_of
from tests.portal.pages.conftest import free_port

SECONDS = 20
pytestmark = pytest.mark.alone
ROOT = Path(__file__).parents[2]


@contextmanager
def started(*words: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The program, with nothing on its standard input, as an init system starts it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "kerege.node", *map(str, words)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """As when memory runs out."""
    process.kill()
    process.wait()


def over(home: Home) -> list[str]:
    """Command lines of all processes over a home."""
    told = subprocess.run(["ps", "-axww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if str(home.path) in line]


def until(done: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        if done():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def home(tmp_path) -> Home:
    """A fresh dev home."""
    made = Home(tmp_path / "home")
    create_dev_home(made, "kg")
    return made


def test_what_a_killed_node_started_ends_and_frees_the_port(home):
    """The node, the web worker and who follows for the tables."""
    port = free_port()
    with started("up", "--home", home.path, "--port", str(port)) as node:
        assert until(lambda: len(over(home)) == 3), over(home)
        assert until((home.path / "readmodel").exists)
        kill(node)
        assert until(lambda: not over(home)), over(home)
    check_port(port)
    open_ledger(home).close()


def test_a_node_that_a_killed_import_started_ends_with_its_own_processes(home, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *rows_of(1, 20_000), ""]))
    with started("import", "births", path, "--home", home.path) as importing:
        assert until(lambda: len(over(home)) == 3), over(home)
        kill(importing)
        assert until(lambda: not over(home)), over(home)
    open_ledger(home).close()


def test_an_import_goes_on_at_once_after_a_kill(home, tmp_path):
    """Also while the node of the killed one is still ending."""
    path, outcomes = tmp_path / "a.csv", tmp_path / "o.csv"
    path.write_text("\n".join([HEADER, *rows_of(1, 3_000), ""]))
    words = ("import", "births", path, "--home", home.path, "--outcomes", outcomes)
    for seconds in (0.2, 0.8):
        with started(*words) as importing:
            assert until(lambda: len(over(home)) == 3), over(home)
            time.sleep(seconds)
            kill(importing)
    with started(*words) as importing:
        assert importing.wait(SECONDS) == 0
    assert len(outcomes.read_text().splitlines()) == 3_001
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []
    assert until(lambda: not over(home)), over(home)


def test_a_node_without_standard_input_runs_until_it_is_told(home):
    """An init system closes it: that is nobody's end."""
    with started("up", "--home", home.path, "--no-read-model") as node:
        assert until(home.socket.exists)
        time.sleep(1)
        assert node.poll() is None
        node.terminate()
        assert node.wait(SECONDS) == 0


def test_what_ends_beside_a_node_is_started_again(tmp_path: Path) -> None:
    """The pages and the tables are there again, though whoever runs the node did nothing."""
    home, port = Home(tmp_path / "home"), free_port()
    create_dev_home(home, "kg")

    def processes(what: str) -> list[int]:
        told = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
        return [int(line.split()[0]) for line in told.splitlines() if str(home.path) in line and what in line]

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/health/live", timeout=2):
                return True
        except OSError:
            return False

    def replaced(what: str, old: int) -> bool:
        return any(each != old for each in processes(what))

    with started("up", "--home", home.path, "--port", str(port)):
        assert until(answers)
        # In this order: that the tables' process is there again shows that the node has begun to look after both.
        for what in ("readmodel follow", "web_worker"):
            (old,) = processes(what)
            os.kill(old, signal.SIGKILL)
            assert until(partial(replaced, what, old))
        assert until(answers)
