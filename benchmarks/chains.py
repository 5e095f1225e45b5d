"""Chains of four or one on this host, driven to saturation and timed: what `benchmarks.network` measures with."""

import base64
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.common import processor_seconds
from kerege.consensus.codes import BUSY
from kerege.consensus.cometbft.rpc import RpcError, Unreachable
from kerege.node.network.layout import Network
from kerege.testing.cometbft import Rpc

IN_FLIGHT = 8_000
"""Transactions handed in and not yet committed at most: some blocks full, below the bounds of every pool."""
HANDS = 16
"""Connections that hand in."""
REQUEST = 250
"""Transactions of one request."""
SECONDS = 180
"""After which a chain that does not come to its end is held to be broken."""
TWENTY_MS = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """What is handed in: engine transactions, each with so many transactions of the ledger in it."""

    raws: list[bytes]
    each: int


@dataclass(frozen=True, slots=True)
class Result:
    """One saturated run: a second, and processor time per transaction of the ledger in all processes together, µs."""

    per_s: float
    engine_us: float
    application_us: float
    client_us: float


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="kerege-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Chain:
    """What the validators have committed, read block by block from the first of them."""

    def __init__(self, network: Network) -> None:
        self.rpcs = [Rpc(member.rpc_url, 60) for member in network.validators]
        self._wait()
        self.height = self.newest()
        self.committed = 0

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if all(rpc.height() for rpc in self.rpcs):
                    return
            except (RpcError, Unreachable):  # it is starting
                pass
            time.sleep(0.1)
        raise RuntimeError("the validators did not start")

    def newest(self) -> int:
        """Height of the newest block."""
        return self.rpcs[0].height()

    def update(self) -> int:
        """Engine transactions committed since the beginning."""
        newest = self.newest()
        self.committed += self.rpcs[0].transactions(self.height, newest)
        self.height = newest
        return self.committed

    def press(self, raws: Sequence[bytes], turn: int) -> None:
        """To one of the validators; again after a while what it was too busy for."""
        _press(self.rpcs[turn % len(self.rpcs)], raws)


class Hands:
    """Those who hand in: so many connections to the validators, each after the other's turn, none too far ahead."""

    def __init__(self, network: Network, chain: Chain, load: Load, in_flight: int) -> None:
        self._chain = chain
        self._load = load
        self._in_flight = in_flight
        self._each = max(1, REQUEST // load.each)
        self._next = 0
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self.failure: Exception | None = None
        urls = [member.rpc_url for member in network.validators]
        self._threads = [
            threading.Thread(target=self._run, args=(urls[number % len(urls)],), daemon=True) for number in range(HANDS)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, url: str) -> None:
        rpc = Rpc(url, 60)
        send = _hand_in if self._load.each == 1 else _press
        try:
            while (raws := self._take()) is not None:
                send(rpc, raws)
        except Exception as failure:  # noqa: BLE001 - raised by who drives
            self.failure = failure
        finally:
            rpc.close()

    def _take(self) -> list[bytes] | None:
        """The next ones, once enough are committed; None where all are handed in."""
        with self._turn:
            at = self._next
            while (at - self._chain.committed) * self._load.each > self._in_flight:
                if self._stop.wait(0.002):
                    return None
            self._next += self._each
            return self._load.raws[at : at + self._each] or None

    def end(self) -> None:
        """Nobody hands in any more; raises what went wrong."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if self.failure is not None:
            raise self.failure


def _hand_in(rpc: Rpc, raws: Sequence[bytes]) -> None:
    """Without waiting for what the application says."""
    answers = rpc.post(_calls("broadcast_tx_async", raws))
    refused = [answer for answer in answers if "error" in answer]
    if refused:
        raise RuntimeError(f"the engine refused a transaction: {refused[0]}")


def _press(rpc: Rpc, raws: Sequence[bytes]) -> None:
    """Again after a while what the application was too busy for."""
    waiting = list(raws)
    while waiting:
        waiting = [raw for raw in waiting if _is_busy(rpc.hand_in("broadcast_tx_sync", raw))]
        if waiting:
            time.sleep(0.02)


def _calls(method: str, raws: Sequence[bytes]) -> bytes:
    call = b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":{"tx":"%s"}}'
    return b"[" + b",".join(call % (n, method.encode(), base64.b64encode(raw)) for n, raw in enumerate(raws)) + b"]"


def _is_busy(answer: dict[str, Any]) -> bool:
    if "error" in answer:
        if "already exists" in str(answer["error"]):
            return False
        raise RuntimeError(f"the engine refused a transaction: {answer['error']}")
    code = int(answer["result"]["code"])
    if code not in {0, BUSY}:
        raise RuntimeError(f"the application refused a transaction: {answer['result']}")
    return code == BUSY


def drive(
    network: Network, load: Load, engines: Sequence[int], applications: Sequence[int], in_flight: int = IN_FLIGHT
) -> Result:
    """Hand everything in, and wait until it is committed."""
    chain = Chain(network)
    rest()
    before = processor_seconds(engines), processor_seconds(applications), time.process_time()
    start, deadline = time.perf_counter(), time.monotonic() + SECONDS
    hands = Hands(network, chain, load, in_flight)
    try:
        while chain.update() < len(load.raws) and hands.failure is None:
            time.sleep(0.01)
            _check(deadline, chain, load)
    finally:
        hands.end()
    seconds, count = time.perf_counter() - start, len(load.raws) * load.each
    after = processor_seconds(engines), processor_seconds(applications), time.process_time()
    used = [1e6 * (then - now) / count for now, then in zip(before, after, strict=True)]
    return Result(count / seconds, *used)


def _check(deadline: float, chain: Chain, load: Load) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError(f"{chain.committed} of {len(load.raws)} were committed within {SECONDS} s")


def rest(seconds: float = 2) -> None:
    """A moment in which what was started settles."""
    time.sleep(seconds)


def steadily(chain: Chain, loads: Sequence[bytes]) -> list[float]:
    """One each 20 ms; from handing in to the block that has it, seconds."""
    sent: dict[str, float] = {}
    taken: list[float] = []
    start = time.perf_counter()
    for number, raw in enumerate(loads):
        while time.perf_counter() < start + number * TWENTY_MS:
            taken += _seen(chain, sent)
        sent[sha256(raw).hexdigest()] = time.perf_counter()
        chain.press([raw], number)
    deadline = time.monotonic() + 60
    while sent and time.monotonic() < deadline:
        taken += _seen(chain, sent)
        time.sleep(0.005)
    return taken


def _seen(chain: Chain, sent: dict[str, float]) -> list[float]:
    """What the blocks since the last look have, seconds since it was handed in."""
    newest, now, taken = chain.newest(), time.perf_counter(), list[float]()
    while chain.height < newest:
        chain.height += 1
        txs = chain.rpcs[0].call("block", height=str(chain.height))["block"]["data"]["txs"] or []
        began = [sent.pop(sha256(base64.b64decode(tx)).hexdigest(), None) for tx in txs]
        taken += [now - each for each in began if each is not None]
    return taken


def alone(chain: Chain, raw: bytes) -> float:
    """From handing one in to its commit, seconds."""
    start = time.perf_counter()
    chain.rpcs[-1].call("broadcast_tx_commit", tx=base64.b64encode(raw).decode())
    return time.perf_counter() - start
