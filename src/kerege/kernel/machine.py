"""The ledger machine: the same bytes give the same roots, everywhere.

`check_transaction` is admission (weak, may be wrong by the next block), `execute` applies a block to the
state in memory, `seal` computes its roots. Nothing here persists: the engine writes the sealed block and
then tells the machine that it is durable.

Threads: one may execute while another seals the block before, in order; everything else is for the one that executes.
Where that one seals as well, only what `begin_seal` hands out need run on another.
"""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from kerege.kernel import crypto, merkle
from kerege.kernel.block import Block, Executed, Head, Prepared, Sealing, Signatures, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.context import NOBODY, Context
from kerege.kernel.errors import BadSignature, KernelFault, NotATransaction, NotCanonical, WrongSequence
from kerege.kernel.execution import NO_TRANSACTION, Execution, check_body, watched_tables
from kerege.kernel.genesis import Genesis
from kerege.kernel.log import Log
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.module import Module, Modules
from kerege.kernel.ports import ParameterPort, SenderPort
from kerege.kernel.receipts import BlockRecord
from kerege.kernel.state import UNBOUNDED, Beside, Fetch, State, StateReader, at_once
from kerege.kernel.tables import Table
from kerege.kernel.transaction import Transaction
from kerege.kernel.tree import StateTree, make_tree

APP_FORMAT = b"kerege/app/1"

SEQUENCE_WINDOW = 100_000
"""How far ahead of the state's sequence admission accepts one: transactions of the same sender may be waiting."""

MISSES_WORTH_FETCHING = 4
"""One read of a table's rows in so many transactions: below it, naming what to fetch costs more than it saves."""

_REMEMBERED_BYTES = 64 * 1024 * 1024
"""Decoded transactions are remembered from admission to execution, up to so many bytes of them."""

ReadTile = Callable[[int, int], bytes]
"""(level, index) → stored bytes of a tile of the log; raises where there is none."""


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
        read_tile: ReadTile,
        head: Head | None = None,
        trees: list[StateTree] | None = None,
        cache_limit: int = 400_000,
        verifier: crypto.Verifier | None = None,
        beside: Beside[bytes | None] = at_once,
    ) -> None:
        self.modules = modules
        self.ledger = ledger
        self.prefix = prefix
        self.head = head
        """The newest sealed block."""
        self.state = State(reader, cache_limit)
        self.trees = trees if trees is not None else [make_tree() for _ in modules.all]
        self._read_tile = read_tile
        self.log = Log(0 if head is None else head.log_size, read_tile)
        self.verifier = verifier if verifier is not None else crypto.Verifier()
        self._last = (-1, 0) if head is None else (head.height, head.time)
        self._sealed: list[Block] = []
        """Sealed and not yet durable, oldest first."""
        self._beside = beside
        self._decoded: dict[bytes, Transaction | NotATransaction] = {}
        self._decoded_bytes = 0
        self._watched = watched_tables(modules)
        self._missed: dict[Table[Any, Any], int] = {}
        self._fetched: dict[Table[Any, Any], int] = {}
        """By table, single reads before, and rows fetched ahead of, the newest block: which are worth fetching."""

    # Admission

    def decode(self, raw: bytes) -> Transaction:
        """The transaction of its bytes; raises `NotATransaction`. Remembered until it was executed."""
        known = self._decoded.get(raw)
        if known is None:
            known = self._decode(raw)
            if self._decoded_bytes > _REMEMBERED_BYTES:
                self._forget_decoded()
            self._decoded[raw] = known
            self._decoded_bytes += len(raw)
        if isinstance(known, NotATransaction):
            raise known.with_traceback(None)  # raised many times: without this its traceback would grow each time
        return known

    def check(self, transaction: Transaction, time: int, window: int = SEQUENCE_WINDOW) -> None:
        """All but the signature, against the state after the last executed block; raises `NotATransaction`."""
        ctx = self._context(0, time)
        body, senders = transaction.body, ctx.port(SenderPort)
        check_body(ctx.ledger, senders, transaction, time)
        expected = senders.next_sequence(body.sender, body.lane)
        if not expected <= body.sequence <= expected + window:
            raise WrongSequence(lane=body.lane, sequence=body.sequence, expected=expected)

    def verify(self, transactions: list[Transaction], ctx: Context | None = None) -> list[bool]:
        """Verdicts on the witnesses, by the settings that a context sees: on another thread than the executing one,
        one over committed state.
        """
        settings = self._signature_settings(self.context() if ctx is None else ctx)
        return self._finish(self._submit(transactions), settings)

    def begin_signatures(self, transactions: list[Transaction]) -> Signatures:
        """Begin to check witnesses, for `finish_signatures`: nobody waits for them yet."""
        return self._submit(transactions, awaited=False)

    def finish_signatures(self, signatures: Signatures) -> list[bool]:
        """Wait for verdicts, by the settings in force; the block that executes these asks no more."""
        return self._finish(signatures, self._signature_settings(self.context()))

    def _finish(self, signatures: Signatures, settings: crypto.SignatureSettings) -> list[bool]:
        verdicts = self._verdicts(signatures, settings)
        for transaction, good in zip(signatures.transactions, verdicts, strict=True):
            if good or transaction.witness.kind != crypto.WEBAUTHN:  # a passkey's may be good at another place
                transaction.signed = good
        return verdicts

    def check_transaction(self, raw: bytes, time: int) -> Transaction:
        """Admission of one transaction; raises `NotATransaction` with number and facts."""
        transaction = self.decode(raw)
        self.check(transaction, time)
        if not self.verify([transaction])[0]:
            raise BadSignature(kind=transaction.witness.kind)
        return transaction

    # Blocks

    def begin(self, genesis: Genesis) -> Block:
        """Block 0: what the modules hold before the first transaction. Its invariants hold, or `KernelFault`."""
        given = dict(genesis.modules)
        if [name for name, _ in genesis.modules] != [name for name in self.modules.names if name in given]:
            raise NotCanonical(reason="genesis: modules are unknown, repeated or out of order")
        if (genesis.ledger, genesis.prefix) != (self.ledger, self.prefix) or self._last != (-1, 0):
            raise KernelFault("this genesis is of another ledger, or the ledger has begun")
        ctx, executed = self._context(0, genesis.time), Executed(0, genesis.time, [])
        executed.after = self._last
        with _Undoing(self.state):
            for module in self.modules.all:
                if module.load is not None and module.name in given:
                    ctx.begin(NOBODY, NO_TRANSACTION)
                    self.state.begin_transaction()
                    module.load(ctx, _decode_genesis(given[module.name], module))
            Execution(self.modules, self._watched, ctx, executed).end()
        self._last = (0, genesis.time)
        return self.seal(executed, always=True)

    def apply_block(self, height: int, time: int, transactions: list[bytes]) -> Block:
        """Execute and seal; total over any bytes."""
        return self.seal(self.execute(height, time, self.prepare(transactions)))

    def prepare(self, transactions: list[bytes]) -> Prepared:
        """Decode, and start checking signatures on native threads: may run while another block executes."""
        known = self._decoded
        decoded = [known.get(raw) or self._decode(raw) for raw in transactions] if known else None
        return self._prepared(transactions, decoded or [self._decode(raw) for raw in transactions])

    def prepare_decoded(self, transactions: list[Transaction]) -> Prepared:
        """The same for transactions that are decoded already."""
        return self._prepared([t.raw for t in transactions], list(transactions))

    def execute(
        self, height: int, time: int, prepared: Prepared, misbehaviour: Sequence[Misbehaviour] = ()
    ) -> Executed:
        """Apply a block to the state in memory. Raises only what stops a node, and has changed nothing then.

        `misbehaviour` is what the engine told of its validators with this block.
        """
        last_height, last_time = self._last
        if height <= last_height or time < last_time:
            raise KernelFault(f"block {height} at {time} after {last_height} at {last_time}")
        executed = Executed(height, time, prepared.raw)
        executed.after, executed.misbehaviour = self._last, list(misbehaviour)
        collecting = gc.isenabled()
        gc.disable()
        try:
            with _Undoing(self.state):
                ctx = self._context(height, time)
                if prepared.fetch is not None:
                    self.state.finish_fetch(prepared.fetch)
                verdicts = self._verdicts(prepared.signatures, self._signature_settings(ctx))
                Execution(self.modules, self._watched, ctx, executed).run(prepared.decoded, verdicts)
        finally:
            if collecting:
                gc.enable()
        self._last = (height, time)
        if self._decoded:
            for raw in prepared.raw:
                if self._decoded.pop(raw, None) is not None:
                    self._decoded_bytes -= len(raw)
        return executed

    def seal(self, executed: Executed, *, always: bool = False) -> Block:
        """Roots of the block. Touches trees and log only, so that the next block may execute meanwhile."""
        return self.finish_seal(self.begin_seal(executed), always=always)

    def begin_seal(self, executed: Executed, beside: Beside[bytes] = at_once) -> Sealing:
        """Begin to hash what the block changed into the trees, `beside` what else is done; `finish_seal` goes on.

        Both in order of the blocks; the next one may begin before this one is finished.
        """
        stored, undo, touched = executed.changes.encode(self.modules.position)
        return Sealing(executed, stored, undo, beside(partial(self._update_trees, executed.height, touched)))

    def finish_seal(self, sealing: Sealing, *, always: bool = False) -> Block:
        """The block of what `begin_seal` began."""
        executed, stored = sealing.executed, sealing.stored
        before, log_size, roots = self.head, self.log.size, sealing.roots()
        root = state_root(self.modules.names, roots)
        leaves = list(executed.leaves)
        if leaves or stored or always:
            leaves.append(encode(BlockRecord(executed.height, executed.time, root, executed.validators)))
            self.log.append(merkle.leaf_hashes(leaves))
        log_root = self.log.root()
        head = Head(executed.height, executed.time, app_hash(root, log_root), root, log_root, self.log.size, roots)
        block = Block(
            executed, head, StoredBlock(head.height, head.time, executed.transactions, log_size, leaves, head)
        )
        block.before, block.state, block.undo, block.tiles = before, stored, sealing.undo, self.log.pending_tiles()
        height = head.height
        block.index = {o.id: encode((height, o.leaf)) for o in executed.outcomes if o.leaf is not None}
        self.head = head
        self._sealed.append(block)
        return block

    def _update_trees(self, height: int, touched: dict[int, list[tuple[bytes, bytes | None]]]) -> list[bytes]:
        roots = []
        for index, tree in enumerate(self.trees):
            if index in touched:
                tree.update(touched[index])
            roots.append(tree.commit(height))
        return roots

    def durable(self, block: Block) -> None:
        """The store holds the block: its changes and tiles need no longer be kept in memory. In block order."""
        if not self._sealed or self._sealed[0] is not block:
            raise KernelFault(f"block {block.head.height} is not the oldest that waits for the store")
        del self._sealed[0]
        self.log.stored(block.tiles)
        self.state.durable(block.executed.changes)

    def discard(self, what: Executed | Block) -> None:
        """Forget the newest block as if it had never run: an empty one, or a candidate that another one replaces.

        A sealed one can be discarded while every block before it is durable.
        """
        executed = what.executed if isinstance(what, Block) else what
        if self._last != (executed.height, executed.time):
            raise KernelFault(f"block {executed.height} is not the newest")
        if isinstance(what, Block):
            self._discard_sealed(what)
        self.state.discard(executed.changes)
        self._last = executed.after

    def _discard_sealed(self, block: Block) -> None:
        if self._sealed != [block]:
            raise KernelFault(f"block {block.head.height} is not sealed, or one before it is not durable")
        before = block.before
        for tree in self.trees:
            tree.rollback(-1 if before is None else before.height)
        self.log = Log(0 if before is None else before.log_size, self._read_tile)
        self.head = before
        self._sealed.clear()

    @property
    def last(self) -> tuple[int, int]:
        """Height and time of the last executed block: ahead of `head` while it is being sealed."""
        return self._last

    # Asking

    def context(self, time: int | None = None) -> Context:
        """A context for views: keepers to read with; what is written through it is lost and must not be.

        It sees executed blocks before they are durable and shares the running machine's cache: for the thread that
        executes. Everybody else reads committed state (`kerege.consensus.door.committed_context`).
        """
        head = self.head
        return self._context(0 if head is None else head.height, time if time is not None else head.time if head else 0)

    def full_invariants(self) -> list[str]:
        """Names of the truths that do not hold over all state (none, if all is well)."""
        return broken_invariants(self.modules, self.context())

    def _context(self, height: int, time: int) -> Context:
        return Context(self.modules, self.state, self.ledger, height, time)

    def _decode(self, raw: bytes) -> Transaction | NotATransaction:
        try:
            return self.modules.decoder.transaction(raw)
        except NotATransaction as reason:
            return reason

    def _begin_fetch(self, decoded: list[Transaction | NotATransaction]) -> Fetch | None:
        """Begin to read what the transactions declare of the tables that the cache missed in the block before."""
        state, modules = self.state, self.modules
        cold = self._cold_tables(len(decoded))
        self._fetched = {}
        if not cold:
            return None
        wanted: dict[bytes, Table[Any, Any]] = {}
        of_sender = [state.column(table).want for table in modules.sender_tables if table in cold]
        of_message = modules.declares if cold.difference(modules.sender_tables) else {}
        for transaction in decoded:
            if isinstance(transaction, NotATransaction):
                continue
            sender = transaction.body.sender
            for want in of_sender:
                want(sender, wanted)
            try:
                for message in transaction.body.messages if of_message else ():
                    declare = of_message.get(type(message))
                    if declare is not None:
                        for table, key in declare(sender, message):
                            if table in cold:
                                state.column(table).want(key, wanted)
            except (ValueError, OverflowError):  # a key that is none: the handler will say so
                continue
        fetch = state.begin_fetch(wanted, self._beside)
        self._fetched = Counter(fetch.tables.values())
        return fetch

    def _cold_tables(self, transactions: int) -> set[Table[Any, Any]]:
        """The tables of which the newest block read, or had fetched ahead, enough rows that were not in memory."""
        misses, before, fetched = dict(self.state.misses), self._missed, self._fetched  # as it is now: others may read
        self._missed = misses
        enough = max(1, transactions // MISSES_WORTH_FETCHING)
        return {
            table for table, total in misses.items() if total - before.get(table, 0) + fetched.get(table, 0) >= enough
        }

    def _forget_decoded(self) -> None:
        self._decoded.clear()
        self._decoded_bytes = 0

    def _prepared(self, raws: list[bytes], decoded: list[Transaction | NotATransaction]) -> Prepared:
        signatures = self._submit([t for t in decoded if isinstance(t, Transaction)])
        return Prepared(raws, decoded, signatures, self._begin_fetch(decoded))

    def _submit(self, transactions: list[Transaction], *, awaited: bool = True) -> Signatures:
        """Begin to check the witnesses of which nothing is known."""
        known = [t.signed for t in transactions]
        items = [(t.witness.kind, t.witness.key, t, t.witness.signature) for t in transactions if t.signed is None]
        self.verifier.recall(len(transactions) - len(items))
        begin = self.verifier.submit if awaited else self.verifier.begin
        return Signatures(transactions, known, begin(items))

    def _verdicts(self, signatures: Signatures, settings: crypto.SignatureSettings) -> list[bool]:
        """In the order of the transactions."""
        found = self.verifier.collect(signatures.ticket, settings)
        if len(found) == len(signatures.known):
            return found
        rest, allowed = iter(found), crypto.allowed_here
        return [
            next(rest) if good is None else good and allowed(t.witness.kind, t, t.witness.signature, settings)
            for t, good in zip(signatures.transactions, signatures.known, strict=True)
        ]

    def _signature_settings(self, ctx: Context) -> crypto.SignatureSettings:
        """Which sites' passkeys may sign: from state, as of this block, so that every node gives the same verdict."""
        find = ctx.port(ParameterPort).find
        return crypto.SignatureSettings(
            _texts(find("kernel.webauthn_origins", ctx.time)), _texts(find("kernel.webauthn_rp_ids", ctx.time))
        )


class _Undoing:
    """A block that does not come to its end leaves nothing in the state; nobody counts operations after it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._state.limit = UNBOUNDED
        if kind is not None:
            self._state.discard_block()


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a parameter; none where it is of another type: what was enacted by mistake must not stop a node."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


def next_due(modules: Modules, ctx: Context) -> int | None:
    """The earliest time at which a schedule has something to do: when a node sends `kernel.Tick`."""
    dues = [m.schedule.due(ctx) for m in modules.all if m.schedule is not None]
    return min((due for due in dues if due is not None), default=None)


def broken_invariants(modules: Modules, ctx: Context) -> list[str]:
    """Names of the truths that do not hold over all state that a context sees."""
    return [i.name for i in modules.invariants if not i.full(ctx)]


def _decode_genesis(raw: bytes, module: Module) -> Any:  # noqa: ANN401
    reasons: list[str] = []
    for form in filter(None, (module.genesis, *module.genesis_more)):
        try:
            return decode(raw, form)
        except ValueError as error:
            reasons.append(str(error))
    raise NotCanonical(reason=f"genesis: {reasons[0]}")
