"""How fast old registries move in, and how fast the API answers: `python -m benchmarks.importing`.

Files are generated with truth; the node runs in a process of its own with the read model beside it. Every row ends in
its outcome, every accepted one in a sealed dossier, with its commitments, its record and its keys in the state tree and
in the read model: the clock stops when all of it is there.
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import over_http, peers
from benchmarks.common import run, say
from kerege.testing import extracts

SMALL = 5_000
WARM = 50_000
"""Rows after which buffers and caches are full: what memory takes from then on would be growth with the file."""
CHILD = """
import json, resource, sys, time
from pathlib import Path
from kerege.cli.signing import KeySigner
from kerege.gateways.extracts.wanted import Wanted
from kerege.node import devkeys, readmodel
from kerege.node.home import Home
from kerege.node.importing import ROLE, import_births
from kerege.readmodel.errors import NotBuilt
def is_behind():
    try:
        return readmodel.status(home, None)["behind"]
    except NotBuilt:  # a small file may be done before the read model has begun
        return True
home = Home(Path(sys.argv[1]))
name = next(n for n, _ in devkeys.list_keys(home) if n.endswith(ROLE))
signer = KeySigner(devkeys.read_key(home, name).seed)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
warm = []
def progress(done, total):
    if done >= int(sys.argv[4]) and not warm:
        warm.append(peak())
started = time.perf_counter()
wanted = Wanted(file=Path(sys.argv[2]), outcomes=Path(sys.argv[3]))
summary = import_births(home, wanted, signer, progress)
imported = time.perf_counter() - started
most = peak()
while is_behind():
    time.sleep(0.05)
seconds = time.perf_counter() - started
print(json.dumps({"rows": summary.rows, "imported": imported, "seconds": seconds, "peak_mib": most,
                  "warm_mib": (warm or [most])[0], "transactions": summary.transactions}))
"""
READS = 400


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    small = size or (2_000 if quick else SMALL)
    large = size or (8_000 if quick else 500_000)
    reasons: dict[str, str] = {}
    few, many = _import(small), _import(large)
    figures = {
        "quick": quick,
        "small_rows": few["rows"],
        "large_rows": many["rows"],
        "small_rows_per_s": round(few["rows"] / few["seconds"]),
        "import_rows_per_s": round(many["rows"] / many["seconds"]),
        "import_s_without_waiting_for_the_read_model": round(many["imported"], 1),
        "small_peak_memory_mib": few["peak_mib"],
        "large_peak_memory_mib": many["peak_mib"],
        "memory_growth": round(many["peak_mib"] / few["peak_mib"], 2),
        "warm_after_rows": min(WARM, many["rows"]),
        "memory_growth_when_warm": round(many["peak_mib"] / many["warm_mib"], 2),
        "outcomes_equal_truth": few["same"] and many["same"],
        "transactions": many["transactions"],
    }
    http = _http(quick, size, reasons)
    for ratio, peer in (("single_of_anvil", "anvil_single_per_s"), ("batched_of_anvil", "anvil_transfers_per_s")):
        if http[ratio] is None:
            reasons[ratio] = reasons[peer]
    return {**figures, **_pages(), **http, "reasons": reasons}


def _import(rows: int) -> dict[str, Any]:
    """One import into a fresh home, in a process of its own."""
    say(f"import of {rows} rows")
    folder = Path(tempfile.mkdtemp(prefix="kerege-import-"))
    try:
        home, file, truth, told = (folder / name for name in ("home", "births.csv", "truth.csv", "outcomes.csv"))
        _kerege("init", "--home", str(home), "--nation", "kg", "--dev")
        extracts.write(file, truth, rows, 3)
        command = [sys.executable, "-c", CHILD, str(home), str(file), str(told), str(WARM)]
        with _node("kerege.node", "up", "--home", str(home)):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures: dict[str, Any] = json.loads(done.stdout)
        figures["same"] = told.read_bytes() == truth.read_bytes()
        return figures
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kerege(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "kerege.node", *words], capture_output=True, check=True)


@contextmanager
def _node(*command: str, ready: str = "") -> Iterator[None]:
    """A process that has printed a line with `ready` in it."""
    node = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    try:
        for line in node.stdout or ():
            if ready in line:
                break
        yield
    finally:
        node.terminate()
        node.wait()


def _pages() -> dict[str, Any]:
    """Pages of a raion that lives."""
    folder = Path(tempfile.mkdtemp(prefix="kerege-up-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    words = ("kerege.testing.first_minute", "--folder", str(folder / "up"), "--port", str(port))
    try:
        with _node(*words, ready="Ctrl-C\n"):
            served = time.perf_counter() - started
            url = f"http://127.0.0.1:{port}"
            return {
                "serves_after_s": round(served, 2),
                "start_page_ms_p95": _p95(url + "/"),
                "verify_page_ms_p95": _p95(url + "/verify"),
                "pages_kib": round(sum(len(_get(url + path)) for path in ("/", "/verify")) / 1024, 1),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _http(quick: bool, size: int | None, reasons: dict[str, str]) -> dict[str, Any]:  # noqa: FBT001
    """Transfers over HTTP, the embedded engine without it, and anvil."""
    singles, batched = (1_000, 4_000) if size else (2_000, 10_000) if quick else (8_000, 100_000)
    accounts = singles + 2 * batched
    folder = Path(tempfile.mkdtemp(prefix="kerege-http-"))
    try:
        say("the embedded engine without HTTP")
        own = over_http.engine(folder, accounts=accounts, transfers=batched)
        found = over_http.ledger(folder, accounts=accounts, singles=singles, batched=batched)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say("peers: anvil")
    alone = peers.anvil_alone(1_000, reasons)
    best = peers.anvil(4_000 if size else 20_000 if quick else 40_000, reasons)
    return {
        "http_single_per_s": round(found["single"]),
        "anvil_single_per_s": alone,
        "single_of_anvil": round(found["single"] / alone, 2) if alone else None,
        "batched_connections": over_http.MANY_CONNECTIONS,
        "http_batched_per_s": round(found["batched"]),
        f"http_batched_by_{over_http.CONNECTIONS}_connections_per_s": round(found["batched_by_few"]),
        "anvil_transfers_per_s": best,
        "batched_of_anvil": round(found["batched"] / best, 2) if best else None,
        "engine_per_s": round(own),
        "batched_of_engine": round(found["batched"] / own, 3),
        f"batched_by_{over_http.CONNECTIONS}_connections_of_engine": round(found["batched_by_few"] / own, 3),
        "read_ms_p95_under_load": round(found["read_ms_p95"], 2),
    }


def _get(url: str) -> bytes:
    with urlopen(url, timeout=20) as answer:  # noqa: S310 - our own address
        raw: bytes = answer.read()
        return raw


def _p95(url: str, threads: int = 1) -> float:
    """The 95th percentile of the time of a request, milliseconds."""

    def once(_number: int) -> float:
        started = time.perf_counter()
        _get(url)
        return (time.perf_counter() - started) * 1000

    with ThreadPoolExecutor(threads) as pool:
        times = list(pool.map(once, range(READS // 4 if threads == 1 else READS)))
    return round(statistics.quantiles(times, n=20)[-1], 2)


def main() -> None:
    """Run from the command line."""
    run("importing", measure)


if __name__ == "__main__":
    main()
