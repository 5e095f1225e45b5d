"""Institutions that do not trust each other found a network by commands; others join by the boards' decision."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kerege.node.home import Home
from kerege.node.network.keys import OF_NODE, OF_VALIDATOR, read_key
from kerege.node.network.layout import read_network
from kerege.node.network.ports import EACH, free_ports
from kerege.testing.members import wait_for
from tests.cli.program import environment, kerege
from tests.network.test_commands import kerege as process

pytestmark = pytest.mark.engine

LEDGER = "kg-trial"
CONTROLLER = "civil-registration-authority"
FOUNDERS = ("national-bank", "digital-ministry", CONTROLLER, "accounts-chamber")
NEWCOMER, LATER = "tax-service", "courts"
SPEAKERS = ("НБКР-1/central-banker", "МЦР-1/system-operator", "СП-1/auditor")
HOUR = 3_600


def done(*words: str | Path) -> Any:
    """What a command prints as JSON; it must succeed."""
    found = kerege(*words, "--json")
    assert found.code == 0, found
    return found.json


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Whatever is started in it is stopped in the end."""
    try:
        yield
    finally:
        for home in folder.iterdir():
            if (home / "network" / "network.json").is_file():
                kerege("network", "down", "--home", home)


def offer(folder: Path, institution: str, port: int, *more: str) -> Path:
    """An institution's own machine is a folder here."""
    words = ("--home", folder / institution, "--ledger", LEDGER, "--institution", institution, "--port", str(port))
    return Path(done("network", "offer", *words, *more)["offer"])


def up(*homes: Path) -> None:
    """Each starts its own, at about the same time, in a process that its supervisor outlives."""
    with ThreadPoolExecutor(len(homes)) as pool:
        for found in pool.map(lambda home: process("network", "up", "--home", home, "--detach"), homes):
            assert found.returncode == 0, found


def rows(home: Path) -> dict[str, dict[str, Any]]:
    """How the members stand, as one of them sees it."""
    return {row["name"]: row for row in done("network", "status", "--home", home, "--all")}


def check_private(folder: Path, shown: bytes) -> None:
    """Private keys are for their owner only, and in nothing that anybody is given."""
    for name in FOUNDERS:
        homes: dict[Path, tuple[str, ...]] = {folder / name / "network" / name: OF_VALIDATOR}
        homes |= {folder / name: OF_NODE} if name == CONTROLLER else {}
        for home, uses in homes.items():
            for use in uses:
                seed = bytes(read_key(Home(home), use))
                assert seed not in shown
                assert seed.hex().encode() not in shown
    files = [path for name in ("priv_validator_key.json", "node_key.json", "*.key") for path in folder.rglob(name)]
    assert len(files) == 3 * 5, "the engine of the node has a key of blocks too, which counts nowhere"
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def decide(home: Path, board: str, messages: str, members: tuple[str, ...]) -> None:
    """The first member proposes, the others approve what they read."""
    file, number = home.parent / f"{board}.json", secrets.token_hex(16)
    file.write_text(messages)
    words = ("--home", home, "--proposal", number)
    expires = str((int(time.time()) + HOUR) * 1_000)
    asked = ("--board", board, "--messages", f"@{file}", "--expires", expires, "--as", members[0])
    done("authority", "propose", *words, *asked)
    read = done("show", "proposal", number, "--home", home)
    assert read["messages"] == json.loads(messages)
    for member in members[1:]:
        done("authority", "approve", *words, "--content", read["content"], "--as", member)


def act(home: Path) -> None:
    """A transaction that changes something."""
    words = ("--guardians", "[]", "--threshold", "0")
    done("accounts", "set-guardians", "--home", home, "--as", "МЮ-1/minister-justice", *words)


def test_four_found_a_network_and_others_join_it(tmp_path_factory):
    """One story, because a network takes seconds to start."""
    tmp_path = tmp_path_factory.mktemp("f")  # homes have sockets, whose paths are short
    ports = free_ports(EACH * 7)[::EACH]
    offers = [offer(tmp_path, name, port) for name, port in zip(FOUNDERS, ports, strict=False)]
    offers.append(offer(tmp_path, CONTROLLER, ports[4], "--node"))
    document, node = tmp_path / "founding.json", tmp_path / CONTROLLER
    collected = done("network", "collect", *reversed(offers), "--ledger", LEDGER, "--dev", node, "--out", document)
    check_private(tmp_path, document.read_bytes() + b"".join(path.read_bytes() for path in offers))
    for name in FOUNDERS:
        told = done("network", "accept", document, "--home", tmp_path / name, "--hash", collected["hash"])
        assert told["hash"] == sha256(document.read_bytes()).hexdigest()
        assert told["validators"] == list(FOUNDERS)
        assert told["here"] == ([name, "node"] if name == CONTROLLER else [name])
    with running(tmp_path):
        check_begins(tmp_path)
        check_joins(tmp_path, document, ports[5])
        check_joins_by_snapshot(tmp_path, document, ports[6])
    for name in (*FOUNDERS, NEWCOMER, LATER):
        network = read_network(tmp_path / name)
        assert all(done("verify-ledger", "--home", network.home(member).path)["ok"] for member in network.here)


def check_begins(folder: Path) -> None:
    """Nobody begins alone; with three of four there are blocks, and all come to the same."""
    up(*(folder / name for name in FOUNDERS[:2]))
    assert {rows(folder / name)[name]["height"] for name in FOUNDERS[:2]} == {0}
    up(*(folder / name for name in FOUNDERS[2:]))
    wait_for(lambda: all((folder / name / "network" / name / "trust.json").is_file() for name in FOUNDERS))
    wait_for((folder / CONTROLLER / "run" / "ledger.sock").exists)
    act(folder / CONTROLLER)
    wait_for(lambda: alike(folder))
    trusted = {(folder / name / "network" / name / "trust.json").read_bytes() for name in FOUNDERS}
    assert trusted == {(folder / CONTROLLER / "trust.json").read_bytes()}


def alike(folder: Path) -> bool:
    """All that the controller knows stand at one height with one root."""
    found = rows(folder / CONTROLLER).values()
    return len({(row["height"], row["app_hash"]) for row in found}) == 1 and all(row["height"] for row in found)


def check_joins(folder: Path, document: Path, port: int) -> None:
    """It follows first, and votes once the boards have decided: without its vote the network would stand."""
    node, home = folder / CONTROLLER, folder / NEWCOMER
    made = offer(folder, NEWCOMER, port)
    told = done("network", "join", document, "--home", home, "--trust", node / "trust.json")
    assert told["here"] == [NEWCOMER]
    up(home)
    wait_for(lambda: rows(home)[NEWCOMER]["height"] == rows(node)[CONTROLLER]["height"])
    government = ("МЮ-1/minister-justice", "МФ-1/treasurer")
    decide(node, "government", kerege("network", "register", made).out, government)
    decide(node, "consensus", kerege("network", "seat", made, "--home", node, "--power", "10").out, SPEAKERS)
    newest = done("show", "validators", "--home", node)["sets"][-1]["validators"]
    assert {each["institution"]: each["power"] for each in newest} == dict.fromkeys((*FOUNDERS, NEWCOMER), 10)
    done("network", "down", "--home", node)
    assert NEWCOMER in done("network", "introduce", made, "--home", node)["members"]
    up(node)
    wait_for((node / "run" / "ledger.sock").exists)
    done("network", "down", "--home", folder / FOUNDERS[3])
    act(node)
    assert f"/{NEWCOMER} " in kerege("checkpoint", "--home", node).out
    up(folder / FOUNDERS[3])
    wait_for(lambda: alike(folder))


def check_joins_by_snapshot(folder: Path, document: Path, port: int) -> None:
    """Two members have made a snapshot; the engine of the third begins above the first block."""
    node = folder / CONTROLLER
    height = rows(node)[CONTROLLER]["height"]
    for name in FOUNDERS[:2]:
        words = ("--home", str(folder / name / "network" / name), "--height", str(height))
        command = [sys.executable, "-m", "kerege.node.snapshots", *words]
        subprocess.run(command, check=True, env=environment(), capture_output=True, stdin=subprocess.DEVNULL)
    act(node)
    act(node)
    offer(folder, LATER, port)
    done("network", "join", document, "--home", folder / LATER, "--trust", node / "trust.json", "--snapshot")
    up(folder / LATER)
    wait_for(lambda: (rows(folder / LATER)[LATER]["height"] or 0) >= height + 2)
    wait_for(lambda: rows(folder / LATER)[LATER]["app_hash"] == rows(node)[CONTROLLER]["app_hash"])
