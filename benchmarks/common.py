"""What the benchmarks share: arguments, output, the limit, and a ledger with many accounts."""

import argparse
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from nacl.bindings import crypto_sign_open
from nacl.signing import SigningKey

from kerege.consensus import rows
from kerege.consensus.beside import reading_beside
from kerege.consensus.checking import make_verifier
from kerege.consensus.door import CommittedReader
from kerege.consensus.embedded import Answer, EmbeddedEngine, Submission
from kerege.kernel.block import Executed
from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.module import Modules
from kerege.kernel.tables import Bound
from kerege.kernel.transaction import Body
from kerege.modules import MODULES
from kerege.modules.accounts.state import ACCOUNTS
from kerege.modules.accounts.types import Account, AccountKind, AccountStatus, Key
from kerege.modules.bank.genesis import Genesis as BankGenesis
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.state import BALANCES, SUPPLY
from kerege.modules.bank.types import CurrencyRow
from kerege.storage.port import Area, Store
from kerege.storage.rocks import RocksStore
from kerege.testing.signers import Ed25519Signer

LEDGER, CURRENCY, HOUR = "kg-bench", "KGS", 3_600_000
CHUNK = 20_000
PROCESSES = 2


def run(name: str, measure: Callable[[bool, int | None], dict[str, Any]]) -> None:
    """Parse `--json`, `--quick`, measure, print one JSON object or a line a figure."""
    parser = argparse.ArgumentParser(description=f"benchmark {name}")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="smaller inputs, stated in the output; under 50 s")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    started = time.monotonic()
    figures = measure(wanted.quick, wanted.size)
    figures["seconds"] = round(time.monotonic() - started, 1)
    if wanted.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        for key, value in figures.items():
            sys.stdout.write(f"{key:34} {value}\n")


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def seed_of(number: int) -> bytes:
    """The key seed of account `number`."""
    return sha256(f"kerege/bench/{number}".encode()).digest()


def processor_seconds(processes: Sequence[int]) -> float:
    """What these have used of the processors so far, in user and system mode."""
    total = 0.0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def peak_mib() -> int:
    """Peak memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# The limit


def _verify_rate(seconds: float) -> float:
    key = SigningKey(seed_of(0))
    public = bytes(key.verify_key)
    signed = [bytes(key.sign(os.urandom(52))) for _ in range(500)]
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for message in signed:
            crypto_sign_open(message, public)
        done += len(signed)
    return done / (time.perf_counter() - start)


def limit(seconds: float) -> float:
    """Ed25519 verifications a second of two processes with libsodium, at once: what others must pay."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return sum(pool.map(_verify_rate, [seconds] * PROCESSES))


# A ledger with many accounts


@dataclass(slots=True)
class Bench:
    """An embedded ledger on RocksDB."""

    store: Store
    machine: Machine
    engine: EmbeddedEngine


def open_bench(folder: Path, *, create: bool, cache: int) -> Bench:
    """Open or create a ledger in a folder."""
    store = RocksStore(folder, create=create)

    def read_tile(level: int, index: int) -> bytes:
        return store.get(Area.LOG, rows.tile_key(level, index)) or b""

    reader, modules = CommittedReader(store), Modules(MODULES)
    machine = Machine(
        modules,
        ledger=LEDGER,
        prefix="kg",
        reader=reader,
        read_tile=read_tile,
        cache_limit=cache,
        verifier=make_verifier(),
        beside=reading_beside(),
    )
    return Bench(store, machine, EmbeddedEngine(machine, store, alarm=say))


def genesis() -> Genesis:
    """A ledger with one currency and nobody in it."""
    bank = BankGenesis([(CURRENCY, CurrencyRow(2, "government"))], [])
    return Genesis(LEDGER, "kg", 1_000, [("bank", encode(bank))])


def fill(bench: Bench, accounts: int, senders: Sequence[int]) -> None:
    """Write accounts and balances straight into the state, in blocks of rows: setting up is not measured.

    Only `senders` have keys that anybody holds; the others' keys are random bytes under which nothing is signed.
    """
    machine = bench.machine
    if machine.head is None:
        bench.engine.begin(genesis())
    signing = dict.fromkeys(senders)
    for start in range(0, accounts, CHUNK):
        machine.state.begin_transaction()
        tables = [Bound(t, machine.state) for t in (ACCOUNTS, BALANCES, SUPPLY)]
        chunk = range(start, min(start + CHUNK, accounts))
        for number in chunk:
            public = bytes(SigningKey(seed_of(number)).verify_key) if number in signing else seed_of(number)
            address = _address(number, public, signing)
            row = Account(AccountKind.PERSON, AccountStatus.OPEN, bytes(20), "", [Key(1, public, 0)], [], 0)
            tables[0].put(address, row)
            tables[1].put((address, CURRENCY), 1_000_000)
        tables[2].put(CURRENCY, 1_000_000 * chunk.stop)
        height, last = machine.last
        executed = Executed(height + 1, last + 1, [])
        executed.changes = machine.state.end_block()
        machine._last = (height + 1, last + 1)  # noqa: SLF001 - stands in for a block of openings
        block = machine.seal(executed, always=True)
        bench.store.write(rows.batch_of(block, 0), sync=False)
        machine.durable(block)


def _address(number: int, public: bytes, signing: dict[int, None]) -> bytes:
    return Ed25519Signer(seed_of(number)).address if number in signing else sha256(public).digest()[:20]


def address_of(number: int, signing: dict[int, None]) -> bytes:
    """Address of an account that `fill` wrote."""
    return _address(number, seed_of(number), signing)


def _sign(task: tuple[list[tuple[int, int, bytes]], int]) -> list[bytes]:
    jobs, now = task
    signed = []
    for sender, sequence, target in jobs:
        signer = Ed25519Signer(seed_of(sender))
        body = Body(
            LEDGER, signer.address, 0, sequence, now + 20 * HOUR, os.urandom(16), [Transfer(target, CURRENCY, 5)]
        )
        signed.append(signer.transaction(body))
    return signed


def draw(accounts: int, transfers: int, seed: int = 1) -> tuple[list[int], list[int]]:
    """Senders and receivers drawn evenly from all accounts."""
    random = Random(seed)
    return (
        [random.randrange(accounts) for _ in range(transfers)],
        [random.randrange(accounts) for _ in range(transfers)],
    )


def sign_all(senders: list[int], receivers: list[int], now: int) -> list[bytes]:
    """Signed transfers in two processes; each sender's sequences in order."""
    signing, sequences = dict.fromkeys(senders), dict.fromkeys(senders, 0)
    jobs = []
    for sender, receiver in zip(senders, receivers, strict=True):
        target = receiver if receiver != sender else (receiver + 1) % max(2, len(senders))
        jobs.append((sender, sequences[sender], address_of(target, signing)))
        sequences[sender] += 1
    parts = [jobs[at : at + 2_000] for at in range(0, len(jobs), 2_000)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        return [raw for part in pool.map(_sign, [(part, now) for part in parts]) for raw in part]


IN_FLIGHT = 20
"""Submissions that wait for an answer at once: enough that blocks are full, far from what the engine calls busy."""


def throughput(engine: EmbeddedEngine, transactions: list[bytes], batch: int = 2_000) -> float:
    """Durable, answered transfers a second with blocks full; raises where one was not applied."""
    start = time.perf_counter()
    answers: list[Answer] = []
    waiting: deque[Submission] = deque()
    for at in range(0, len(transactions), batch):
        if len(waiting) == IN_FLIGHT:
            answers.extend(waiting.popleft().wait())
        waiting.append(engine.submit(transactions[at : at + batch]))
    for submission in waiting:
        answers.extend(submission.wait())
    seconds = time.perf_counter() - start
    missed = [answer for answer in answers if answer.receipt is None]
    if missed:
        reason = f"{len(missed)} transfers were no transactions: {missed[0].reason}"
        raise RuntimeError(reason)
    return len(answers) / seconds
