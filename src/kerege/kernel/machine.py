"""The ledger machine: the same bytes give the same roots, everywhere.

`check_transaction` is admission (weak, may be wrong by the next block), `execute` applies a block to the
state in memory, `seal` computes its roots. Nothing here persists: the engine writes the sealed block and
then tells the machine that it is durable.
"""

import gc
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from kerege.kernel import crypto, merkle
from kerege.kernel.block import Block, Executed, Head, Outcome, Prepared, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.context import Context
from kerege.kernel.errors import (
    BadSignature, BlockFull, Expired, InternalError, InvariantBroken, KernelFault, NotATransaction, NotCanonical, RateExceeded, Refused,
    ValidTooLong, WorkExceeded, WrongLedger, WrongSequence,
)  # fmt: skip
from kerege.kernel.genesis import Genesis
from kerege.kernel.invariant import Difference, Invariant
from kerege.kernel.log import Log
from kerege.kernel.module import Modules
from kerege.kernel.ports import BalancePort, ParameterPort, SenderPort
from kerege.kernel.receipts import ONE_OPERATOR, BlockReceipt, BlockRecord, Receipt
from kerege.kernel.state import State, StateReader
from kerege.kernel.transaction import MAXIMUM_AHEAD, Transaction
from kerege.kernel.tree import StateTree, make_tree

APP_FORMAT = b"kerege/app/1"

MAXIMUM_OPERATIONS = 50_000
"""Table operations of one transaction."""

MAXIMUM_BLOCK_WEIGHT = 40_000
"""Units of work that one block may ask for."""

SEQUENCE_WINDOW = 100_000
"""How far ahead of the state's sequence admission accepts one: transactions of the same sender may be waiting."""

_DECODED_LIMIT = 50_000

_FATAL = (RecursionError, MemoryError, OSError, KernelFault)
"""Never receipted: another node might not have met them. The node stops."""


def state_root(names: tuple[str, ...], roots: list[bytes]) -> bytes:
    """RFC 6962 root over the modules' trees in order."""
    leaves = [module_leaf(name, root) for name, root in zip(names, roots, strict=True)]
    return merkle.root(merkle.leaf_hashes(leaves))


def module_leaf(name: str, root: bytes) -> bytes:
    """Leaf of a module in the state root: length of the name, name, root of its tree."""
    raw = name.encode()
    return bytes([len(raw)]) + raw + root


def app_hash(root: bytes, log_root: bytes) -> bytes:
    """What validators agree on: changes only when something happened."""
    return sha256(APP_FORMAT + root + log_root).digest()


class Machine:
    """One ledger's state machine over a reader of committed state.

    `head` and `trees` are where the ledger stands (both absent: nothing yet, call `begin` with the genesis).
    """

    def __init__(
        self,
        modules: Modules,
        *,
        ledger: str,
        prefix: str,
        reader: StateReader,
        read_tile: Callable[[int, int], bytes],
        head: Head | None = None,
        trees: list[StateTree] | None = None,
        cache_limit: int = 400_000,
        verifier: crypto.Verifier | None = None,
    ) -> None:
        self.modules = modules
        self.ledger = ledger
        self.prefix = prefix
        self.head = head
        self.state = State(reader, cache_limit)
        self.trees = trees if trees is not None else [make_tree() for _ in modules.all]
        self.log = Log(0 if head is None else head.log_size, read_tile)
        self.verifier = verifier if verifier is not None else crypto.Verifier()
        self._last = (-1, 0) if head is None else (head.height, head.time)
        """Height and time of the last executed block: ahead of `head` while it is being sealed."""
        self._decoded: dict[bytes, Transaction | NotATransaction] = {}
        self._watched = _watched(modules)

    # Admission

    def decode(self, raw: bytes) -> Transaction:
        """The transaction of its bytes; raises `NotATransaction`. Remembered until it was executed."""
        known = self._decoded.get(raw)
        if known is None:
            try:
                known = self.modules.decoder.transaction(raw)
            except NotATransaction as reason:
                known = reason
            if len(self._decoded) >= _DECODED_LIMIT:
                self._decoded.clear()
            self._decoded[raw] = known
        if isinstance(known, NotATransaction):
            raise known
        return known

    def check(self, transaction: Transaction, time: int, window: int = SEQUENCE_WINDOW) -> None:
        """All but the signature, against the state after the last executed block; raises `NotATransaction`."""
        ctx = self._context(0, time)
        self._check_body(ctx, transaction, time)
        body = transaction.body
        expected = ctx.port(SenderPort).next_sequence(body.sender, body.lane)
        if not expected <= body.sequence <= expected + window:
            raise WrongSequence(lane=body.lane, sequence=body.sequence, expected=expected)

    def verify(self, transactions: list[Transaction]) -> list[bool]:
        """Verdicts on the witnesses."""
        settings = self._signature_settings(self.context())
        return self.verifier.collect(self.submit(transactions), settings)

    def submit(self, transactions: list[Transaction]) -> Any:  # noqa: ANN401 - the verifier's ticket
        """Start checking witnesses on native threads; `verifier.collect` gives the verdicts."""
        return self.verifier.submit([_signed(t) for t in transactions])

    def check_transaction(self, raw: bytes, time: int) -> Transaction:
        """Admission of one transaction; raises `NotATransaction` with number and facts."""
        transaction = self.decode(raw)
        self.check(transaction, time)
        if not self.verify([transaction])[0]:
            raise BadSignature(kind=transaction.witness.kind)
        return transaction

    def _check_body(self, ctx: Context, transaction: Transaction, time: int) -> None:
        body = transaction.body
        if body.ledger != self.ledger:
            raise WrongLedger(ledger=body.ledger)
        if body.valid_until < time:
            raise Expired(valid_until=body.valid_until, time=time)
        if body.valid_until > time + MAXIMUM_AHEAD:
            raise ValidTooLong(valid_until=body.valid_until, time=time, limit=time + MAXIMUM_AHEAD)
        ctx.port(SenderPort).check_sender(body.sender, transaction.witness.kind, transaction.witness.key)

    # Blocks

    def begin(self, genesis: Genesis) -> Block:
        """Block 0: what the modules hold before the first transaction."""
        ctx = self._context(0, genesis.time)
        given = dict(genesis.modules)
        for module in self.modules.all:
            if module.genesis is not None and module.load is not None and module.name in given:
                ctx.begin(bytes(20), bytes(32))
                self.state.begin_transaction()
                module.load(ctx, _decode_genesis(given[module.name], module.genesis))
        executed = Executed(0, genesis.time, [])
        executed.changes = self.state.end_block()
        self._last = (0, genesis.time)
        return self.seal(executed, always=True)

    def apply_block(self, height: int, time: int, transactions: list[bytes]) -> Block:
        """Execute and seal; total over any bytes."""
        return self.seal(self.execute(height, time, self.prepare(transactions)))

    def prepare(self, transactions: list[bytes]) -> Prepared:
        """Decode, and start checking signatures on native threads: may run while another block executes."""
        decoded = [self._decode_or_reason(raw) for raw in transactions]
        return Prepared(transactions, decoded, self.submit([t for t in decoded if isinstance(t, Transaction)]))

    def execute(self, height: int, time: int, prepared: Prepared) -> Executed:
        """Apply a block to the state in memory. Raises only what stops a node."""
        last_height, last_time = self._last
        if height <= last_height or time < last_time:
            reason = f"block {height} at {time} after {last_height} at {last_time}"
            raise KernelFault(reason)
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._execute(height, time, prepared)
        finally:
            if collecting:
                gc.enable()

    def _execute(self, height: int, time: int, prepared: Prepared) -> Executed:
        executed = Executed(height, time, prepared.raw)
        executed.after = self._last
        ctx = self._context(height, time)
        verdicts = iter(self.verifier.collect(prepared.ticket, self._signature_settings(ctx)))
        budget = MAXIMUM_BLOCK_WEIGHT
        for transaction in prepared.decoded:
            if isinstance(transaction, NotATransaction):
                executed.outcomes.append(Outcome(b"", None, None, transaction))
                continue
            signed = next(verdicts)
            if transaction.weight > budget:
                executed.outcomes.append(Outcome(transaction.id, None, None, BlockFull(limit=MAXIMUM_BLOCK_WEIGHT)))
                continue
            self._apply(ctx, executed, transaction, signed=signed)
            budget -= transaction.weight
        self._run_schedules(ctx, executed)
        executed.changes = self.state.end_block()
        self._check_block(ctx, executed)
        self._last = (height, time)
        for raw in prepared.raw:
            self._decoded.pop(raw, None)
        return executed

    def _check_block(self, ctx: Context, executed: Executed) -> None:
        """The cheap invariants over the whole block; a violation stops the node before it commits."""
        differences: dict[str, list[Difference]] = {}
        for key, (table, before, now) in executed.changes.items.items():
            if table.name in self._watched:
                differences.setdefault(table.name, []).append((key, before, now))
        for name in self._broken(ctx, differences):
            reason = f"invariant {name} does not hold over block {executed.height}: see docs/operating, recovery"
            raise KernelFault(reason)

    def _decode_or_reason(self, raw: bytes) -> Transaction | NotATransaction:
        try:
            return self.decode(raw)
        except NotATransaction as reason:
            return reason

    def _apply(self, ctx: Context, executed: Executed, transaction: Transaction, *, signed: bool) -> None:
        """One of the three classes: not a transaction, refused, applied."""
        body, state = transaction.body, self.state
        state.begin_transaction()
        ctx.begin(body.sender, transaction.id)
        try:
            self._check_body(ctx, transaction, ctx.time)
            if not signed:
                raise BadSignature(kind=transaction.witness.kind)
            retry_at = ctx.port(SenderPort).admit(body.sender, body.lane, body.sequence, transaction.weight)
        except NotATransaction as reason:
            state.rollback(0)
            executed.outcomes.append(Outcome(transaction.id, None, None, reason))
            return
        mark, state.created = len(state.undo), 0
        refusal: Refused | None = None
        try:
            if retry_at:
                raise RateExceeded(weight=transaction.weight, available=0, retry_at=retry_at)
            for message in body.messages:
                ctx.run(message)
            self._check_work(ctx, body.sender)
            self._check_invariants(ctx, 0)
        except Refused as refused:
            refusal = refused
        except _FATAL:
            raise
        except Exception as unforeseen:  # noqa: BLE001 - ADR: receipted as kernel.internal, with an alarm
            refusal = InternalError(message=type(body.messages[0]).__name__)
            executed.alarms.append(f"{transaction.id.hex()}: {unforeseen!r}")
        if refusal is not None:
            state.rollback(mark)
            ctx.events = []
            if isinstance(refusal, InvariantBroken):
                executed.alarms.append(f"{transaction.id.hex()}: {refusal}")
        receipt = encode(
            Receipt(
                transaction.id, transaction.witness_hash, ctx.height, ctx.time,
                "" if refusal is None else refusal.code, [] if refusal is None else refusal.facts(), ctx.events,
            )
        )  # fmt: skip
        executed.outcomes.append(Outcome(transaction.id, receipt, len(executed.leaves)))
        executed.leaves.append(receipt)

    def _check_work(self, ctx: Context, sender: bytes) -> None:
        """Bounds on what a transaction may touch and leave behind."""
        state = self.state
        if state.operations > MAXIMUM_OPERATIONS:
            raise WorkExceeded(operations=state.operations, limit=MAXIMUM_OPERATIONS)
        created = state.created
        if created:
            entries = ctx.port(SenderPort).count_entries(sender, created)
            if created > 0 and entries:
                ctx.port(BalancePort).check_minimum(sender, entries)

    def _check_invariants(self, ctx: Context, mark: int) -> None:
        """The cheap forms, over what was changed since the mark."""
        state, watched = self.state, self._watched
        differences: dict[str, list[Difference]] = {}
        seen: set[bytes] = set()
        for table, key, before in state.undo[mark:]:
            if table.name in watched and key not in seen:
                seen.add(key)
                differences.setdefault(table.name, []).append((key, before, state.current(key)))
        for name in self._broken(ctx, differences):
            raise InvariantBroken(name=name)

    def _broken(self, ctx: Context, differences: dict[str, list[Difference]]) -> list[str]:
        """Names of the invariants that do not hold over these differences."""
        asked: dict[str, Invariant] = {i.name: i for name in differences for i in self._watched[name]}
        return [name for name, invariant in asked.items() if not invariant.cheap(ctx, differences)]

    def _run_schedules(self, ctx: Context, executed: Executed) -> None:
        """What is due, bounded by each module; receipted in the block's own receipt.

        A module's part that refuses or breaks an invariant is rolled back alone and raises an alarm.
        """
        events: list[Any] = []
        for module in self.modules.all:
            if module.schedule is None:
                continue
            self.state.begin_transaction()
            ctx.begin(bytes(20), bytes(32))
            try:
                module.schedule.run(ctx)
                self._check_invariants(ctx, 0)
            except Refused as refused:
                self.state.rollback(0)
                executed.alarms.append(f"schedule of {module.name}: {refused}")
                continue
            events.extend(ctx.events)
        if events:
            executed.leaves.append(encode(BlockReceipt(ctx.height, ctx.time, events)))

    def next_due(self) -> int | None:
        """The earliest time at which a schedule has something to do: when a node sends `kernel.Tick`."""
        ctx = self._context(0, 0 if self.head is None else self.head.time)
        dues = [m.schedule.due(ctx) for m in self.modules.all if m.schedule is not None]
        return min((due for due in dues if due is not None), default=None)

    def seal(self, executed: Executed, *, always: bool = False) -> Block:
        """Roots of the block. Touches trees and log only, so that the next block may execute meanwhile."""
        position, tables = self.modules.position, executed.changes.items
        stored: dict[bytes, bytes | None] = {}
        undo: list[tuple[bytes, bytes | None]] = []
        touched: dict[int, list[tuple[bytes, bytes | None]]] = {}
        for key, (table, before, now) in tables.items():
            raw = None if now is None else table.encode_value(now)
            stored[key] = raw
            undo.append((key, None if before is None else table.encode_value(before)))
            touched.setdefault(position[table.module], []).append((key, raw))
        roots = self._update_trees(executed.height, touched)
        root = state_root(self.modules.names, roots)
        leaves, first = executed.leaves, self.log.size
        if leaves or tables or always:
            leaves.append(encode(BlockRecord(executed.height, executed.time, root, ONE_OPERATOR)))
            self.log.append(merkle.leaf_hashes(leaves))
        log_root = self.log.root()
        head = Head(
            executed.height, executed.time, app_hash(root, log_root), root, log_root, self.log.size, roots,
        )  # fmt: skip
        block = Block(executed, head, StoredBlock(head.height, head.time, executed.transactions, first, leaves, head))
        block.state, block.undo, block.tiles = stored, undo, self.log.pending_tiles()
        block.index = {o.id: (head.height, o.leaf) for o in executed.outcomes if o.leaf is not None}
        self.head = head
        return block

    def _update_trees(self, height: int, touched: dict[int, list[tuple[bytes, bytes | None]]]) -> list[bytes]:
        roots = []
        for index, tree in enumerate(self.trees):
            if index in touched:
                tree.update(touched[index])
            tree.commit(height)
            roots.append(tree.root)
        return roots

    def durable(self, block: Block) -> None:
        """The store holds the block: its changes and tiles need no longer be kept in memory."""
        self.log.stored(block.tiles)
        self.state.durable(block.executed.changes)

    @property
    def last(self) -> tuple[int, int]:
        """Height and time of the last executed block."""
        return self._last

    def forget(self, executed: Executed) -> None:
        """An executed block turned out empty and is not kept: its height is used again."""
        self.state.forget(executed.changes)
        self._last = executed.after

    # Helpers

    def _context(self, height: int, time: int) -> Context:
        return Context(self.modules, self.state, self.ledger, height, time)

    def context(self, time: int | None = None) -> Context:
        """A context for views: keepers to read with; what is written through it is lost and must not be."""
        head = self.head
        return self._context(0 if head is None else head.height, time if time is not None else head.time if head else 0)

    def _signature_settings(self, ctx: Context) -> crypto.SignatureSettings:
        """Which sites' passkeys may sign: from state, as of this block, so that every node gives the same verdict."""
        parameters = ctx.port(ParameterPort)
        origins = parameters.find("kernel.webauthn_origins", ctx.time) or ()
        return crypto.SignatureSettings(tuple(origins), tuple(parameters.find("kernel.webauthn_rp_ids", ctx.time) or ()))

    def full_invariants(self) -> list[str]:
        """Names of the truths that do not hold over all state (none, if all is well)."""
        ctx = self.context()
        return [i.name for i in self.modules.invariants if not i.full(ctx)]


def _watched(modules: Modules) -> dict[str, list[Invariant]]:
    watched: dict[str, list[Invariant]] = {}
    for invariant in modules.invariants:
        for table in invariant.watches:
            watched.setdefault(table.name, []).append(invariant)
    return watched


def _decode_genesis(raw: bytes, kind: type[Any]) -> Any:  # noqa: ANN401
    try:
        return decode(raw, kind)
    except ValueError as error:
        raise NotCanonical(reason=f"genesis: {error}") from None


def _signed(transaction: Transaction) -> tuple[int, bytes, Transaction, bytes]:
    witness = transaction.witness
    return witness.kind, witness.key, transaction, witness.signature
