"""What a member's application did and where it stands, for Prometheus.

Counted where it happens, a tenth of a millisecond for a block of 2,000; everything else is read when somebody asks,
from committed state.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from kerege import __version__
from kerege.consensus import rows
from kerege.consensus.agreed import read_agreed
from kerege.consensus.embedded import wall_clock
from kerege.consensus.replica import Replica
from kerege.kernel.block import Block, Outcome

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
BYTES = (1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000)
WEIGHTS = (10, 100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000)

Read = Callable[[], float]


class Standing(NamedTuple):
    """Where the ledger of a member stands."""

    height: int
    app_hash: str
    block_time: int
    """Of the newest block that holds something, in milliseconds."""
    age: float
    """Seconds since this process committed a block; before its first one, since that block's own time."""


class Figures:
    """The figures of one replica, in a registry of their own."""

    def __init__(self, replica: Replica, member: str) -> None:
        self.registry = CollectorRegistry()
        self._replica = replica
        self._moved = time.monotonic() - max(0, wall_clock() - self._block_time()) / 1_000
        ProcessCollector(registry=self.registry)
        Gauge("kerege_member_info", "Who this is.", ("member", "ledger", "version"), registry=self.registry).labels(
            member, replica.machine.ledger, __version__
        ).set(1)
        self._calls = Histogram(
            "kerege_abci_seconds",
            "Time of the application for one call.",
            ("call",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._observe: dict[str, Callable[[float], None]] = {}
        blocks = Counter("kerege_blocks", "Blocks committed.", ("kind",), registry=self.registry)
        self._full, self._empty = blocks.labels("full"), blocks.labels("empty")
        self._bytes = Histogram(
            "kerege_block_bytes", "Bytes of the transactions of a block.", buckets=BYTES, registry=self.registry
        )
        self._weight = Histogram(
            "kerege_block_weight", "Weight of what ran in a block.", buckets=WEIGHTS, registry=self.registry
        )
        classes = Counter("kerege_transactions", "Transactions in blocks.", ("outcome",), registry=self.registry)
        self._applied, self._refused = classes.labels("applied"), classes.labels("refused")
        self._none = classes.labels("not_a_transaction")
        self._read_when_asked()
        replica.listen(self._hear)

    def _read_when_asked(self) -> None:
        """Where the ledger stands, and what others count."""
        self.gauge("kerege_ledger_height", "Height of the newest block.", lambda: self.standing().height)
        self.gauge(
            "kerege_ledger_block_time_seconds",
            "Time of the newest block that holds something.",
            lambda: self.standing().block_time / 1_000,
        )
        self.gauge("kerege_ledger_block_age_seconds", "Since the newest block.", lambda: self.standing().age)
        replica = self._replica
        self.counter("kerege_signatures", "Verdicts on signatures asked for.", lambda: replica.machine.verifier.asked)
        self.counter(
            "kerege_signatures_remembered",
            "Those remembered from admission.",
            lambda: replica.machine.verifier.recalled,
        )
        self.counter(
            "kerege_state_misses", "Rows that were not in memory, each a read.", lambda: replica.machine.state.missed
        )
        self.counter(
            "kerege_checkpoints_signed", "Checkpoints signed by this member.", lambda: replica.checkpoints_signed
        )

    def gauge(self, name: str, doc: str, read: Read) -> None:
        """One more value, read when asked."""
        Gauge(name, doc, registry=self.registry).set_function(read)

    def counter(self, name: str, doc: str, read: Read) -> None:
        """One more count that only grows, read when asked."""
        self.registry.register(_Count(name, doc, read))

    def observe(self, call: str, seconds: float) -> None:
        """Told by the server how long the application took."""
        observe = self._observe.get(call)
        if observe is None:
            observe = self._observe[call] = self._calls.labels(call).observe
        observe(seconds)

    def standing(self) -> Standing:
        """Where the ledger stands, from committed state."""
        agreed, age = read_agreed(self._replica.store), time.monotonic() - self._moved
        if agreed is None:
            return Standing(0, "", 0, age)
        return Standing(agreed.height, agreed.app_hash.hex(), self._block_time(), age)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)

    def _block_time(self) -> int:
        head = rows.read_head(self._replica.store)
        return 0 if head is None else head.time

    def _hear(self, _height: int, block: Block | None, outcomes: Sequence[Outcome]) -> None:
        """Inside a commit."""
        self._moved = time.monotonic()
        if block is None:
            self._empty.inc()
            self._none.inc(len(outcomes))
            return
        receipted, executed = len(block.index), block.executed
        self._full.inc()
        self._bytes.observe(sum(map(len, executed.transactions)))
        self._weight.observe(executed.weight)
        self._refused.inc(executed.refused)
        self._applied.inc(receipted - executed.refused)
        self._none.inc(len(outcomes) - receipted)


class _Count(Collector):
    def __init__(self, name: str, doc: str, read: Read) -> None:
        self._name = name
        self._doc = doc
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        yield CounterMetricFamily(self._name, self._doc, value=self._read())
