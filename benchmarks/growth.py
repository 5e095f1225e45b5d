"""Does a ledger slow down as it grows, and how soon does it serve again: `python -m benchmarks.growth`.

The same transfers, drawn evenly from all accounts, at ten thousand and at a million accounts; then a restart.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import Bench, draw, fill, open_bench, peak_mib, run, say, sign_all, throughput
from kerege.consensus import rows
from kerege.consensus.trees import dump_trees, open_trees
from kerege.node.memory import cached_values

CACHE = cached_values()


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    large = size or (60_000 if quick else 1_000_000)
    small = min(10_000, large)
    transfers = 2_000 if size else (12_000 if quick else 60_000)
    few, _, _ = _run(small, transfers)
    many, restart, cold = _run(large, transfers)
    return {
        "quick": quick,
        "small_accounts": small,
        "large_accounts": large,
        "transfers": transfers,
        "cached_values": CACHE,
        "small_transfers_per_s": round(few),
        "large_transfers_per_s": round(many),
        "large_of_small": round(many / few, 3),
        "ready_s_after_stop": round(restart, 2),
        "ready_s_without_tree_dump": round(cold, 2),
        "peak_memory_mib": peak_mib(),
        "reasons": {},
    }


def _run(accounts: int, transfers: int) -> tuple[float, float, float]:
    """(transfers a second, seconds until a restart serves, seconds where the trees must be rebuilt)."""
    say(f"{accounts} accounts, {transfers} signed transfers")
    folder = Path(tempfile.mkdtemp(prefix="kerege-bench-"))
    try:
        bench = open_bench(folder / "home", create=True, cache=CACHE)
        senders, receivers = draw(accounts, transfers)
        now = time.time_ns() // 1_000_000
        fill(bench, accounts, senders)
        signed = sign_all(senders, receivers, now)
        with bench.engine as engine:
            rate = throughput(engine, signed)
        dump_trees(bench.machine.modules, bench.store, bench.machine.trees, folder / "trees")
        bench.store.close()
        return rate, _restart(folder, folder / "trees"), _restart(folder, None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restart(folder: Path, trees: Path | None) -> float:
    """Seconds from opening the store until a proof can be made."""
    start = time.perf_counter()
    bench: Bench = open_bench(folder / "home", create=False, cache=CACHE)
    head = rows.read_head(bench.store)
    if head is None:
        reason = "the ledger is empty"
        raise RuntimeError(reason)
    opened = open_trees(bench.machine.modules, bench.store, head, trees, lambda _what, _done: None)
    opened[0].prove(bytes(32))
    seconds = time.perf_counter() - start
    bench.store.close()
    return seconds


def main() -> None:
    """Run from the command line."""
    run("growth", measure)


if __name__ == "__main__":
    main()
