"""How long the engine keeps its own blocks: for ever, unless the law says otherwise. The ledger's are always kept.

What may go is what nobody needs any more: evidence of misbehaviour is out of date, whoever joins begins at a snapshot
above it, and the parameter's days are over.
"""

from kerege.consensus import rows
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.codec import decode, encode
from kerege.kernel.context import Context
from kerege.kernel.ports import ParameterPort
from kerege.storage.port import Area, Batch, Store

DAYS = "kernel.engine_blocks_days"
"""Parameter: days for which members keep the blocks of their engines; 0, or none: for ever."""
EVIDENCE_BLOCKS, EVIDENCE_MS = 1_000_000, 14 * 24 * 3_600_000
"""Age at which evidence counts no more, when both are reached: what the engine's genesis file says as well.

Twice a light client's trusting period: who lies to one can still be held to account.
"""
STEP = 100
"""Heights pruned with one commit at most: the engine does it between two blocks."""

_DAY_MS = 24 * 3_600_000


class Retention:
    """The lowest height whose block the engine of this store must keep."""

    def __init__(self, store: Store, shelf: Shelf | None) -> None:
        self._store = store
        self._shelf = shelf
        raw = store.get(Area.META, rows.RETAINED)
        self._height = 0 if raw is None else decode(raw, int)

    def advance(self, ctx: Context, height: int, batch: Batch) -> int:
        """What the commit of a height tells the engine, 0 for all; noted in the commit's batch where it is more."""
        days = ctx.port(ParameterPort).find(DAYS, ctx.time)
        if not isinstance(days, int) or days <= 0:
            return 0
        wanted = min(self._height + STEP, height - EVIDENCE_BLOCKS, self._oldest_snapshot())
        if wanted > self._height and self._is_before(wanted, ctx.time - max(days * _DAY_MS, EVIDENCE_MS)):
            self._height = wanted
            batch.put(Area.META, rows.RETAINED, encode(wanted))
        return self._height

    def _oldest_snapshot(self) -> int:
        """Nobody could join above a height without one."""
        heights = [] if self._shelf is None else self._shelf.heights()
        return heights[-1] if heights else 0

    def _is_before(self, height: int, time: int) -> bool:
        """Whether the engine's block of a height is older than a time: the ledger's next block at or after it is."""
        found = next(self._store.scan(Area.BLOCKS, rows.height_key(height)), None)
        summary = None if found is None else rows.read_summary(self._store, int.from_bytes(found[0][:8], "big"))
        return summary is not None and summary.time <= time
