"""Members of a network with real engines, one validator and others that follow it, each as two processes."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.testing.cometbft import Engine, Rpc
from tests.consensus.test_replica import HOUR, pay, wait_for_sequence
from tools.engine import DEFAULT, binary, installed

needs_engine = pytest.mark.skipif(DEFAULT not in installed(), reason="no CometBFT in .tools: make engine")

EVERY = 10
SECONDS = 60


class Member:
    """An engine with its application, each a process; the first one is the validator."""

    def __init__(self, folder: Path, genesis: Genesis, first: "Member | None" = None, **sync: str) -> None:
        folder.mkdir()
        self.home, self.socket, self.log = Home(folder / "member"), folder / "s", folder / "application.log"
        create_replica(self.home, genesis, nation="kg", dev=True)
        self.port = free_port()
        settings = {
            ("p2p", "laddr"): f'"tcp://127.0.0.1:{self.port}"',
            ("p2p", "allow_duplicate_ip"): "true",
            ("p2p", "addr_book_strict"): "false",
        }
        if first is not None:
            settings["p2p", "persistent_peers"] = f'"{first.identity}@127.0.0.1:{first.port}"'
        settings |= {("statesync", key): value for key, value in sync.items()}
        self.engine = Engine(binary(DEFAULT), folder / "engine", f"unix://{self.socket}", settings)
        file = folder / "engine" / "config" / "genesis.json"
        if first is None:
            file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(genesis).hex()}))
        else:
            file.write_bytes((first.engine.home / "config" / "genesis.json").read_bytes())

    @property
    def identity(self) -> str:
        command = [str(binary(DEFAULT)), "show-node-id", "--home", str(self.engine.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @contextmanager
    def running(self, *program: str) -> Iterator[Rpc]:
        """Both processes; the application as shipped, or another program."""
        self.socket.unlink(missing_ok=True)
        command = [sys.executable, *(program or ("-m", "kerege.node.replica")), "--home", str(self.home.path)]
        command += ["--socket", str(self.socket), "--snapshot-every", str(EVERY)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"}, stderr=log)
        try:
            with self.engine:
                wait_for(self.socket.exists)
                yield self.engine.start()
        finally:
            process.terminate()
            process.wait(SECONDS)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def send(rpc: Rpc, sequences: range, now: int) -> None:
    """One payment a block."""
    for sequence in sequences:
        assert rpc.submit(pay("alice", sequence, until=now + HOUR)) == 0
        wait_for_sequence(rpc, "alice", sequence + 1)


def app_hash(rpc: Rpc) -> tuple[str, str]:
    told = rpc.call("abci_info")["response"]
    return told.get("last_block_height", "0"), told.get("last_block_app_hash", "")
