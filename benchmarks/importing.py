"""How fast old registries move in, and how fast the API answers: `python -m benchmarks.importing`.

Files are generated with truth; the node runs in a process of its own, as it does for `kerege import`. Every row ends in
its outcome, every accepted one in a sealed dossier, with its commitments, its record and its keys in the state tree.
"""

import json
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import peers
from benchmarks.common import run, say
from kerege.testing import extracts

SMALL = 5_000
CHILD = """
import json, resource, sys, time
from pathlib import Path
from kerege.cli.signing import KeySigner
from kerege.gateways.extracts.wanted import Wanted
from kerege.node import devkeys
from kerege.node.home import Home
from kerege.node.importing import ROLE, import_births
home = Home(Path(sys.argv[1]))
name = next(n for n, _ in devkeys.list_keys(home) if n.endswith(ROLE))
signer = KeySigner(devkeys.read_key(home, name).seed)
started = time.perf_counter()
wanted = Wanted(file=Path(sys.argv[2]), outcomes=Path(sys.argv[3]))
summary = import_births(home, wanted, signer, lambda done, total: None)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"rows": summary.rows, "seconds": seconds, "peak_mib": peak, "transactions": summary.transactions}))
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
        "small_peak_memory_mib": few["peak_mib"],
        "large_peak_memory_mib": many["peak_mib"],
        "memory_growth": round(many["peak_mib"] / few["peak_mib"], 2),
        "outcomes_equal_truth": few["same"] and many["same"],
        "transactions": many["transactions"],
    }
    say("peers: anvil")
    return {**figures, **_http(quick, reasons), "reasons": reasons}


def _import(rows: int) -> dict[str, Any]:
    """One import into a fresh home, in a process of its own."""
    say(f"import of {rows} rows")
    folder = Path(tempfile.mkdtemp(prefix="kerege-import-"))
    try:
        home, file, truth, told = (folder / name for name in ("home", "births.csv", "truth.csv", "outcomes.csv"))
        _kerege("init", "--home", str(home), "--nation", "kg", "--dev")
        extracts.write(file, truth, rows, 3)
        command = [sys.executable, "-c", CHILD, str(home), str(file), str(told)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures: dict[str, Any] = json.loads(done.stdout)
        figures["same"] = told.read_bytes() == truth.read_bytes()
        return figures
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kerege(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "kerege.node", *words], capture_output=True, check=True)


def _http(quick: bool, reasons: dict[str, str]) -> dict[str, Any]:  # noqa: FBT001
    """Pages and reads of a raion that lives; beside it anvil."""
    folder = Path(tempfile.mkdtemp(prefix="kerege-up-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "kerege.testing.first_minute", "--home", str(folder / "home"), "--port", str(port)]
    started = time.perf_counter()
    node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in node.stdout or ():
            if "Ctrl-C" in line and "stop " in line:
                break
        served = time.perf_counter() - started
        url = f"http://127.0.0.1:{port}"
        return {
            "serves_after_s": round(served, 2),
            "start_page_ms_p95": _p95(url + "/"),
            "verify_page_ms_p95": _p95(url + "/verify"),
            "pages_kib": round(sum(len(_get(url + path)) for path in ("/", "/verify")) / 1024, 1),
            "read_ms_p95": _p95(url + "/api/v1/ledger", threads=8),
            "anvil_transfers_per_s": peers.anvil(3 if quick else 10, reasons),
            "memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        }
    finally:
        node.terminate()
        node.wait()
        shutil.rmtree(folder, ignore_errors=True)


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
