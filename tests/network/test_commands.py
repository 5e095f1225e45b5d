"""`kerege network …` as somebody at a terminal uses it: found, start, ask, submit, kill, stop, look."""

import json
import os
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from kerege.node.home import Home, write_private
from kerege.node.network.layout import Member, Network, read_network
from kerege.testing.members import wait_for

ROOT = Path(__file__).parents[2]


def kerege(*words: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    command = [sys.executable, "-m", "kerege.node", *map(str, words)]
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=settings, timeout=200)


def told(*words: str | Path) -> object:
    """What it prints as JSON; it must succeed."""
    done = kerege(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def processes(folder: Path) -> list[str]:
    """Command lines over a folder."""
    listed = subprocess.run(["ps", "-axww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


@pytest.mark.engine
@pytest.mark.parametrize("count", ["0", "17", "-1", "x"])
def test_a_number_of_validators_that_makes_no_network(tmp_path, count):
    done = kerege("network", "init", "--home", tmp_path / "net", "--validators", count)
    assert done.returncode == 2
    assert not (tmp_path / "net").exists()


def test_without_an_engine_it_says_how_to_get_one(tmp_path):
    done = kerege("network", "init", "--home", tmp_path / "net", environment={"KEREGE_ENGINE": "/nowhere"})
    assert done.returncode == 2
    assert "make engine" in done.stderr
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize("command", [["up"], ["up", "--detach"], ["down"], ["status"], ["logs"], ["rejoin", "x"]])
def test_where_no_network_is(tmp_path, command):
    done = kerege("network", *command, "--home", tmp_path)
    assert done.returncode == 2
    assert "kerege network init" in done.stderr


UP = [["up"], ["up", "--detach"]]


@pytest.mark.parametrize("command", [*UP, ["down"], ["status"], ["logs"], ["rejoin", "x"]])
def test_a_network_of_nobody_is_told_with_the_cure(tmp_path, command):
    about = {"format": 1, "ledger": "kg-test", "nation": "kg", "members": []}
    write_private(Home(tmp_path).network, json.dumps(about).encode())
    done = kerege("network", *command, "--home", tmp_path)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert f"{Home(tmp_path).network} names no member that votes (0 in all)" in done.stderr
    assert "restore it from a backup" in done.stderr


@pytest.mark.parametrize("command", UP)
def test_a_folder_in_which_no_member_lies_starts_nothing(tmp_path, command):
    member = Member("national-bank", votes=True, peers=1, rpc=2, metrics=3, power=1)
    Network(tmp_path, "kg-test", "kg", (member,)).write()
    done = kerege("network", *command, "--home", tmp_path)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert f"no member of kg-test lies in {tmp_path}" in done.stderr
    assert f"{tmp_path}/network/national-bank" in done.stderr


def test_a_home_of_another_kind_is_not_founded_anew(tmp_path):
    assert kerege("init", "--home", tmp_path / "one", "--nation", "kg", "--dev").returncode == 0
    done = kerege("network", "up", "--home", tmp_path / "one")
    assert done.returncode == 2
    assert "is a home, but no network's" in done.stderr
    assert "run `kerege network init" not in done.stderr


@pytest.mark.engine
def test_validators_serve_no_clients_and_say_who_does(tmp_path):
    home = tmp_path / "net"
    assert kerege("network", "init", "--home", home, "--validators", "1", "--no-node").returncode == 0
    for folder, sentence in ((home, "of a network without node"), (home / "network/national-bank", "a validator's")):
        done = kerege("show", "head", "--home", folder)
        assert done.returncode == 2
        assert sentence in done.stderr


@pytest.mark.engine
def test_a_network_from_beginning_to_end(tmp_path):
    """One story, because a network takes seconds to start."""
    home = tmp_path / "a net"
    assert kerege("network", "init", "--home", home, "--validators", "4").returncode == 0
    again = kerege("network", "init", "--home", home, "--validators", "4")
    assert again.returncode == 2
    assert "is a home already" in again.stderr
    alone = kerege("up", "--home", home)
    assert alone.returncode == 2
    assert "kerege network up" in alone.stderr
    network = read_network(home)
    check_folders(network)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", network.members[2].rpc))
        taken.listen()
        refused = kerege("network", "up", "--home", home, "--detach")
        assert refused.returncode == 2
        assert f"port {network.members[2].rpc} of {network.members[2].name} is in use" in refused.stderr

    told("network", "up", "--home", home, "--detach")
    try:
        check_running(home)
        stop_at_once(network)
        (long := tmp_path / ("t" * 90)).mkdir()
        started = kerege("network", "up", "--home", home, "--detach", environment={"TMPDIR": str(long)})
        assert started.returncode == 0, "sockets have short paths wherever temporary files go"
        first = told("network", "status", "--home", home)
        assert isinstance(first, list)
        assert min(row["height"] for row in first) > 1, "it goes on where it was"
    finally:
        assert told("network", "down", "--home", home) == {"stopped": True}
    assert processes(home) == []
    assert told("network", "down", "--home", home) == {"stopped": False}
    rows = told("network", "status", "--home", home)
    assert isinstance(rows, list)
    assert [(row["running"], row["height"]) for row in rows] == [(False, None)] * 4
    for member in network.members:
        report = told("verify-ledger", "--home", network.home(member).path)
        assert isinstance(report, dict)
        assert report["ok"]


def check_folders(network: Network) -> None:
    """Validators have no dossiers and no keys of offices; every changed setting has its reason above it."""
    for member in network.validators:
        names = {path.name for path in network.home(member).path.iterdir()}
        assert names == {"engine", "home.json", "node", "offer.json", "store"}
    for member in network.members:
        lines = (network.engine(member) / "config" / "config.toml").read_text(encoding="utf-8").splitlines()
        changed = [line for before, line in pairwise(lines) if before.startswith("# Kerege: ")]
        assert "create_empty_blocks = false" in changed
        assert f'laddr = "tcp://127.0.0.1:{member.rpc}"' in changed
    keys = {(network.home(member).secrets / "checkpoint.key").read_bytes() for member in network.validators}
    assert len(keys) == 4


def check_running(home: Path) -> None:
    """It takes transactions, all come to the same, and a second supervisor is refused."""
    for words in ([], ["--detach"]):
        second = kerege("network", "up", "--home", home, *words)
        assert second.returncode == 2, second.stdout
        assert f"runs already: see `kerege network status --home '{home}'`" in second.stderr
    sent = kerege("accounts", "set-guardians", "--help")
    assert sent.returncode == 0
    done = kerege(
        "accounts",
        "set-guardians",
        "--home",
        home,
        "--as",
        "ГНС-1/tax-officer",
        "--guardians",
        "[]",
        "--threshold",
        "0",
    )
    assert done.returncode == 0, done.stderr + done.stdout

    def alike() -> bool:
        rows = told("network", "status", "--home", home, "--all")
        assert isinstance(rows, list)
        assert len(rows) == 5
        return len({(row["height"], row["app_hash"]) for row in rows}) == 1 and rows[0]["height"] >= 2

    wait_for(alike)
    validators = told("network", "status", "--home", home)
    assert isinstance(validators, list)
    assert [row["catching_up"] for row in validators] == [False] * 4
    note = kerege("checkpoint", "--home", home)
    assert note.stdout.count("— kerege/") >= 3
    logs = kerege("network", "logs", "--home", home, "--member", "node")
    assert "at height" in logs.stdout


def stop_at_once(network: Network) -> None:
    """Whoever runs the network is killed: nothing of it stays."""
    os.kill(int(network.lock.read_text(encoding="utf-8")), signal.SIGKILL)
    wait_for(lambda: not processes(network.path))
