"""Where a validator's time goes: the parts of a block of transfers, each timed on its own in this process."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from benchmarks.common import throughput
from kerege.consensus import rows
from kerege.consensus.cometbft import answers
from kerege.consensus.cometbft import messages as m
from kerege.consensus.embedded import EmbeddedEngine, wall_clock
from kerege.consensus.replica import Replica
from kerege.kernel.crypto import Verifier
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.ledger import open_machine
from kerege.storage.rocks import RocksStore

BLOCK = 2_000
REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Shares:
    """Microseconds per transfer, and the whole of FinalizeBlock for a block of them, ms."""

    signatures_us: float
    execution_us: float
    tree_us: float
    storage_us: float
    finalize_ms: float


def shares(genesis: Genesis, signed: Sequence[bytes]) -> Shares:
    """Of transfers that were checked when they came into the pool, as in a network."""
    parts: list[list[float]] = [[], [], [], []]
    with tempfile.TemporaryDirectory() as folder, RocksStore(Path(folder), create=True) as store:
        machine = open_machine(
            Modules(MODULES), store, genesis.ledger, genesis.prefix, None, verifier=Verifier(remembered=REMEMBERED)
        )
        replica = Replica(machine, store, now=wall_clock)
        replica.begin(genesis)
        blocks = [list(signed[at : at + BLOCK]) for at in range(0, len(signed) - BLOCK + 1, BLOCK)]
        whole = [_finalize(replica, height, raws) for height, raws in enumerate(blocks[: len(blocks) // 2], 1)]
        for height, raws in enumerate(blocks[len(blocks) // 2 :], len(whole) + 1):
            marks = [time.perf_counter()]
            machine.verify([machine.decode(raw) for raw in raws])
            marks.append(time.perf_counter())
            executed = machine.execute(height, wall_clock(), machine.prepare(raws))
            marks.append(time.perf_counter())
            block = machine.seal(executed)
            marks.append(time.perf_counter())
            store.write(rows.batch_of(block, height - rows.KEPT_HEIGHTS + 1))
            machine.durable(block)
            marks.append(time.perf_counter())
            for part, begin, end in zip(parts, marks, marks[1:], strict=False):
                part.append(1e6 * (end - begin) / len(raws))
    signatures, execution, tree, storage = map(statistics.median, parts)
    return Shares(signatures, execution, tree, storage, 1_000 * statistics.median(whole))


def _finalize(replica: Replica, height: int, raws: Sequence[bytes]) -> float:
    """From the bytes of the request to the bytes of the answer, seconds; then it is committed."""
    replica.check_txs([m.RequestCheckTx(tx=raw) for raw in raws])
    now = wall_clock()
    stamp = Timestamp(seconds=now // 1_000, nanos=now % 1_000 * 1_000_000)
    request = m.RequestFinalizeBlock(height=height, txs=raws, time=stamp)
    raw = m.Request(finalize_block=request).SerializeToString()
    start = time.perf_counter()
    answers.encode("finalize_block", replica.finalize_block(m.Request.FromString(raw).finalize_block))
    seconds = time.perf_counter() - start
    replica.commit(m.RequestCommit())
    return seconds


def embedded_per_s(genesis: Genesis, signed: Sequence[bytes]) -> float:
    """What the embedded engine makes of the same transfers."""
    with tempfile.TemporaryDirectory() as folder, RocksStore(Path(folder), create=True) as store:
        machine = open_machine(Modules(MODULES), store, genesis.ledger, genesis.prefix, None)
        engine = EmbeddedEngine(machine, store)
        engine.begin(genesis)
        with engine:
            return throughput(engine, list(signed))
