"""Whether a member does its work: its height moves while transactions wait. A process that lives is not enough.

An engine whose consensus is dead goes on answering, with a height that never moves.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.node.watching.figures import Figures

STALL = 15.0
"""Seconds for which transactions may wait at one height: several rounds with absent proposers."""
ASK_SECONDS = 1.0
"""How long the engine may take: whoever asks for health waits for it."""


class Engine(NamedTuple):
    """What an engine says of itself."""

    catching_up: bool
    waiting: int
    """Transactions in its pool."""


class Health(NamedTuple):
    """Where a member stands, and whether it is ready; `reason` says why not."""

    ready: bool
    reason: str
    height: int
    app_hash: str
    block_age_seconds: float
    catching_up: bool | None
    waiting: int | None


class Looker:
    """Looks at a member and its engine. Who asks every few seconds learns within `STALL` that it stands still."""

    def __init__(self, figures: Figures, engine: str) -> None:
        """`engine`: where its RPC is, `http://host:port`."""
        self._figures = figures
        self._rpc = engine
        self._waits: tuple[int, float] | None = None
        """At which height transactions were first seen waiting, and when."""

    def look(self) -> Health:
        """As of now."""
        standing, engine = self._figures.standing(), self._ask()
        reason = self._reason(standing.height, engine)
        return Health(
            not reason,
            reason,
            standing.height,
            standing.app_hash,
            round(standing.age, 3),
            None if engine is None else engine.catching_up,
            None if engine is None else engine.waiting,
        )

    def _ask(self) -> Engine | None:
        """The engine's own words; None where it does not answer."""
        rpc = Rpc(self._rpc, ASK_SECONDS)
        try:
            behind = bool(rpc.call("status")["sync_info"]["catching_up"])
            return Engine(behind, int(rpc.call("num_unconfirmed_txs")["total"]))
        except (RpcError, Unreachable, KeyError, ValueError):
            return None
        finally:
            rpc.close()

    def _reason(self, height: int, engine: Engine | None) -> str:
        if engine is None:
            return f"the engine at {self._rpc} does not answer"
        if engine.catching_up:
            return "it is catching up with the others"
        now = time.monotonic()
        if not engine.waiting:
            self._waits = None
        elif self._waits is None or self._waits[0] != height:
            self._waits = (height, now)
        if self._waits is not None and now - self._waits[1] > STALL:
            return f"{engine.waiting} transactions wait, and for {now - self._waits[1]:.0f} s there was no block"
        return ""


class HealthGauges(Collector):
    """The same for Prometheus: one look when it asks."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    def collect(self) -> Iterable[Metric]:
        """See `Collector`. What the engine does not tell is absent."""
        health = self._looker.look()
        yield GaugeMetricFamily("kerege_ready", "1 where /health/ready says so.", value=float(health.ready))
        if health.waiting is not None and health.catching_up is not None:
            yield GaugeMetricFamily("kerege_pending_transactions", "In the engine's pool.", value=health.waiting)
            yield GaugeMetricFamily("kerege_catching_up", "1 while it is behind the others.", value=health.catching_up)
