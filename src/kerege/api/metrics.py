"""What an operator watches, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 2_000, 4_000)


class Metrics:
    """The figures of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "kerege_api_requests", "Answered requests.", ("operation", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "kerege_api_seconds", "Time to an answer.", ("operation",), buckets=_SECONDS, registry=self.registry
        )
        self.rounds = Histogram(
            "kerege_api_submitted", "Transactions of one submission.", buckets=_SIZES, registry=self.registry
        )
        self.height = Gauge("kerege_ledger_height", "Height of the newest block.", registry=self.registry)
        self.streams = Gauge("kerege_api_streams", "Open event streams.", registry=self.registry)
        self.cut = Counter("kerege_api_streams_cut", "Streams ended for slowness.", registry=self.registry)

    def observer(self, operation: str) -> Callable[[int, float], None]:
        """Counts an answer of an operation: its status and seconds."""
        observe = self._seconds.labels(operation).observe
        counters: dict[int, Callable[[], None]] = {}

        def count(status: int, seconds: float) -> None:
            increase = counters.get(status)
            if increase is None:
                increase = counters[status] = self._requests.labels(operation, str(status)).inc
            increase()
            observe(seconds)

        return count

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)
