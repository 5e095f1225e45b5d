"""What the engine costs with a Python application beside it: `python -m benchmarks.engine`, after `make engine`.

One validator, the same configuration, transactions of 250 bytes, submitted in batches over one connection with a
bound on what is in flight, so that blocks are full and the pool never overflows. In turn: the engine's own `kvstore`,
in Go inside the engine's process; the same `kvstore` in a process of its own, over a Unix socket; and an empty
application in Python over a Unix socket. Rates are of committed
transactions by the engine's own blocks; finality is one block of one validator, written to its disk.

The processor's time per transaction stands beside the rates: it holds on a machine where others work too. What
the second costs more than the first is the engine's own socket client.
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
from typing import Any, NamedTuple

from benchmarks.common import processor_seconds, run, say
from benchmarks.empty_application import EmptyApplication
from kerege.consensus.cometbft import answers
from kerege.consensus.cometbft import messages as m
from kerege.testing.cometbft import Engine, Rpc
from tools.engine import DEFAULT, binary, peer

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
    if not (binary().is_file() and peer().is_file()):
        reason = f"CometBFT {DEFAULT} is not in .tools: make engine"
        absent = (
            *("kvstore_per_s", "kvstore_socket_per_s", "python_per_s", "python_of_kvstore", "python_of_kvstore_socket"),
            *("kvstore_engine_us", "kvstore_socket_engine_us", "python_engine_us"),
            *("kvstore_socket_application_us", "python_application_us"),
        )
        figures["machine_load"] = round(os.getloadavg()[0], 2)
        return {**figures, **dict.fromkeys(absent), "reasons": dict.fromkeys(absent, reason)}
    runs: dict[str, list[Run]] = {"kvstore": [], "kvstore_socket": [], "python": []}
    bodies = _bodies(transactions + WARM_UP)
    for turn in range(turns):
        for name in runs if turn % 2 == 0 else reversed(runs):
            runs[name].append(_run(name, bodies, transactions))
            say(f"{name}: {runs[name][-1].per_s:.0f} transactions/s")
    rate = {name: statistics.median(run.per_s for run in found) for name, found in runs.items()}
    for name, found in runs.items():
        figures[f"{name}_per_s"] = round(rate[name])
        figures[f"{name}_engine_us"] = round(statistics.median(run.engine_us for run in found), 1)
        if name != "kvstore":
            figures[f"{name}_application_us"] = round(statistics.median(run.application_us for run in found), 1)
    return {
        **figures,
        "python_of_kvstore": round(rate["python"] / rate["kvstore"], 3),
        "python_of_kvstore_socket": round(rate["python"] / rate["kvstore_socket"], 3),
        "machine_load": round(os.getloadavg()[0], 2),
        "reasons": {},
    }


class Run(NamedTuple):
    """One fresh chain."""

    per_s: float
    """Committed transactions a second."""
    engine_us: float
    """Processor time of the engine's process per transaction, µs."""
    application_us: float
    """The same of the application's process; 0 where it is inside the engine."""


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


def _run(name: str, bodies: list[bytes], transactions: int) -> Run:
    folder = Path(tempfile.mkdtemp(prefix="kerege-engine-"))
    try:
        with _application(name, folder) as (address, process), Engine(binary(), folder / "home", address) as engine:
            counter = Counter(engine.start())
            warm = WARM_UP // BATCH
            _submit(counter, bodies[:warm], WARM_UP)
            pids = [[pid] if pid is not None else [] for pid in (engine.pid, process)]
            before = [processor_seconds(each) for each in pids]
            start = time.perf_counter()
            _submit(counter, bodies[warm:], WARM_UP + transactions)
            seconds = time.perf_counter() - start
            after = [processor_seconds(each) for each in pids]
            per = [1e6 * (then - now) / transactions for now, then in zip(before, after, strict=True)]
            return Run(transactions / seconds, *per)
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
def _application(name: str, folder: Path) -> Iterator[tuple[str, int | None]]:
    """The address of what the engine drives, and its process where it has one of its own."""
    if name == "kvstore":
        yield "kvstore", None
        return
    path = folder / "socket"
    address = f"unix://{path}"
    command = [sys.executable, "-m", "benchmarks.empty_application", address]
    if name == "kvstore_socket":
        command = [str(peer()), "kvstore", "--address", address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while not path.exists():
                time.sleep(0.01)
            yield address, process.pid
        finally:
            process.kill()


def main() -> None:
    """Run from the command line."""
    run("engine", measure)


if __name__ == "__main__":
    main()
