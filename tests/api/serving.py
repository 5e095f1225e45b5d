"""An API over a real ledger in this process, and the officials who use it."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kerege.api import create_app
from kerege.api.octets import from_base64url, to_base64url
from kerege.api.serving import make_server
from kerege.kernel.messages import Message
from kerege.kernel.transaction import Body
from kerege.modules.disclosure.messages import StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.node import devkeys
from kerege.node.async_wire import AsyncSubmitter
from kerege.node.home import Home
from kerege.node.ledger import Ledger, open_ledger
from kerege.node.wire import SocketDoor
from kerege.node.workplace import read_nation
from kerege.testing.signers import Ed25519Signer

HOUR = 3_600_000
OCTETS = {"content-type": "application/octet-stream"}
OFFICER = "data-protection-officer"


@dataclass(frozen=True)
class Api:
    """A served ledger."""

    port: int
    home: Home
    ledger: Ledger
    server: Any

    def client(self, **options: Any) -> httpx.Client:
        """A client whose addresses begin behind /api/v1."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=20, **options)

    def signer(self, role: str = OFFICER) -> Ed25519Signer:
        """The throw-away key of somebody of a role."""
        name = next(name for name, _ in devkeys.list_keys(self.home) if name.endswith(f"/{role}"))
        return Ed25519Signer(devkeys.read_key(self.home, name).seed)

    def sign(self, *messages: Message, ahead: int = 0, role: str = OFFICER) -> bytes:
        """A signed transaction, `ahead` places after the sender's next one."""
        signer, door = self.signer(role), self.ledger.door
        body = Body(
            ledger=door.ledger,
            sender=signer.address,
            lane=0,
            sequence=door.next_sequence(signer.address) + ahead,
            valid_until=max(door.head().time, time.time_ns() // 1_000_000) + HOUR,
            salt=os.urandom(16),
            messages=list(messages),
        )
        return signer.transaction(body)


def job() -> StartJob:
    """A message that an officer may send any number of times."""
    return StartJob(os.urandom(16), JobKind.CHECK)


def text_of(raw: bytes) -> str:
    """base64url, as the API takes bytes in JSON."""
    return to_base64url(raw)


def bytes_of(text: str) -> bytes:
    """The reverse."""
    return from_base64url(text)


@contextmanager
def served(raion: Home, folder: Path) -> Iterator[Api]:
    """A copy of the raion, its node, and an HTTP server before its socket as the web worker has it."""
    home = Home(folder / "home")
    shutil.copytree(raion.path, home.path)
    pack, trust = read_nation("kg"), home.trust.read_bytes()
    with open_ledger(home) as ledger:
        ledger.serve()
        with SocketDoor(home.socket) as door:
            submitter = AsyncSubmitter(home.socket)
            app = create_app(lambda: door, pack.texts, trust, submitter=submitter, stream_seconds=30)
            with listening(app) as (port, server):
                yield Api(port, home, ledger, server)


@contextmanager
def listening(app: Any) -> Iterator[tuple[int, Any]]:
    """A server for an application on a port of its own: (port, server)."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = make_server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield bound.getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(20)
        bound.close()
