"""What others reach on this machine, measured in the same run: PostgreSQL and anvil."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks import evm
from benchmarks.over_http import BATCH, CONNECTIONS, ask_all, request
from kerege.testing import postgres as testing

CLIENTS = 16
PATIENCE = 5
"""Seconds in which what anvil took must be in a block."""
RECEIVER = "0x" + evm.RECEIVER.hex()
SCHEMA = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE entry (id bigserial PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL);
INSERT INTO account SELECT g, 1000000 FROM generate_series(1, 100000) g;
"""
TRANSFER = """
\\set a random(1, 100000)
\\set b random(1, 100000)
BEGIN;
UPDATE account SET balance = balance - 1 WHERE id = least(:a, :b);
UPDATE account SET balance = balance + 1 WHERE id = greatest(:a, :b);
INSERT INTO entry (account, amount) VALUES (:a, -1), (:b, 1);
COMMIT;
"""


def postgres(seconds: int, reasons: dict[str, str]) -> int | None:
    """Durable double-entry transfers a second, 16 clients; None with the reason where it is absent."""
    key = "postgres_transfers_per_s"
    try:
        with testing.postgres() as server:
            for name, text in (("schema.sql", SCHEMA), ("transfer.sql", TRANSFER)):
                (server.folder / name).write_text(text)
            connect = ("-h", str(server.folder), "-U", testing.USER)
            server.call("psql", *connect, "-d", "postgres", "-q", "-f", str(server.folder / "schema.sql"))
            told = server.call(
                "pgbench", *connect, "-n", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds),
                "-f", str(server.folder / "transfer.sql"), "postgres",
            )  # fmt: skip
        line = next(each for each in told.splitlines() if each.startswith("tps"))
        return round(float(line.split("=")[1].split()[0]))
    except FileNotFoundError as absent:
        reasons[key] = str(absent)
    except (subprocess.CalledProcessError, OSError, StopIteration) as error:
        detail = getattr(error, "stderr", "") or str(error)
        reasons[key] = f"PostgreSQL did not run: {str(detail).strip()[-200:]}"
    return None


def _anvil() -> str | None:
    local = Path(__file__).parents[1] / ".tools/node_modules/.bin/anvil"
    return str(local) if local.exists() else shutil.which("anvil")


@contextmanager
def running_anvil(*options: str) -> Iterator[int]:
    """Port of an anvil of one's own, in which the senders of `evm` have money; raises `OSError` where it cannot run."""
    program = _anvil()
    if program is None:
        raise FileNotFoundError("anvil is not installed: npm install --prefix .tools @foundry-rs/anvil")
    folder = Path(tempfile.mkdtemp(prefix="kerege-anvil-"))
    evm.genesis(folder / "genesis.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = ("--init", str(folder / "genesis.json"), "--gas-limit", "3000000000", "--no-request-size-limit", "--silent")
    # A group of its own: what npm installs is a wrapper, and anvil its child.
    node = subprocess.Popen(
        [program, "--port", str(port), *told, *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(port)
        yield port
    finally:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def anvil(count: int, reasons: dict[str, str]) -> int | None:
    """Signed value transfers a second of an in-memory EVM at its best: a block a second, 200 a request."""
    signed = evm.signed_transfers(count)
    calls = [
        [_call("eth_sendRawTransaction", [raw]) for raw in signed[at : at + BATCH]] for at in range(0, count, BATCH)
    ]
    return _anvil_rate("anvil_transfers_per_s", calls, 4, reasons, "--block-time", "1")


def anvil_alone(count: int, reasons: dict[str, str]) -> int | None:
    """The same with one transfer a request over 8 connections, and a block as soon as there is one."""
    calls = [_call("eth_sendRawTransaction", [raw]) for raw in evm.signed_transfers(count)]
    return _anvil_rate("anvil_single_per_s", calls, CONNECTIONS, reasons)


def _anvil_rate(key: str, calls: Sequence[Any], connections: int, reasons: dict[str, str], *options: str) -> int | None:
    """Transfers a second until all are in blocks; what is in none after `PATIENCE` seconds does not count."""
    count = sum(len(each) if isinstance(each, list) else 1 for each in calls)
    try:
        with running_anvil(*options) as port:
            requests = [request("/", json.dumps(each).encode()) for each in calls]
            started = time.perf_counter()
            _, answers = ask_all(port, requests, connections)
            refused = sum(b'"error"' in answer for answer in answers)
            until, included = time.perf_counter() + PATIENCE, 0
            while included < count and time.perf_counter() < until:
                time.sleep(0.05)
                included = _included(port)
            if not refused:
                return round(included / (time.perf_counter() - started))
            reasons[key] = f"anvil refused a transfer in {refused} of {len(answers)} requests"
    except FileNotFoundError as absent:
        reasons[key] = str(absent)
    except (OSError, KeyError, ValueError) as error:
        reasons[key] = f"anvil did not run: {error}"
    return None


def _call(method: str, parameters: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


def _rpc(port: int, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    request = Request(f"http://127.0.0.1:{port}", json.dumps(calls).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
        return found


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            _rpc(port, [_call("eth_chainId", [])])
        except OSError:
            time.sleep(0.1)
        else:
            return
    reason = "no answer within 10 s"
    raise OSError(reason)


def _included(port: int) -> int:
    """Transfers in all blocks: what the receiver has got."""
    return int(_rpc(port, [_call("eth_getBalance", [RECEIVER, "latest"])])[0]["result"], 16)
