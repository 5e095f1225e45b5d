"""The door to a ledger for everybody who is not the ledger: submit, ask for state, ask for proofs.

The same calls whether the store was opened in this process (`LocalDoor`) or a running node is reached
through its socket (`kerege.node.wire`). Reads are of committed blocks only, and raise `BeingRestored` while the node is
filled from a snapshot.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.embedded import Answer, Stopped, Submission
from kerege.consensus.prover import Prover
from kerege.consensus.whole import check_whole, of_whole
from kerege.kernel.block import Head, StoredBlock
from kerege.kernel.context import Context
from kerege.kernel.module import Modules
from kerege.kernel.ports import SenderPort
from kerege.kernel.state import State, end_of
from kerege.storage.port import Area, Store

PAGE = 1_000
"""Rows of one answer at most."""


class Submitter(Protocol):
    """What takes transactions: the embedded engine, or a node's place in a network."""

    def submit(self, raws: list[bytes]) -> Submission:
        """Hand in transactions; raises `Busy`, `Stopped` or `BeingRestored`."""

    def accept(self, raws: list[bytes]) -> Submission:
        """The same, each answered as soon as it is kept."""


class Door(Protocol):
    """What clients of a ledger may ask of it; every answer is bounded."""

    ledger: str
    prefix: str

    def submit(self, raws: list[bytes]) -> list[Answer]:
        """Hand in transactions and wait until each is durable or was found to be no transaction."""

    def accept(self, raws: list[bytes]) -> list[Answer]:
        """The same, but wait only until each is kept by the node, which hands it in until it is final or expired.

        Its answer is `pending` then, and `find` tells the receipt later; one machine alone answers finally at once.
        """

    def find(self, transaction: bytes) -> Answer | None:
        """The receipt of a transaction id."""

    def next_sequence(self, address: bytes, lane: int = 0) -> int:
        """The lane's next sequence."""

    def head(self) -> Head:
        """The newest durable block."""

    def block(self, height: int) -> StoredBlock | None:
        """A block with its receipts."""

    def state(self, key: bytes) -> bytes | None:
        """Stored bytes (schema byte and value) under a state key."""

    def states(self, keys: list[bytes]) -> list[bytes | None]:
        """The same of several keys, `PAGE` at most; raises `ValueError` beyond."""

    def scan(self, prefix: bytes, after: bytes = b"", limit: int = PAGE) -> list[tuple[bytes, bytes]]:
        """Keys that begin with `prefix` and come after `after`, with their stored bytes, `PAGE` at most.

        Raises `ValueError` for a prefix of no table (empty, or all 0xff).
        """

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""

    def bundle(
        self,
        transaction: bytes,
        key: bytes | None,
        disclosures: Sequence[proofs.Disclosure] = (),
        *,
        with_commit: bool = False,
    ) -> bytes:
        """The proof bundle of a transaction's receipt, with the state under `key` as of the newest checkpoint.

        With the engine's commit where that is asked for, which one operator's ledger does not have.
        """

    def prove(self, key: bytes, *, with_commit: bool = False) -> bytes:
        """The state proof of a key, present or absent, as of the newest block; with the engine's commit as above."""


class CommittedReader:
    """Committed state as the kernel's `StateReader`."""

    def __init__(self, store: Store) -> None:
        self._area = store.area(Area.STATE)

    def get(self, key: bytes) -> bytes | None:
        """Stored bytes, or None."""
        return self._area.get(key)

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """Stored bytes of several keys."""
        return self._area.multi_get(keys)

    def scan(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with start ≤ key < end."""
        return self._area.scan(start, end)


def committed_context(modules: Modules, store: Store, ledger: str) -> Context:
    """A context over committed state, for views: a fresh small cache, nothing of the running machine."""
    head = rows.read_head(store)
    height, time = (0, 0) if head is None else (head.height, head.time)
    return Context(modules, State(CommittedReader(store), 10_000), ledger, height, time)


class LocalDoor:
    """The door of a ledger whose store this process holds open."""

    def __init__(
        self, modules: Modules, store: Store, prover: Prover, ledger: str, prefix: str, engine: Submitter | None
    ) -> None:
        self.modules = modules
        self.store = store
        self.ledger = ledger
        self.prefix = prefix
        self._prover = prover
        self._engine = engine

    def submit(self, raws: list[bytes]) -> list[Answer]:
        """See `Door`; raises `Busy`, `Stopped` or `BeingRestored`."""
        if self._engine is None:
            raise Stopped("the ledger is open for reading only")
        return self._engine.submit(raws).wait()

    def accept(self, raws: list[bytes]) -> list[Answer]:
        """See `Door`; raises `Busy`, `Stopped` or `BeingRestored`."""
        if self._engine is None:
            raise Stopped("the ledger is open for reading only")
        return self._engine.accept(raws).wait()

    @of_whole
    def find(self, transaction: bytes) -> Answer | None:
        """See `Door`."""
        found = rows.find_receipt(self.store, transaction)
        return None if found is None else Answer(transaction, found[2], found[0], found[1], None)

    def context(self) -> Context:
        """Keepers over committed state."""
        check_whole(self.store)
        return committed_context(self.modules, self.store, self.ledger)

    @of_whole
    def next_sequence(self, address: bytes, lane: int = 0) -> int:
        """See `Door`."""
        return int(self.context().port(SenderPort).next_sequence(address, lane))

    @of_whole
    def head(self) -> Head:
        """See `Door`."""
        return self._prover.head()

    @of_whole
    def block(self, height: int) -> StoredBlock | None:
        """See `Door`."""
        return rows.read_block(self.store, height)

    @of_whole
    def state(self, key: bytes) -> bytes | None:
        """See `Door`."""
        return self.store.get(Area.STATE, key)

    @of_whole
    def states(self, keys: list[bytes]) -> list[bytes | None]:
        """See `Door`."""
        if len(keys) > PAGE:
            raise ValueError(f"{len(keys)} keys asked for, {PAGE} at most")
        return self.store.multi_get(Area.STATE, keys)

    @of_whole
    def scan(self, prefix: bytes, after: bytes = b"", limit: int = PAGE) -> list[tuple[bytes, bytes]]:
        """See `Door`."""
        start = max(prefix, after + b"\0") if after else prefix
        return list(islice(self.store.scan(Area.STATE, start, end_of(prefix)), max(0, min(limit, PAGE))))

    @of_whole
    def checkpoint(self) -> str:
        """See `Door`."""
        return self._prover.checkpoint()

    @of_whole
    def bundle(
        self,
        transaction: bytes,
        key: bytes | None,
        disclosures: Sequence[proofs.Disclosure] = (),
        *,
        with_commit: bool = False,
    ) -> bytes:
        """See `Door`."""
        place = self._prover.place(transaction)
        return self._prover.bundle(place, key=key, disclosures=disclosures, with_commit=with_commit)

    @of_whole
    def prove(self, key: bytes, *, with_commit: bool = False) -> bytes:
        """See `Door`."""
        return self._prover.entry(key, with_commit=with_commit)


def collect(door: Door, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every key that begins with a prefix, page by page."""
    after = b""
    while True:
        page: list[tuple[bytes, Any]] = door.scan(prefix, after)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]
