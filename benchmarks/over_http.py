"""A ledger and anvil over HTTP, asked by one and the same client: raw sockets, requests made beforehand."""

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from benchmarks.common import Bench, draw, fill, genesis, say, sign_all, throughput
from kerege.consensus.embedded import EmbeddedEngine
from kerege.node.home import Home
from kerege.node.ledger import create_ledger, open_ledger

CONNECTIONS = 8
BATCH = 200
MANY_CONNECTIONS = 32
"""Of batches, beside the few: with 8 no more than 1,600 transactions are under way, where the engine alone is measured
with 40,000, and what is compared is mostly the size of blocks."""
SINGLE, MANY = "/api/v1/transactions", "/api/v1/transactions/batch"
READS = 400


def request(path: str, body: bytes, media_type: str = "application/json") -> bytes:
    """The bytes of a POST on a connection that stays open."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def ask_all(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[bytes]]:
    """Seconds and the bodies of all answers, each connection one request at a time; raises where one is no 200."""
    answers: list[bytes] = [b""] * len(requests)
    failures: list[str] = []

    def work(first: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(first, len(requests), connections):
                connection.sendall(requests[number])
                status, answers[number] = _answer(connection)
                if status != 200:
                    failures.append(f"{status}: {answers[number][:200]!r}")
                    return

    threads = [Thread(target=work, args=(number,)) for number in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures or b"" in answers:
        raise OSError(failures[0] if failures else "a connection ended early")
    return seconds, answers


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:end].lower()
    at = head.index(b"content-length:") + 15
    size = int(head[at : (head + b"\r").index(b"\r", at)])
    body = received[end + 4 :]
    while len(body) < size:
        body += _more(connection)
    return int(head[9:12]), body


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 20)
    if not piece:
        raise OSError("the server hung up")
    return piece


def ledger(folder: Path, *, accounts: int, singles: int, batched: int) -> dict[str, Any]:
    """Transfers a second over HTTP, final and durable before answered, beside the engine without HTTP."""
    home = Home(folder / "home")
    create_ledger(home, genesis(), nation="kg", dev=True)
    transfers = singles + 2 * batched
    senders, receivers = _each_once(accounts, transfers)
    signed = sign_all(senders, receivers, time.time_ns() // 1_000_000)
    with open_ledger(home) as opened:
        assert isinstance(opened.engine, EmbeddedEngine)
        fill(Bench(opened.store, opened.machine, opened.engine), accounts, senders)
    one, two, rest = signed[:singles], signed[singles : singles + batched], signed[singles + batched :]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "kerege.node", "up", "--no-read-model", "--home", str(home.path)]
    node = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout is not None
        node.stdout.readline()
        say("one transaction a request")
        alone, told = ask_all(port, [request(SINGLE, raw, "application/octet-stream") for raw in one], CONNECTIONS)
        _check(told, lambda answer: [answer])
        say(f"{BATCH} transactions a request, while somebody reads")
        batches = [request(MANY, _batch(two[at : at + BATCH])) for at in range(0, batched, BATCH)]
        middle = len(batches) // 2
        few, told_few = ask_all(port, batches[:middle], CONNECTIONS)
        many, told_many = ask_all(port, batches[middle:], MANY_CONNECTIONS)
        _check(told_few + told_many, lambda answer: answer["outcomes"])
        reads = _reads(port, [request(MANY, _batch(rest[at : at + BATCH])) for at in range(0, batched, BATCH)])
    finally:
        node.terminate()
        node.wait()
    rates = {"batched_by_few": middle * BATCH / few, "batched": (len(batches) - middle) * BATCH / many}
    return {"single": singles / alone, **rates, **reads}


def engine(folder: Path, *, accounts: int, transfers: int) -> float:
    """The embedded engine's own rate, on a ledger alike: opened anew, as the node's is, with nothing in its cache."""
    home = Home(folder / "alike")
    create_ledger(home, genesis(), nation="kg", dev=True)
    senders, receivers = _each_once(accounts, transfers)
    signed = sign_all(senders, receivers, time.time_ns() // 1_000_000)
    with open_ledger(home) as opened:
        assert isinstance(opened.engine, EmbeddedEngine)
        fill(Bench(opened.store, opened.machine, opened.engine), accounts, senders)
    with open_ledger(home) as opened:
        assert isinstance(opened.engine, EmbeddedEngine)
        return throughput(opened.engine, signed)


def _each_once(accounts: int, transfers: int) -> tuple[list[int], list[int]]:
    """Senders who send once, so that connections need not keep an order between them, and receivers."""
    return Random(1).sample(range(accounts), transfers), draw(accounts, transfers)[1]


def _batch(raws: Sequence[bytes]) -> bytes:
    texts = [base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in raws]
    return json.dumps({"transactions": texts}).encode()


def _check(answers: Sequence[bytes], outcomes: Any) -> None:  # noqa: ANN401 - a function of an answer
    """Every transfer was applied."""
    for raw in answers:
        for outcome in outcomes(json.loads(raw)):
            if outcome["outcome"] != "applied":
                raise OSError(f"a transfer was not applied: {outcome}")


def _reads(port: int, load: Sequence[bytes]) -> dict[str, Any]:
    """Reads under load: milliseconds of the 95th percentile."""
    thread = Thread(target=ask_all, args=(port, load, MANY_CONNECTIONS))
    thread.start()
    get = b"GET /api/v1/ledger HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    times: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while thread.is_alive() or len(times) < 20:
            started = time.perf_counter()
            connection.sendall(get)
            _answer(connection)
            times.append((time.perf_counter() - started) * 1000)
    thread.join()
    return {"reads": len(times), "read_ms_p95": sorted(times)[int(len(times) * 0.95)]}
