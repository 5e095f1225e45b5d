"""Makes proof bundles: a receipt, its path, the newest checkpoint, and the state as of that checkpoint.

Reads trees and log while blocks go on; each answer is bounded and waits for nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.checkpoints import Checkpoints, Unprovable
from kerege.kernel import merkle
from kerege.kernel.block import Head
from kerege.kernel.log import Log
from kerege.kernel.machine import module_leaf
from kerege.kernel.module import Modules
from kerege.kernel.tree import StateTree
from kerege.proofs.commit import EngineCommit
from kerege.storage.port import Area, Store

CERTIFICATES = b"registries.certificate\0"
"""What the state keys of certificates begin with: the only rows that a bundle is about."""

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a receipt stands in the log."""

    receipt: bytes
    index: int


class Prover:
    """Proofs over one ledger's trees, log and store.

    `trees` gives those of the machine that runs now: another one does after a member was filled from a snapshot.
    """

    def __init__(
        self,
        modules: Modules,
        store: Store,
        trees: Callable[[], Sequence[StateTree]],
        ledger: str,
        checkpoints: Checkpoints,
    ) -> None:
        self._modules = modules
        self._store = store
        self._trees = trees
        self._ledger = ledger
        self._checkpoints = checkpoints

    def head(self) -> Head:
        """The newest durable block."""
        head = rows.read_head(self._store)
        if head is None:
            raise Unprovable("the ledger is empty: run `kerege init`")
        return head

    def checkpoint(self, head: Head | None = None) -> str:
        """The signed note of the log as of a head (the newest that is signed by default)."""
        return self._checkpoints.sign(head or self._head_at(None))

    def place(self, transaction: bytes) -> LogPlace:
        """The receipt of a transaction id; raises `Unprovable`."""
        found = rows.find_receipt(self._store, transaction)
        if found is None:
            raise Unprovable(f"no receipt of transaction {transaction.hex()}")
        return LogPlace(found[2], found[1])

    def bundle(
        self,
        place: LogPlace,
        *,
        key: bytes | None = None,
        disclosures: Sequence[proofs.Disclosure] = (),
        height: int | None = None,
        with_commit: bool = False,
    ) -> bytes:
        """The proof bundle of a receipt, as of a height (the newest that is signed by default).

        With the state `key` of a certificate that the receipt issued, also what the state holds under it then; and
        with the engine's commit, where that is asked for.
        Raises `Unprovable` where the receipt is younger than the height, the height is no longer held, the receipt
        says nothing about that key; `NoCommit` where there is no commit.
        """
        head = self._head_at(height)
        if place.index >= head.log_size - 1:
            raise Unprovable(f"the receipt is younger than block {head.height}")
        log = Log(head.log_size, self._read_tile)
        note = self.checkpoint(head)
        commit = self._commit(head) if with_commit else None
        try:
            if key is None and commit is None:
                path = log.inclusion_path(place.index)
                return proofs.make(self._ledger, place.receipt, place.index, note, path, disclosures=disclosures)
            return proofs.make(
                self._ledger,
                place.receipt,
                place.index,
                note,
                log.multi_path([place.index, head.log_size - 1]),
                record=self._record(head),
                state=None if key is None else self.state(key, head),
                disclosures=disclosures,
                certificate=key[len(CERTIFICATES) :] if key is not None and key.startswith(CERTIFICATES) else None,
                commit=commit,
            )
        except proofs.CannotMake as error:
            raise Unprovable(str(error)) from error

    def entry(self, key: bytes, height: int | None = None, *, with_commit: bool = False) -> bytes:
        """The state proof of a key, present or absent, as of a height (the newest that is signed by default).

        Raises `Unprovable` for a key of no module, and where the height is no longer held; `NoCommit`.
        """
        head = self._head_at(height)
        path = Log(head.log_size, self._read_tile).inclusion_path(head.log_size - 1)
        state, record, note = self.state(key, head), self._record(head), self.checkpoint(head)
        commit = self._commit(head) if with_commit else None
        try:
            return proofs.entry.make(self._ledger, key, note, tuple(path), record, state, commit)
        except proofs.CannotMake as error:
            raise Unprovable(str(error)) from error

    def state(self, key: bytes, head: Head) -> proofs.StateProof:
        """What the state holds under a key at a height of the last 128, or that it holds nothing."""
        position = self._modules.position.get(key.partition(b".")[0].decode(errors="replace"))
        if position is None:
            raise Unprovable("no module of this ledger has such a key")
        try:
            path = self._trees()[position].prove(sha256(key).digest(), head.height)
        except LookupError:
            raise Unprovable(f"height {head.height} is no longer held") from None
        leaves = merkle.leaf_hashes(
            [module_leaf(n, r) for n, r in zip(self._modules.names, head.module_roots, strict=True)]
        )
        return proofs.StateProof(
            module_position=position,
            module_count=len(leaves),
            module_path=merkle.inclusion_path(leaves, position),
            siblings=[path.siblings[at : at + 32] for at in range(0, len(path.siblings), 32)],
            value=None if path.value_hash is None else self._value(key, head.height, path.value_hash),
            other=None if path.other is None else (path.other[:32], path.other[32:]),
        )

    def _value(self, key: bytes, height: int, digest: bytes) -> bytes:
        """Stored bytes under a key after a block of the last 128, known by their hash, so that no race matters.

        They are what the first later block that changed the key found there; else they stand there now.
        """
        for _ in range(_ATTEMPTS):  # again where blocks became durable between the reads
            newest, value = self.head().height, self._store.get(Area.STATE, key)
            for later in range(height + 1, newest + 1):
                if value is not None and sha256(value).digest() == digest:
                    return value
                value = dict(rows.read_undo(self._store, later) or ()).get(key, value)
            if value is not None and sha256(value).digest() == digest:
                return value
        raise Unprovable(f"the state of height {height} is no longer held")

    def _head_at(self, height: int | None) -> Head:
        if height is None:
            return self._checkpoints.covering(self.head())
        summary = rows.read_summary(self._store, height)
        if summary is None:
            raise Unprovable(f"no block {height}")
        return summary.head

    def _commit(self, head: Head) -> EngineCommit:
        """The engine's votes for what the newest block that was not empty, up to the head, led to."""
        return self._checkpoints.commit(self._recorded(head).height, head.app_hash)

    def _record(self, head: Head) -> bytes:
        """The last leaf of the log: the record of the newest block that was not empty, up to the head."""
        summary = self._recorded(head)
        return rows.read_leaf(self._store, summary.height, summary.leaves - 1)

    def _recorded(self, head: Head) -> rows.Summary:
        summary = rows.read_summary(self._store, head.height)
        while summary is not None and not summary.leaves:
            summary = rows.read_summary(self._store, summary.height - 1)
        if summary is None:
            raise Unprovable(f"block {head.height} has no record")
        return summary

    def _read_tile(self, level: int, index: int) -> bytes:
        tile = self._store.get(Area.LOG, rows.tile_key(level, index))
        if tile is None:
            raise Unprovable(f"tile {level}/{index} of the log is missing: the store is damaged")
        return tile
