"""What the engine costs with a Python application beside it: `python -m benchmarks.engine`, after `make engine`.

One validator, the same configuration, transactions of 250 bytes, submitted in batches over one connection with a
bound on what is in flight, so that blocks are full and the pool never overflows. In turn: the engine's own `kvstore`,
in Go inside the engine's process, and an empty application in Python over a Unix socket. Rates are of committed
transactions by the engine's own blocks; finality is one block of one validator, written to its disk.
"""

import base64
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import run, say
from benchmarks.empty_application import EmptyApplication
from kerege.consensus.cometbft import answers
from kerege.consensus.cometbft import messages as m
from kerege.testing.cometbft import Engine, Rpc
from tools.engine import DEFAULT, binary

BYTES = 250
BATCH = 500
IN_FLIGHT = 10_000
"""Transactions submitted and not yet committed at most: some blocks full, far from the pool's bound."""
BLOCK = 2_000
WARM_UP = 2_000
"""Transactions before the clock starts."""


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    transactions = size or (40_000 if quick else 150_000)
    turns = 1 if size else (2 if quick else 5)
    figures: dict[str, Any] = {
        "quick": quick,
        "engine": f"CometBFT {DEFAULT}",
        "validators": 1,
        "transaction_bytes": BYTES,
        "transactions": transactions,
        "turns": turns,
        "finality": "one block of one validator, in its store",
        "finalize_2000_ms_median": round(_finalize_ms(), 2),
    }
    if not binary().is_file():
        reason = f"CometBFT {DEFAULT} is not in .tools: make engine"
        absent = ("kvstore_per_s", "python_per_s", "python_of_kvstore")
        return {**figures, **dict.fromkeys(absent), "reasons": dict.fromkeys(absent, reason)}
    rates: dict[str, list[float]] = {"kvstore": [], "python": []}
    bodies = _bodies(transactions + WARM_UP)
    for turn in range(turns):
        for name in ("kvstore", "python") if turn % 2 == 0 else ("python", "kvstore"):
            rates[name].append(_rate(name, bodies, transactions))
            say(f"{name}: {rates[name][-1]:.0f} transactions/s")
    go, python = (statistics.median(rates[name]) for name in ("kvstore", "python"))
    figures |= {"kvstore_per_s": round(go), "python_per_s": round(python), "python_of_kvstore": round(python / go, 3)}
    return {**figures, "reasons": {}}


def _finalize_ms() -> float:
    """From the bytes of a full block to the bytes of the answer, without the socket, ms."""
    request = m.RequestFinalizeBlock(height=1, txs=[os.urandom(BYTES) for _ in range(BLOCK)])
    raw = m.Request(finalize_block=request).SerializeToString()
    application, taken = EmptyApplication(), []
    for _ in range(50):
        start = time.perf_counter()
        answers.encode("finalize_block", application.finalize_block(m.Request.FromString(raw).finalize_block))
        taken.append(1_000 * (time.perf_counter() - start))
    return statistics.median(taken)


def _bodies(transactions: int) -> list[bytes]:
    """JSON-RPC batches, made beforehand: `key=value`, as `kvstore` wants it, all different."""
    bodies = []
    for start in range(0, transactions, BATCH):
        calls = []
        for number in range(start, min(start + BATCH, transactions)):
            tx = (b"%012d=" % number) + os.urandom(BYTES)[: (BYTES - 13) // 2].hex().encode().ljust(BYTES - 13, b"x")
            calls.append(
                b'{"jsonrpc":"2.0","id":%d,"method":"broadcast_tx_async","params":{"tx":"%s"}}'
                % (number, base64.b64encode(tx))
            )
        bodies.append(b"[" + b",".join(calls) + b"]")
    return bodies


def _rate(name: str, bodies: list[bytes], transactions: int) -> float:
    """Committed transactions a second of one fresh chain."""
    folder = Path(tempfile.mkdtemp(prefix="kerege-engine-"))
    try:
        with _application(name, folder) as address, Engine(binary(), folder / "home", address) as engine:
            rpc = engine.start()
            warm = WARM_UP // BATCH
            counter = Counter(rpc)
            _submit(counter, bodies[:warm], WARM_UP)
            start = time.perf_counter()
            _submit(counter, bodies[warm:], WARM_UP + transactions)
            return transactions / (time.perf_counter() - start)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Counter:
    """Committed transactions, read block by block."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.height = 0
        self.committed = 0

    def update(self) -> int:
        """All until now."""
        height = self.rpc.height()
        if height > self.height:
            self.committed += self.rpc.transactions(self.height, height)
            self.height = height
        return self.committed


def _submit(counter: Counter, bodies: list[bytes], until: int) -> None:
    """Hand in, never more than `IN_FLIGHT` ahead of what is committed; wait until all are."""
    sent, deadline = counter.committed, time.monotonic() + 120
    for body in bodies:
        while sent - counter.committed > IN_FLIGHT - BATCH:
            time.sleep(0.005)
            counter.update()
        answered = counter.rpc.post(body)
        if any("error" in answer for answer in answered):
            raise RuntimeError(f"the engine refused a transaction: {answered[0]}")
        sent += len(answered)
    while counter.update() < until:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{counter.committed} of {until} transactions were committed")
        time.sleep(0.005)


@contextmanager
def _application(name: str, folder: Path) -> Iterator[str]:
    """The address of what the engine drives."""
    if name == "kvstore":
        yield "kvstore"
        return
    path = folder / "socket"
    command = [sys.executable, "-m", "benchmarks.empty_application", f"unix://{path}"]
    with subprocess.Popen(command) as process:
        try:
            while not path.exists():
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            process.kill()


def main() -> None:
    """Run from the command line."""
    run("engine", measure)


if __name__ == "__main__":
    main()
