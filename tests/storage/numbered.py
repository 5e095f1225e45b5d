"""Numbered batches whose wholeness anyone can check afterwards; run as a program, it writes them until it is killed.

Batch n sets forty state keys to n, stores block n, drops the undo of block n − 3 by range, and moves the head to n.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from kerege.storage.port import Area, Batch, Store
from kerege.storage.rocks import RocksStore

KEYS = [b"key" + bytes([number]) for number in range(40)]


def block(number: int, size: int = 20_000) -> bytes:
    """What block `number` holds: it cannot be torn or mistaken without notice."""
    return hashlib.shake_256(number.to_bytes(8)).digest(size)


def batch_of(number: int, size: int = 20_000) -> Batch:
    """Batch `number`."""
    batch = Batch()
    value = number.to_bytes(8)
    batch.update(Area.STATE, dict.fromkeys(KEYS, value))
    batch.put(Area.BLOCKS, value, block(number, size))
    batch.put(Area.UNDO, value, value)
    batch.delete_range(Area.UNDO, b"", max(0, number - 2).to_bytes(8))
    batch.put(Area.META, b"head", value)
    return batch


def check_whole(store: Store, acknowledged: int, size: int = 20_000) -> int:
    """The number at the head: at least `acknowledged`, every batch up to it whole, nothing of any after it."""
    head = int.from_bytes(store.get(Area.META, b"head") or b"\x00")
    assert head >= acknowledged
    if head:
        assert store.multi_get(Area.STATE, KEYS) == [head.to_bytes(8)] * len(KEYS)
    blocks = list(store.scan(Area.BLOCKS))
    assert [key for key, _ in blocks] == [number.to_bytes(8) for number in range(1, head + 1)]
    assert all(value == block(number, size) for number, (_, value) in enumerate(blocks, 1))
    undo = [int.from_bytes(key) for key, _ in store.scan(Area.UNDO)]
    assert undo == [number for number in (head - 2, head - 1, head) if number > 0]
    return head


def main() -> None:
    """Write from the head on, each acknowledged on standard output once it is durable."""
    with RocksStore(Path(sys.argv[1])) as store:
        number = int.from_bytes(store.get(Area.META, b"head") or b"\x00")
        while True:
            number += 1
            store.write(batch_of(number))
            print(number, flush=True)  # noqa: T201 (the acknowledgement is the point)


if __name__ == "__main__":
    main()
