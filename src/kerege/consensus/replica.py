"""The ledger as the application of a replicated engine: the same machine, its blocks decided by several institutions.

What an engine may ask, and when, is told in `cometbft/application.py`. Here is what the ledger answers: a block is
executed and sealed in memory when it is decided, and all of it becomes durable in one write when it is committed, with
the engine's height beside it. Nothing of a proposal is ever executed before it is decided.
"""

from collections.abc import Callable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from kerege.consensus import rows
from kerege.consensus.agreed import Agreed, read_agreed
from kerege.consensus.checkpoints import CheckpointKey
from kerege.consensus.cometbft import messages as m
from kerege.consensus.proposals import Proposals
from kerege.consensus.queries import Queries
from kerege.kernel.block import Block, Executed, Outcome
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import BadSignature, NotATransaction
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Transaction
from kerege.storage.port import Area, Batch, Store

VERSION = "kerege/1"
APPLIED, REFUSED, NOT_A_TRANSACTION = 0, 1, 2
"""Codes of results: every node gives the same for the same block, and the engine hashes them into its next header."""

Clock = Callable[[], int]
Alarm = Callable[[str], None]
Heard = Callable[[int, Block | None, Sequence[Outcome]], None]
"""Told of a durable block: its height, itself (None: empty), what became of what was in it."""


class Replica:
    """`Application` over a machine and its store; one process holds both.

    `now` is used for admission and to withhold transactions while block time lags: never for what a block does.
    `on_block(height, block, outcomes)` is called after each durable block, empty ones (None) included. With
    `checkpoint_keys` it answers who gathers checkpoints.
    """

    def __init__(
        self,
        machine: Machine,
        store: Store,
        *,
        now: Clock,
        alarm: Alarm = lambda _text: None,
        on_block: Heard = lambda *_: None,
        undo_kept: int = rows.KEPT_HEIGHTS,
        checkpoint_keys: Sequence[CheckpointKey] = (),
    ) -> None:
        self.machine = machine
        self.store = store
        self._now = now
        self._alarm = alarm
        self._heard: list[Heard] = [on_block]
        self._undo_kept = undo_kept
        self._proposals = Proposals(machine, now)
        self._queries = Queries(store, machine.ledger, checkpoint_keys)
        self._agreed = read_agreed(store)
        self._decided: tuple[int, Executed, Block | None] | None = None
        """(height, what was executed, sealed block) that waits for its commit."""

    def listen(self, heard: Heard) -> None:
        """Tell one more of each durable block, inside the commit: it must return at once and ask nothing."""
        self._heard.append(heard)

    @property
    def checkpoints_signed(self) -> int:
        """By this member, since it started."""
        return self._queries.signed

    @property
    def undecided(self) -> bool:
        """Whether a block was executed that is not committed."""
        return self._decided is not None

    # Handshake

    def info(self, _request: m.RequestInfo) -> m.ResponseInfo:
        """Where this store stands: the engine asks again for every block after it."""
        head = self.machine.head
        roots = [] if head is None else zip(self.machine.modules.names, head.module_roots, strict=True)
        return m.ResponseInfo(
            data=" ".join(f"{name}={root.hex()[:16]}" for name, root in roots),
            version=VERSION,
            app_version=1,
            last_block_height=0 if self._agreed is None else self._agreed.height,
            last_block_app_hash=b"" if self._agreed is None else self._agreed.app_hash,
        )

    def init_chain(self, request: m.RequestInitChain) -> m.ResponseInitChain:
        """Begin with the genesis of the engine's file; asked again before the first block, it gives the same hash."""
        genesis = decode(bytes.fromhex(request.app_state_bytes.decode().strip('"')), Genesis)
        if self.machine.head is None:
            self.begin(genesis)
        if rows.read_genesis(self.store) != encode(genesis) or self._agreed is None or self._agreed.height:
            raise ValueError("this home holds another ledger than the engine's genesis file: use a new home")
        return m.ResponseInitChain(app_hash=self._agreed.app_hash)

    def begin(self, genesis: Genesis) -> None:
        """Write block 0 and the genesis in one write."""
        block = self.machine.begin(genesis)
        self._agreed = Agreed(0, block.head.app_hash)
        batch = rows.batch_of(block, 0, encode(genesis))
        batch.put(Area.META, rows.AGREED, encode(self._agreed))
        self.store.write(batch)
        self.machine.durable(block)

    # The pool

    def check_txs(self, requests: Sequence[m.RequestCheckTx]) -> list[m.ResponseCheckTx]:
        """Admission: signatures of new ones in one batch; of those that wait already, sequence and time alone."""
        time = max(self.machine.last[1], self._now())
        found = [self._admissible(bytes(request.tx), time) for request in requests]
        fresh = [
            position
            for position, (request, transaction) in enumerate(zip(requests, found, strict=True))
            if request.type == m.NEW and isinstance(transaction, Transaction)
        ]
        verdicts = self.machine.verify([found[position] for position in fresh])  # type: ignore[misc]  # transactions
        for position, good in zip(fresh, verdicts, strict=True):
            transaction = found[position]
            if not good and isinstance(transaction, Transaction):
                found[position] = BadSignature(kind=transaction.witness.kind)
        return [_admission(each) for each in found]

    def _admissible(self, raw: bytes, time: int) -> Transaction | NotATransaction:
        try:
            transaction = self.machine.decode(raw)
            self.machine.check(transaction, time)
        except NotATransaction as reason:
            return reason
        return transaction

    # Blocks

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        """Choose and order; see `Proposals`."""
        chosen = self._proposals.prepare(list(request.txs), milliseconds(request.time), request.max_tx_bytes)
        return m.ResponsePrepareProposal(txs=chosen)

    def process_proposal(self, request: m.RequestProcessProposal) -> m.ResponseProcessProposal:
        """Refuse only what no honest proposer makes; see `Proposals`."""
        sound = self._proposals.is_sound(list(request.txs))
        status = m.ResponseProcessProposal.ACCEPT if sound else m.ResponseProcessProposal.REJECT
        return m.ResponseProcessProposal(status=status)

    def extend_vote(self, _request: m.RequestExtendVote) -> m.ResponseExtendVote:
        """Votes carry nothing."""
        return m.ResponseExtendVote()

    def verify_vote_extension(self, request: m.RequestVerifyVoteExtension) -> m.ResponseVerifyVoteExtension:
        """Votes carry nothing."""
        known = m.ResponseVerifyVoteExtension
        return known(status=known.REJECT if request.vote_extension else known.ACCEPT)

    def finalize_block(self, request: m.RequestFinalizeBlock) -> m.ResponseFinalizeBlock:
        """Execute and seal in memory; total over any bytes."""
        self._forget_decided()
        machine, height = self.machine, request.height
        time = max(machine.last[1], milliseconds(request.time))
        executed = machine.execute(height, time, machine.prepare(list(request.txs)))
        for text in executed.alarms:
            self._alarm(text)
        if executed.empty:
            machine.discard(executed)
            self._decided = (height, executed, None)
        else:
            self._decided = (height, executed, machine.seal(executed))
        return m.ResponseFinalizeBlock(
            tx_results=[_result(outcome) for outcome in executed.outcomes], app_hash=self._app_hash()
        )

    def commit(self, _request: m.RequestCommit) -> m.ResponseCommit:
        """Everything of the block, the heights and the hash in one durable write."""
        if self._decided is None:
            raise ValueError("nothing was decided")
        height, executed, block = self._decided
        agreed = Agreed(height, self._app_hash())
        batch = Batch() if block is None else rows.batch_of(block, height - self._undo_kept + 1)
        batch.put(Area.META, rows.AGREED, encode(agreed))
        self.store.write(batch)
        self._agreed, self._decided = agreed, None
        if block is not None:
            self.machine.durable(block)
        for heard in self._heard:
            heard(height, block, executed.outcomes)
        return m.ResponseCommit()

    def _app_hash(self) -> bytes:
        head = self.machine.head
        return b"" if head is None else head.app_hash

    def _forget_decided(self) -> None:
        """A block that was executed and never committed: an engine that begins anew decides it again."""
        if self._decided is not None and self._decided[2] is not None:
            self.machine.discard(self._decided[2])
        self._decided = None

    # Reading

    def query(self, request: m.RequestQuery) -> m.ResponseQuery:
        """Committed state, the head, a checkpoint: see `Queries`."""
        return self._queries.answer(request)

    # State sync: not offered yet, so nothing is accepted either

    def list_snapshots(self, _request: m.RequestListSnapshots) -> m.ResponseListSnapshots:
        """None."""
        return m.ResponseListSnapshots()

    def load_snapshot_chunk(self, _request: m.RequestLoadSnapshotChunk) -> m.ResponseLoadSnapshotChunk:
        """None."""
        return m.ResponseLoadSnapshotChunk()

    def offer_snapshot(self, _request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        """Refused."""
        return m.ResponseOfferSnapshot(result=m.ResponseOfferSnapshot.REJECT_FORMAT)

    def apply_snapshot_chunk(self, _request: m.RequestApplySnapshotChunk) -> m.ResponseApplySnapshotChunk:
        """Never asked, as none is accepted."""
        return m.ResponseApplySnapshotChunk(result=m.ResponseApplySnapshotChunk.ABORT)


def milliseconds(time: Timestamp) -> int:
    """Block time of the engine's: milliseconds since the Unix epoch, rounded down."""
    return int(time.seconds) * 1_000 + int(time.nanos) // 1_000_000


def _admission(found: Transaction | NotATransaction) -> m.ResponseCheckTx:
    if isinstance(found, NotATransaction):
        return m.ResponseCheckTx(code=NOT_A_TRANSACTION, codespace=found.code, log=str(found))
    return m.ResponseCheckTx(code=APPLIED, gas_wanted=found.weight)


def _result(outcome: Outcome) -> m.ExecTxResult:
    """What the engine keeps of a transaction's outcome: code and receipt, the same bytes on every node."""
    if outcome.receipt is None:
        return m.ExecTxResult(code=NOT_A_TRANSACTION)
    code = decode(outcome.receipt, Receipt).code
    return m.ExecTxResult(code=REFUSED if code else APPLIED, data=outcome.receipt)
