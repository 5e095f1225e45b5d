"""Queues in the store, and what a block costs to write: `python -m benchmarks.queues [--json] [--quick]`.

A queue is a prefix of the state whose heads are deleted as they are served. After a million deletions the first live
key is far behind the prefix; a scan that begins at the prefix walks over every deleted key that is not yet compacted
away, a scan that begins at the cursor (the last key served) does not. Both are measured on the same store, in one run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from kerege.storage.port import Area, Batch
from kerege.storage.rocks import RocksStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUEUE = b"exchange.order\x00"
PER_BLOCK = 10_000
TRANSFERS = 3_000
KEYS_PER_TRANSFER = 3


def main() -> None:
    """Print one JSON object, or a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="smaller inputs, as stated in the output; under 50 s")
    wanted = parser.parse_args()
    figures = measure(heads=200_000 if wanted.quick else 1_000_000, blocks=60 if wanted.quick else 400)
    if wanted.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:32} {figure}")


def measure(*, heads: int, blocks: int) -> dict[str, float | int]:
    """Every figure, each on a new store in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        return {"heads_deleted": heads, **queue(Path(folder, "queue"), heads), **writes(Path(folder, "writes"), blocks)}


def queue(home: Path, heads: int) -> dict[str, float]:
    """Serve `heads` entries of a queue in blocks, then look for the next one: from the cursor, and from the prefix."""
    with RocksStore(home, create=True) as store:
        for batch in _in_blocks(heads + 1000, lambda batch, n: batch.put(Area.STATE, _entry(n), b"order" * 12)):
            store.write(batch, sync=False)
        during = []
        for number, batch in enumerate(_in_blocks(heads, lambda batch, n: batch.delete(Area.STATE, _entry(n)))):
            store.write(batch, sync=False)
            during.append(_microseconds(partial(_next, store, _entry((number + 1) * PER_BLOCK - 1))))
        cursor = _entry(heads - 1)
        from_cursor = [_microseconds(partial(_next, store, cursor)) for _ in range(200)]
        from_prefix = [_microseconds(partial(_next, store, QUEUE)) for _ in range(5)]
        if _next(store, cursor) != _next(store, QUEUE) or _next(store, cursor) != _entry(heads):
            raise AssertionError("the cursor and the prefix disagree about the head of the queue")
    return {
        "cursor_microseconds": round(statistics.median(from_cursor), 1),
        "cursor_microseconds_worst": round(max(from_cursor), 1),
        "cursor_while_serving_microseconds": round(statistics.median(during), 1),
        "prefix_microseconds": round(statistics.median(from_prefix), 1),
        "prefix_to_cursor": round(statistics.median(from_prefix) / statistics.median(from_cursor), 1),
    }


def writes(home: Path, blocks: int) -> dict[str, float | int]:
    """Durable blocks of 3,000 transfers over a million keys: state rows of 60 B, one block, one undo, index rows."""
    chance = Random(1)
    block, undo = chance.randbytes(500_000), chance.randbytes(600_000)
    took, staged = [], []
    with RocksStore(home, create=True) as store:
        for batch in _in_blocks(1_000_000, lambda batch, n: batch.put(Area.STATE, _account(n), b"x" * 60)):
            store.write(batch, sync=False)
        for height in range(blocks):
            changes: dict[bytes, bytes | None] = {
                _account(chance.randrange(1_000_000)): chance.randbytes(60)
                for _ in range(TRANSFERS * KEYS_PER_TRANSFER)
            }
            index: dict[bytes, bytes | None] = {chance.randbytes(32): b"x" * 12 for _ in range(TRANSFERS)}
            start = time.perf_counter()
            batch = Batch()
            batch.update(Area.STATE, changes)
            batch.update(Area.INDEX, index)
            batch.put(Area.BLOCKS, height.to_bytes(8), block)
            batch.put(Area.UNDO, height.to_bytes(8), undo)
            batch.delete(Area.UNDO, max(0, height - 128).to_bytes(8))
            batch.put(Area.META, b"head", height.to_bytes(8))
            staged.append((time.perf_counter() - start) / (TRANSFERS * (KEYS_PER_TRANSFER + 1)))
            store.write(batch)
            took.append(time.perf_counter() - start)
        keys = [_account(chance.randrange(1_000_000)) for _ in range(6000)]
        lookup = _microseconds(lambda: store.multi_get(Area.STATE, keys)) / len(keys)
    took.sort()
    return {
        "blocks": blocks,
        "transfers_per_block": TRANSFERS,
        "keys_per_transfer": KEYS_PER_TRANSFER,
        "state_keys": 1_000_000,
        "block_write_milliseconds": round(statistics.median(took) * 1e3, 2),
        "block_write_milliseconds_p95": round(took[int(blocks * 0.95)] * 1e3, 2),
        "block_write_milliseconds_worst": round(took[-1] * 1e3, 2),
        "write_microseconds_per_transfer": round(statistics.mean(took) / TRANSFERS * 1e6, 2),
        "durable_transfers_per_second": round(blocks * TRANSFERS / sum(took)),
        "staging_microseconds_per_put": round(statistics.median(staged) * 1e6, 3),
        "multi_get_microseconds_per_key": round(lookup, 2),
    }


def _in_blocks(count: int, change: Callable[[Batch, int], None]) -> Iterator[Batch]:
    for first in range(0, count, PER_BLOCK):
        batch = Batch()
        for number in range(first, min(first + PER_BLOCK, count)):
            change(batch, number)
        yield batch


def _entry(number: int) -> bytes:
    return QUEUE + number.to_bytes(8)


def _account(number: int) -> bytes:
    return b"bank.balance\x00" + (number * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8) + number.to_bytes(12)


def _next(store: RocksStore, start: bytes) -> bytes | None:
    """The first live key of the queue from `start` on."""
    found = next(store.scan(Area.STATE, start, QUEUE + b"\xff" * 9), None)
    return found[0] if found else None


def _microseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e6


if __name__ == "__main__":
    main()
