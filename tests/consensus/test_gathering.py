"""Signatures over the log are gathered from validators that nobody trusts: none may hold up, or end, a proof."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from kerege import proofs
from kerege.consensus import gathering
from kerege.consensus.checkpoints import CheckpointKey, Unprovable, origin_of, sign_checkpoint
from kerege.consensus.gathering import GatheredCheckpoints, Witness
from kerege.kernel.block import Head

LEDGER = "kg-test"
ORIGIN = origin_of(LEDGER)
HEAD = Head(7, 0, bytes(32), bytes(32), sha256(b"log").digest(), 40, [])
OTHER = Head(7, 0, bytes(32), bytes(32), sha256(b"another log").digest(), 40, [])

Answer = Callable[[BaseHTTPRequestHandler], None]


def key(name: str) -> CheckpointKey:
    return CheckpointKey(f"{ORIGIN}/{name}", sha256(name.encode()).digest())


def say(body: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def tell(result: Any) -> Answer:
    return say(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


def value(raw: bytes) -> Answer:
    return tell({"response": {"value": base64.b64encode(raw).decode()}})


def sign(*names: str, head: Head = HEAD) -> Answer:
    return value(sign_checkpoint(ORIGIN, head, [key(name) for name in names]).encode())


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever: no single wait is long."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for _ in range(1_000):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.02)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b" " * 65_536)


@contextmanager
def validators(*answers: Answer, power: int = 10) -> Iterator[list[Witness]]:
    """Each answers in its own way at an address of its own."""
    servers = []
    for answer in answers:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self, answer: Answer = answer) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                answer(self)

            def log_message(self, *_: object) -> None:
                """Not worth a line."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """The asker hung up."""

        servers.append(Quiet(("127.0.0.1", 0), Handler))
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield [
            Witness(key(name).name, key(name).public, power, f"http://127.0.0.1:{server.server_port}", b"")
            for name, server in zip("abcd", servers, strict=False)
        ]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


HONEST = (sign("a"), sign("b"), sign("c"))
BAD: dict[str, Answer] = {
    "nothing": say(b""),
    "no JSON": say(b"\xff"),
    "a list": say(b"[]"),
    "a number": say(b"1"),
    "deep": say(b"[" * 60_000),
    "no result": say(b"{}"),
    "another result": tell([1]),
    "no response": tell({}),
    "another response": tell({"response": []}),
    "no value": tell({"response": {"value": None}}),
    "a number as value": tell({"response": {"value": 5}}),
    "an error that is a word": say(b'{"error": "no"}'),
    "no note": value(b"junk"),
    "another's signature": sign("a"),
    "another log": sign("d", head=OTHER),
    "endless": endless,
    "silent": lambda _handler: time.sleep(5),
    "drip": drip,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_that_lies_or_is_silent_holds_up_nobody(bad: Answer):
    with validators(*HONEST, bad) as witnesses:
        begun = time.monotonic()
        gathered = GatheredCheckpoints(LEDGER, lambda _height: witnesses, "")
        assert gathered.covering(HEAD) == HEAD
        assert time.monotonic() - begun < gathering.ASK_SECONDS, "it is not waited for"
        signed = proofs.note.parse(gathered.sign(HEAD)).signatures
        assert [line.name[-1] for line in signed] == ["a", "b", "c"]
        assert gathered.newest == (7, 3)


@pytest.mark.parametrize("bad", [BAD["drip"], BAD["endless"], BAD["silent"]], ids=["drip", "endless", "silent"])
def test_exactly_two_thirds_are_not_enough_and_whoever_waits_is_told(bad: Answer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gathering, "ASK_SECONDS", 0.2)
    monkeypatch.setattr(gathering, "SECONDS", 0.5)
    with validators(*HONEST[:2], bad) as witnesses:
        gathered, told = GatheredCheckpoints(LEDGER, lambda _height: witnesses, ""), list[float]()

        def ask() -> None:
            begun = time.monotonic()
            with pytest.raises(Unprovable):
                gathered.covering(HEAD)
            told.append(time.monotonic() - begun)

        callers = [threading.Thread(target=ask) for _ in range(6)]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
        assert max(told) < 2, "they wait for the same, not one after another"
        until = time.monotonic() + 5
        while any(thread.name.startswith("gathering") for thread in threading.enumerate()):
            assert time.monotonic() < until, "whoever was asked in vain is hung up on"
            time.sleep(0.05)


def test_a_signature_that_came_is_asked_for_once():
    with validators(*HONEST, sign("d")) as witnesses:
        gathered = GatheredCheckpoints(LEDGER, lambda _height: witnesses, "")
        assert gathered.covering(HEAD) == HEAD
    assert len(proofs.note.parse(gathered.sign(HEAD)).signatures) == 4
    with pytest.raises(Unprovable, match="block 7"):
        GatheredCheckpoints(LEDGER, lambda _height: witnesses, "").sign(HEAD)


def test_who_signs_is_asked_for_each_block_anew():
    """One leaves, one comes that has not told its address: its power counts, its signature cannot."""
    with validators(*HONEST, sign("d")) as (a, b, c, d):
        silent = Witness("e", key("e").public, 10, "", b"")
        seated = {7: [a, b, c], 8: [b, c, d, silent], 9: [c, d, silent], 10: []}
        gathered = GatheredCheckpoints(LEDGER, seated.__getitem__, "")

        def signers(height: int) -> list[str]:
            head = msgspec.structs.replace(HEAD, height=height)
            return [line.name[-1] for line in proofs.note.parse(gathered.sign(head)).signatures]

        assert signers(7) == ["a", "b", "c"]
        assert signers(8) == ["b", "c", "d"]
        for height in (9, 10):
            with pytest.raises(Unprovable):
                signers(height)
