"""Queues are scanned from a cursor: what was served before costs nothing."""

from __future__ import annotations

import time
from pathlib import Path

from kerege.storage.port import Area, Batch
from kerege.storage.rocks import RocksStore

QUEUE = b"queue\x00"
SERVED = 100_000


def test_the_next_of_a_queue_is_found_at_once_from_the_cursor(tmp_path: Path) -> None:
    with RocksStore(tmp_path, create=True) as store:
        entries = [QUEUE + number.to_bytes(8) for number in range(SERVED + 10)]
        batch = Batch()
        batch.update(Area.STATE, dict.fromkeys(entries, b"waiting"))
        store.write(batch)
        batch = Batch()
        batch.update(Area.STATE, dict.fromkeys(entries[:SERVED]))
        store.write(batch)
        took = []
        for _ in range(5):
            start = time.perf_counter()
            found = next(store.scan(Area.STATE, entries[SERVED - 1], QUEUE + b"\xff" * 9))
            took.append(time.perf_counter() - start)
            assert found == (entries[SERVED], b"waiting")
        assert min(took) < 0.001  # from the prefix it takes some 18 ms
