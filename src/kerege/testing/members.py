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

from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.testing.cometbft import Engine, Rpc

SECONDS = 240.0
"""How long anything may take before it is held to be broken: a network is ten processes, and machines are busy."""


class Member:
    """An engine with its application; the one without a `first` is the validator, the others fetch from it.

    With `trusting`, the first one's RPC, it joins by state sync instead of by blocks.
    """

    def __init__(
        self, folder: Path, binary: Path, genesis: Genesis, first: "Member | None" = None, trusting: Rpc | None = None
    ) -> None:
        folder.mkdir()
        self.home, self.socket, self.log = Home(folder / "member"), folder / "s", folder / "application.log"
        self.application: subprocess.Popen[bytes] | None = None
        self._binary = binary
        create_replica(self.home, genesis, nation="kg", dev=True)
        self.port = free_port()
        settings = {
            ("p2p", "laddr"): f'"tcp://127.0.0.1:{self.port}"',
            ("p2p", "allow_duplicate_ip"): "true",
            ("p2p", "addr_book_strict"): "false",
        }
        if first is not None:
            settings["p2p", "persistent_peers"] = f'"{first.identity}@127.0.0.1:{first.port}"'
            if trusting is not None:
                settings |= _state_sync(first, trusting)
        self.engine = Engine(binary, folder / "engine", f"unix://{self.socket}", settings)
        file = self.engine.home / "config" / "genesis.json"
        if first is None:
            file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(genesis).hex()}))
        else:
            file.write_bytes((first.engine.home / "config" / "genesis.json").read_bytes())

    @property
    def identity(self) -> str:
        """What the engine calls itself among its peers."""
        command = [str(self._binary), "show-node-id", "--home", str(self.engine.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @contextmanager
    def running(self, *program: str, snapshot_every: int = 0) -> Iterator[Rpc]:
        """Both processes, until the context ends; the application as shipped, or another program of Python."""
        self.socket.unlink(missing_ok=True)
        command = [sys.executable, *(program or ("-m", "kerege.node.replica")), "--home", str(self.home.path)]
        command += ["--socket", str(self.socket), "--snapshot-every", str(snapshot_every)]
        with self.log.open("ab") as log:
            self.application = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"}, stderr=log)
        try:
            with self.engine:
                wait_for(self.socket.exists)
                yield self.engine.start()
        finally:
            self.application.terminate()
            self.application.wait(SECONDS)


def _state_sync(first: Member, rpc: Rpc) -> dict[tuple[str, str], str]:
    """Settings to join from a member: one trusted block is all that is believed of it."""
    block = rpc.call("commit", height="1")["signed_header"]["commit"]["block_id"]["hash"]
    server = f"unix://{first.engine.home}/rpc"
    told = {
        "enable": "true",
        "rpc_servers": f'"{server},{server}"',
        "trust_height": "1",
        "trust_hash": f'"{block}"',
        "discovery_time": '"5s"',
        "chunk_request_timeout": '"5s"',
    }
    return {("statesync", key): value for key, value in told.items()}


def standing(rpc: Rpc) -> tuple[int, str]:
    """Height and app hash of a member's application."""
    told = rpc.call("abci_info")["response"]
    return int(told.get("last_block_height", 0)), told.get("last_block_app_hash", "")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Until something is true; raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)
