"""Four validators on one host, beside the engine's own `kvstore`: `python -m benchmarks.network`, after `make engine`.

The same engine with the same settings for both, transactions of the same size, handed in over the validators' own RPC
with a bound on what is in flight. `kvstore` checks no signature and keeps no state root; here every validator verifies
every signature, executes, and comes to the same root. *Singly* a transfer is one transaction of the engine; *in
parcels*, as nodes hand them in, some hundreds are.

Finality is a block of four validators, in the store of the one that is asked.

All share this machine's processors: what each part used of them stands beside the rates.
"""

import base64
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from benchmarks.common import run, say
from kerege.consensus import parcels
from kerege.consensus.codes import BUSY
from kerege.consensus.cometbft.rpc import Rpc
from kerege.consensus.embedded import wall_clock
from kerege.kernel.transaction import Body
from kerege.modules.bank.messages import Transfer
from kerege.node.network.founding import draw_keys, lay_out
from kerege.node.network.layout import Network
from kerege.testing import names
from kerege.testing.network import CURRENCY, HOUR, LEDGER, VALIDATORS, Running, genesis_of_people, plain_commands
from tools.engine import DEFAULT, binary, installed

LANES = 16
IN_FLIGHT = 8_000
"""Transactions handed in and not yet committed at most: some blocks full, below the bounds of every pool."""
SINGLY, IN_PARCELS = 250, 256
"""Transactions of one request, and of one parcel."""
SECONDS = 180
"""After which a chain that does not come to its end is held to be broken."""
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What is handed in: engine transactions, each with so many transfers in it."""

    raws: list[bytes]
    each: int


@dataclass(frozen=True, slots=True)
class Result:
    """One saturated run."""

    per_s: float
    engine_us: float
    application_us: float
    client_us: float


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    transfers = size or (16_000 if quick else 64_000)
    figures: dict[str, Any] = {
        "quick": quick,
        "engine": f"CometBFT {DEFAULT}",
        "validators": len(VALIDATORS),
        "processors": os.cpu_count(),
        "transfers": transfers,
        "finality": "a block of four validators, in the store of the one that is asked",
    }
    if DEFAULT not in installed():
        reason = f"CometBFT {DEFAULT} is not in .tools: make engine"
        return {**figures, "reasons": {"all": reason}}
    say(f"signing {2 * transfers} transfers")
    people = [f"person-{number}" for number in range(-(-2 * transfers // LANES))]
    signed = sign(people, 2 * transfers)
    size_each = len(signed[0])
    figures["transaction_bytes"] = size_each
    kvstore = _kvstore(transfers, size_each)
    say(f"kvstore: {kvstore.per_s:.0f}/s")
    gateway = SigningKey(os.urandom(32))
    with _network(people, gateway) as running:
        singly = _saturate(running, Load(signed[:transfers], 1))
        say(f"singly: {singly.per_s:.0f}/s")
        packed = pack(gateway, signed[transfers:])
        inside = _saturate(running, packed)
        say(f"in parcels: {inside.per_s:.0f}/s")
    half = max(inside.per_s, singly.per_s) / 2
    with _network(people, gateway) as running:
        figures |= _latencies(running, signed, gateway, half, 6 if quick else 20)
    parts = ("engine", "application", "client")
    return {
        **figures,
        "kvstore_per_s": round(kvstore.per_s),
        "singly_per_s": round(singly.per_s),
        "in_parcels_per_s": round(inside.per_s),
        "singly_of_kvstore": round(singly.per_s / kvstore.per_s, 3),
        "in_parcels_of_kvstore": round(inside.per_s / kvstore.per_s, 3),
        "of_kvstore": round(max(singly.per_s, inside.per_s) / kvstore.per_s, 3),
        "kvstore_engine_us": round(kvstore.engine_us),
        **{f"singly_{part}_us": round(getattr(singly, f"{part}_us")) for part in parts},
        **{
            f"in_parcels_{part}_us": round(getattr(inside, f"{part}_us"))
            for part in ("engine", "application", "client")
        },
        "machine_load": round(os.getloadavg()[0], 2),
        "reasons": {},
    }


# What is handed in


def sign(people: Sequence[str], count: int) -> list[bytes]:
    """So many transfers, each the first of its sender's lane: no order among them."""
    until = wall_clock() + HOUR
    parts = [range(at, count, PROCESSES) for at in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        made = list(pool.map(partial(_sign_some, people, until), parts))
    return [raw for pair in zip(*made, strict=False) for raw in pair]


def _sign_some(people: Sequence[str], until: int, numbers: range) -> list[bytes]:
    return [_transfer(people, number, until) for number in numbers]


def _transfer(people: Sequence[str], number: int, until: int) -> bytes:
    sender, lane = people[number // LANES], number % LANES
    receiver = people[(number * 7 + 1) % len(people)]
    message = Transfer(names.address(receiver if receiver != sender else people[0]), CURRENCY, 1)
    signer = names.signer(sender)
    return signer.transaction(Body(LEDGER, signer.address, lane, 0, until, number.to_bytes(16, "big"), [message]))


def pack(gateway: SigningKey, raws: Sequence[bytes]) -> Load:
    """The same in parcels, as a node packs them."""
    made = [
        parcels.pack(bytes(gateway), LEDGER, wall_clock(), raws[at : at + IN_PARCELS])
        for at in range(0, len(raws), IN_PARCELS)
    ]
    return Load(made, IN_PARCELS)


# The networks


@contextmanager
def _network(people: Sequence[str], gateway: SigningKey) -> Iterator[Running]:
    """Four validators as `kerege network` runs them, without the node beside them."""
    with _folder() as folder:
        keys = [draw_keys(name) for name in VALIDATORS]
        genesis = genesis_of_people(LEDGER, people, keys, [gateway])
        with Running(lay_out(folder, "kg", genesis, keys, gateway=None), plain_commands) as running:
            yield running


def _kvstore(count: int, size: int) -> Result:
    """The engine's own application, inside its process, with the same settings."""
    raws = [b"%016d=%s" % (number, os.urandom(size)[: (size - 17) // 2].hex().encode()) for number in range(count)]
    load = Load([raw.ljust(size, b"x")[:size] for raw in raws], 1)
    with _folder() as folder, ExitStack() as stack:
        keys = [draw_keys(name) for name in VALIDATORS]
        network = lay_out(folder, "kg", genesis_of_people(LEDGER, [], keys), keys, gateway=None)
        processes = []
        for member in network.members:
            home = network.engine(member)
            file = home / "config" / "genesis.json"
            file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": {}}))
            command = [str(binary()), "start", "--home", str(home), "--proxy_app", "kvstore", "--log_level", "error"]
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            stack.callback(process.kill)
            processes.append(process.pid)
        return _drive(network, load, processes, [])


def _saturate(running: Running, load: Load) -> Result:
    """As fast as the four take it."""
    pairs = [running.pair(name).processes() for name in VALIDATORS]
    return _drive(running.network, load, [pair[1] for pair in pairs], [pair[0] for pair in pairs])


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kerege-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# Driving them


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
                if all(int(rpc.call("status")["sync_info"]["latest_block_height"]) for rpc in self.rpcs):
                    return
            except Exception:  # noqa: BLE001 - it is starting
                time.sleep(0.1)
        raise RuntimeError("the validators did not start")

    def newest(self) -> int:
        """Height of the newest block."""
        return int(self.rpcs[0].call("status")["sync_info"]["latest_block_height"])

    def update(self) -> int:
        """Engine transactions committed since the beginning."""
        newest = self.newest()
        while self.height < newest:
            low, high = self.height + 1, min(self.height + 20, newest)
            metas = self.rpcs[0].call("blockchain", minHeight=str(low), maxHeight=str(high))["block_metas"]
            self.committed += sum(int(meta["num_txs"]) for meta in metas)
            self.height = high
        return self.committed

    def hand_in(self, raws: Sequence[bytes], turn: int) -> None:
        """To one of the validators, without waiting for what its application says."""
        calls = [
            b'{"jsonrpc":"2.0","id":%d,"method":"broadcast_tx_async","params":{"tx":"%s"}}'
            % (number, base64.b64encode(raw))
            for number, raw in enumerate(raws)
        ]
        answers = self.rpcs[turn % len(self.rpcs)].post(b"[" + b",".join(calls) + b"]")
        refused = [answer for answer in answers if "error" in answer]
        if refused:
            raise RuntimeError(f"the engine refused a transaction: {refused[0]}")

    def press(self, raws: Sequence[bytes], turn: int) -> None:
        """To one of the validators; again after a while what it was too busy for."""
        waiting = list(raws)
        while waiting:
            calls = [
                b'{"jsonrpc":"2.0","id":%d,"method":"broadcast_tx_sync","params":{"tx":"%s"}}'
                % (number, base64.b64encode(raw))
                for number, raw in enumerate(waiting)
            ]
            answers = self.rpcs[turn % len(self.rpcs)].post(b"[" + b",".join(calls) + b"]")
            found = {answer["id"]: answer for answer in (answers if isinstance(answers, list) else [answers])}
            waiting = [raw for number, raw in enumerate(waiting) if _is_busy(found[number])]
            if waiting:
                time.sleep(0.05)


def _is_busy(answer: dict[str, Any]) -> bool:
    if "error" in answer:
        if "already exists" in str(answer["error"]):
            return False
        raise RuntimeError(f"the engine refused a transaction: {answer['error']}")
    code = int(answer["result"]["code"])
    if code not in {0, BUSY}:
        raise RuntimeError(f"the application refused a transaction: {answer['result']}")
    return code == BUSY


def _drive(network: Network, load: Load, engines: Sequence[int], applications: Sequence[int]) -> Result:
    chain = Chain(network)
    _rest()
    batch = max(1, SINGLY // load.each)
    before = _used(engines), _used(applications), time.process_time()
    start, deadline = time.perf_counter(), time.monotonic() + SECONDS
    for turn, at in enumerate(range(0, len(load.raws), batch)):
        while (at - chain.committed) * load.each > IN_FLIGHT:
            time.sleep(0.01)
            chain.update()
            _check(deadline, chain, load)
        hand_in = chain.hand_in if load.each == 1 else chain.press
        hand_in(load.raws[at : at + batch], turn)
    while chain.update() < len(load.raws):
        time.sleep(0.01)
        _check(deadline, chain, load)
    seconds, count = time.perf_counter() - start, len(load.raws) * load.each
    after = _used(engines), _used(applications), time.process_time()
    used = [1e6 * (then - now) / count for now, then in zip(before, after, strict=True)]
    return Result(count / seconds, *used)


def _check(deadline: float, chain: Chain, load: Load) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError(f"{chain.committed} of {len(load.raws)} were committed within {SECONDS} s")


def _rest() -> None:
    """A moment in which what was started settles."""
    time.sleep(2)


def _used(processes: Sequence[int]) -> float:
    """Processor seconds of all of them so far, in user and system mode."""
    total = 0.0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


# How long one takes


def _latencies(
    running: Running, signed: Sequence[bytes], gateway: SigningKey, rate: float, seconds: int
) -> dict[str, Any]:
    """Finality at half of the load, and of a lone transaction while the last block is young and after idling."""
    chain = Chain(running.network)
    _rest()
    taken = _at_half(chain, signed, gateway, rate, seconds)
    say(f"at {rate:.0f}/s: median {statistics.median(taken):.2f} s")
    ordered = sorted(taken)
    spare = iter(signed[-200:])
    lone, idle = [], []
    for _ in range(15):
        time.sleep(0.7)
        lone.append(_alone(chain, next(spare)))
    for _ in range(4):
        time.sleep(6)
        idle.append(_alone(chain, next(spare)))
    return {
        "half_load_per_s": round(rate),
        "half_load_median_s": round(statistics.median(taken), 3),
        "half_load_p95_s": round(ordered[int(0.95 * len(ordered))], 3),
        "lone_ms_median": round(1_000 * statistics.median(lone)),
        "after_idling_ms_median": round(1_000 * statistics.median(idle)),
    }


def _at_half(chain: Chain, signed: Sequence[bytes], gateway: SigningKey, rate: float, seconds: int) -> list[float]:
    """Parcels of what comes within 20 ms, at an even rate; from handing in to the block that has it, seconds."""
    each = max(1, round(rate * 0.02))
    loads = [
        parcels.pack(bytes(gateway), LEDGER, wall_clock(), signed[at : at + each])
        for at in range(0, int(rate * seconds), each)
    ]
    sent: dict[str, float] = {}
    taken: list[float] = []
    start = time.perf_counter()
    for number, raw in enumerate(loads):
        while time.perf_counter() < start + number * 0.02:
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


def _alone(chain: Chain, raw: bytes) -> float:
    start = time.perf_counter()
    chain.rpcs[1].call("broadcast_tx_commit", tx=base64.b64encode(raw).decode())
    return time.perf_counter() - start


def main() -> None:
    """Run from the command line."""
    run("network", measure)


if __name__ == "__main__":
    main()
