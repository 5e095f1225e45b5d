"""An embedded toy ledger on any store: open, submit, close; and stores that fail or wait when told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from kerege.consensus import rows
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, origin_of
from kerege.consensus.door import LocalDoor
from kerege.consensus.embedded import EmbeddedEngine
from kerege.consensus.prover import Prover
from kerege.consensus.trees import new_trees, open_trees
from kerege.kernel.block import Block
from kerege.kernel.machine import Machine
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Batch, Store
from kerege.storage.rocks import RocksStore
from tests.kernel import toy
from tests.kernel.bench import LEDGER, PREFIX, START, Bench, genesis, machine_on

KEY = CheckpointKey(f"{origin_of(LEDGER)}/operator", sha256(b"checkpoint").digest())


class Opened:
    """A toy ledger open for writing."""

    def __init__(self, store: Store, folder: Path | None = None, *, kind: str = "", **options: Any) -> None:
        self.store = store
        self.alarms: list[str] = []
        self.blocks: list[Block] = []
        self.time = START
        head = rows.read_head(store)
        trees = new_trees(toy.MODULES, kind)
        if head is not None:
            trees = open_trees(toy.MODULES, store, head, folder, lambda *_: None, kind)
        self.machine: Machine = machine_on(store, trees=trees)
        options = {"now": self.tick, "alarm": self.alarms.append, "on_block": self.blocks.append, **options}
        self.engine = EmbeddedEngine(self.machine, store, **options)
        if head is None:
            self.engine.begin(genesis(balance=10**12))
        self.prover = Prover(toy.MODULES, store, lambda: trees, LEDGER, OwnCheckpoints(LEDGER, [KEY]))
        self.door = LocalDoor(toy.MODULES, store, self.prover, LEDGER, PREFIX, self.engine)

    def tick(self) -> int:
        self.time += 1
        return self.time

    def __enter__(self) -> Self:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()


class Signing(Bench):
    """Makes transactions for a ledger that runs elsewhere."""

    def __init__(self) -> None:
        self.sequences = {}
        self.salts = 0

    @property
    def now(self) -> int:
        return START


class ToldStore(MemoryStore):
    """A memory store whose writes wait, or fail, when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.failure: Exception | None = None
        self.writes = 0

    def write(self, batch: Batch, *, sync: bool = True) -> None:
        self.go.wait()
        if self.failure is not None:
            raise self.failure
        self.writes += 1
        super().write(batch, sync=sync)


@contextmanager
def rocks(home: Path, *, create: bool = True) -> Iterator[RocksStore]:
    with RocksStore(home, create=create, cache_bytes=8 << 20) as store:
        yield store
