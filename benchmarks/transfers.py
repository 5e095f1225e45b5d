"""Signed transfers through the embedded engine, beside what others do: `python -m benchmarks.transfers`.

Every transfer is Ed25519-signed, executed with all checks, receipted, committed to the state root and the log, and
durable before it is answered. PostgreSQL commits one durable double-entry transfer a transaction; anvil signs and
executes value transfers; neither keeps a state proof. *The limit* is what two processes with libsodium can verify,
and nothing else.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.common import draw, fill, limit, open_bench, peak_mib, run, say, sign_all, throughput
from kerege.consensus.embedded import EmbeddedEngine
from kerege.node.memory import cached_values

CACHE = cached_values()
OF_A_TURN = 50_000
"""Transfers between two measurements of the limit: enough that filling and emptying the line hardly counts."""
LIMIT_SECONDS = 1.0


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    if os.environ.get("KEREGE_WITHOUT_NATIVE"):
        accounts = size or 1_000
        # Enough that the start of the process that checks signatures does not count.
        return _ledger(accounts, max(4_000, min(24_000, accounts // 4)), "plain")
    accounts = size or (20_000 if quick else 1_000_000)
    transfers = min(150_000, max(2_000, accounts // 2)) if size is None else 2_000
    reasons: dict[str, str] = {}
    native = _ledger(accounts, transfers, "native")
    plain = _without_native(min(accounts, 100_000), reasons)
    say("peers: PostgreSQL, anvil")
    postgres = peers.postgres(4 if quick else 15, reasons)
    anvil = peers.anvil(8_000 if quick else 40_000, reasons)
    rate = native["transfers_per_s"]
    return {
        "quick": quick,
        **native,
        "plain_transfers_per_s": None if plain is None else plain["transfers_per_s"],
        "plain_limit_verifications_per_s": None if plain is None else plain["limit_verifications_per_s"],
        "plain_of_limit": None if plain is None else plain["of_limit"],
        "postgres_transfers_per_s": postgres,
        "of_postgres": None if postgres is None else round(rate / postgres, 2),
        "anvil_transfers_per_s": anvil,
        "of_anvil": None if anvil is None else round(rate / anvil, 2),
        "reasons": reasons,
    }


def _ledger(accounts: int, transfers: int, kind: str) -> dict[str, Any]:
    say(f"{kind}: {accounts} accounts, {transfers} signed transfers")
    folder = Path(tempfile.mkdtemp(prefix="kerege-bench-"))
    try:
        bench = open_bench(folder, create=True, cache=CACHE)
        senders, receivers = draw(accounts, transfers + 50)
        now = time.time_ns() // 1_000_000
        fill(bench, accounts, senders)
        signed = sign_all(senders, receivers, now)
        with bench.engine as engine:
            rate, verified = _in_turn(engine, signed[:transfers])
            blocks = bench.machine.last[0]
            lone = [_alone(engine, raw) for raw in signed[transfers:]]
        bench.store.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "accounts": accounts,
        "transfers": transfers,
        "transaction_bytes": len(signed[0]),
        "durability": "each block in one synced RocksDB write before it is answered",
        "finality": "when answered",
        "blocks": blocks,
        "cached_values": CACHE,
        "transfers_per_s": round(rate),
        "limit_verifications_per_s": round(verified),
        "of_limit": round(rate / verified, 3),
        "lone_ms_median": round(statistics.median(lone) * 1000, 2),
        "peak_memory_mib": peak_mib(),
    }


def _in_turn(engine: EmbeddedEngine, signed: list[bytes]) -> tuple[float, float]:
    """Transfers a second and the limit, in turn: a machine that others share is not the same a minute later."""
    limits, seconds = [_undisturbed_limit()], 0.0
    for at in range(0, len(signed), OF_A_TURN):
        turn = signed[at : at + OF_A_TURN]
        seconds += len(turn) / throughput(engine, turn)
        limits.append(_undisturbed_limit())
    return len(signed) / seconds, statistics.mean(limits)


def _undisturbed_limit() -> float:
    """The limit once this process rests: what the store still merges would otherwise make it look lower."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.1)
        if time.process_time() - before < 0.005:  # a twentieth of one processor
            break
    return limit(LIMIT_SECONDS)


def _alone(engine: Any, raw: bytes) -> float:  # noqa: ANN401 - the engine
    start = time.perf_counter()
    engine.send(raw)
    return time.perf_counter() - start


def _without_native(accounts: int, reasons: dict[str, str]) -> dict[str, Any] | None:
    """The same in a process in which `kerege_native` cannot be imported."""
    code = "import sys; sys.modules['kerege_native'] = None; import benchmarks.transfers as t; t.main()"
    command = [sys.executable, "-c", code, "--json", "--size", str(accounts)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "KEREGE_WITHOUT_NATIVE": "1"}
    )
    if done.returncode:
        reasons["plain_transfers_per_s"] = done.stderr.strip().splitlines()[-1]
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run from the command line."""
    run("transfers", measure)


if __name__ == "__main__":
    main()
