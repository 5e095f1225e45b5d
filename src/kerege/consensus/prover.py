"""Makes proof bundles: a receipt, its path, the newest checkpoint, and the state as of that checkpoint.

Reads trees and log while blocks go on; each answer is bounded and waits for nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.checkpoints import CheckpointKey, origin_of, sign_checkpoint
from kerege.kernel import merkle
from kerege.kernel.block import Head
from kerege.kernel.log import Log
from kerege.kernel.machine import module_leaf
from kerege.kernel.module import Modules
from kerege.kernel.tree import StateTree
from kerege.storage.port import Area, Store


class Unprovable(Exception):
    """What was asked for is not in the ledger, or its height is no longer held."""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a receipt stands in the log."""

    receipt: bytes
    index: int


class Prover:
    """Proofs over one ledger's trees, log and store."""

    def __init__(
        self, modules: Modules, store: Store, trees: list[StateTree], ledger: str, keys: list[CheckpointKey]
    ) -> None:
        self._modules = modules
        self._store = store
        self._trees = trees
        self._ledger = ledger
        self._origin = origin_of(ledger)
        self._keys = keys
        self._signed: tuple[int, str] | None = None

    def head(self) -> Head:
        """The newest durable block."""
        head = rows.read_head(self._store)
        if head is None:
            reason = "the ledger is empty: run `kerege init`"
            raise Unprovable(reason)
        return head

    def checkpoint(self, head: Head | None = None) -> str:
        """The signed note of the log as of a head (the newest by default); signed once per height."""
        head = head or self.head()
        signed = self._signed
        if signed is None or signed[0] != head.height:
            signed = self._signed = (head.height, sign_checkpoint(self._origin, head, self._keys))
        return signed[1]

    def place(self, transaction: bytes) -> LogPlace:
        """The receipt of a transaction id; raises `Unprovable`."""
        found = rows.find_place(self._store, transaction)
        block = None if found is None else rows.read_block(self._store, found[0])
        if found is None or block is None:
            reason = f"no receipt of transaction {transaction.hex()}"
            raise Unprovable(reason)
        return LogPlace(block.leaves[found[1]], block.first_leaf + found[1])

    def bundle(
        self,
        place: LogPlace,
        *,
        key: bytes | None = None,
        disclosures: Sequence[proofs.Disclosure] = (),
        height: int | None = None,
        certificate: bytes | None = None,
    ) -> bytes:
        """The proof bundle of a receipt; with a state `key`, also what the state holds under it as of the checkpoint."""
        head = self._head_at(height)
        log = Log(head.log_size, self._read_tile)
        if key is None:
            path = log.inclusion_path(place.index)
            return proofs.make(
                self._ledger, place.receipt, place.index, self.checkpoint(head), path, disclosures=disclosures,
            )  # fmt: skip
        path = log.multi_path([place.index, head.log_size - 1])
        return proofs.make(
            self._ledger, place.receipt, place.index, self.checkpoint(head), path,
            record=self._record(head), state=self.state(key, head), disclosures=disclosures, certificate=certificate,
        )  # fmt: skip

    def state(self, key: bytes, head: Head) -> proofs.StateProof:
        """What the state holds under a key at a height, or that it holds nothing."""
        module = key[: key.index(b".")].decode()
        position = self._modules.position[module]
        path = self._trees[position].prove(sha256(key).digest(), head.height)
        leaves = merkle.leaf_hashes(
            [module_leaf(n, r) for n, r in zip(self._modules.names, head.module_roots, strict=True)]
        )
        siblings = path.siblings
        return proofs.StateProof(
            module_position=position,
            module_count=len(leaves),
            module_path=merkle.inclusion_path(leaves, position),
            siblings=[siblings[at : at + 32] for at in range(0, len(siblings), 32)],
            value=None if path.value_hash is None else self.value_at(key, head.height),
            other=None if path.other is None else (path.other[:32], path.other[32:]),
        )

    def value_at(self, key: bytes, height: int) -> bytes | None:
        """Stored bytes of a state key after a block of the last 128."""
        newest = self.head().height
        value = self._store.get(Area.STATE, key)
        for later in range(newest, height, -1):
            undo = rows.read_undo(self._store, later)
            if undo is None:
                reason = f"height {height} is no longer held"
                raise Unprovable(reason)
            value = dict(undo).get(key, value)
        return value

    def _head_at(self, height: int | None) -> Head:
        if height is None:
            return self.head()
        block = rows.read_block(self._store, height)
        if block is None:
            reason = f"no block {height}"
            raise Unprovable(reason)
        return block.head

    def _record(self, head: Head) -> bytes:
        block = rows.read_block(self._store, head.height)
        if block is None or not block.leaves:
            reason = f"block {head.height} has no record"
            raise Unprovable(reason)
        return block.leaves[-1]

    def _read_tile(self, level: int, index: int) -> bytes:
        tile = self._store.get(Area.LOG, rows.tile_key(level, index))
        if tile is None:
            reason = f"tile {level}/{index} of the log is missing: the store is damaged"
            raise Unprovable(reason)
        return tile
