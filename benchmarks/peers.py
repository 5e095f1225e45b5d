"""What others reach on this machine, measured in the same run: PostgreSQL and anvil."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from kerege.testing import postgres as testing

CLIENTS = 16
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


def anvil(seconds: int, reasons: dict[str, str]) -> int | None:
    """Value transfers a second of an in-memory EVM: blocks every second, batches of 200 over 4 connections."""
    program, key = _anvil(), "anvil_transfers_per_s"
    if program is None:
        reasons[key] = "anvil is not installed: npm install --prefix .tools @foundry-rs/anvil"
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--silent", "--block-time", "1", "--gas-limit", "3000000000"]
    # A group of its own: what npm installs is a wrapper, and anvil its child.
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        accounts = _wait_for(port)
        count = _rpc(port, [_call("eth_blockNumber", [])])
        start, stop = time.perf_counter(), time.perf_counter() + seconds
        with ThreadPoolExecutor(4) as pool:
            sent = sum(pool.map(lambda at: _load(port, accounts, at, stop), range(4)))
        time.sleep(1.2)
        included = _included(port, int(count[0]["result"], 16))
        return round(min(sent, included) / (time.perf_counter() - start - 0.2))
    except (OSError, KeyError, ValueError) as error:
        reasons[key] = f"anvil did not run: {error}"
        return None
    finally:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()


def _call(method: str, parameters: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


def _rpc(port: int, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    request = Request(f"http://127.0.0.1:{port}", json.dumps(calls).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
        return found


def _wait_for(port: int) -> list[str]:
    for _ in range(100):
        try:
            accounts: list[str] = _rpc(port, [_call("eth_accounts", [])])[0]["result"]
        except OSError:
            time.sleep(0.1)
        else:
            return accounts
    reason = "no answer within 10 s"
    raise OSError(reason)


def _load(port: int, accounts: list[str], at: int, stop: float) -> int:
    sent = 0
    value = {"from": accounts[at], "to": accounts[at + 4], "value": "0x1", "gas": "0x5208"}
    batch = [_call("eth_sendTransaction", [value])] * 200
    while time.perf_counter() < stop:
        sent += sum("result" in each for each in _rpc(port, batch))
    return sent


def _included(port: int, since: int) -> int:
    newest = int(_rpc(port, [_call("eth_blockNumber", [])])[0]["result"], 16)
    calls = [_call("eth_getBlockTransactionCountByNumber", [hex(n)]) for n in range(since + 1, newest + 1)]
    return sum(int(each["result"], 16) for each in _rpc(port, calls)) if calls else 0
