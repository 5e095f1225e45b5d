"""The ledger as the application of a replicated engine: the same machine, its blocks decided by several institutions.

What an engine may ask, and when, is told in `cometbft/application.py`. Here is what the ledger answers: a block is
executed and sealed in memory when it is decided, and all of it becomes durable in one write when it is committed, with
the engine's height beside it. Nothing of a proposal is ever executed before it is decided.
"""

from collections.abc import Callable, Sequence

from kerege.consensus import rows, validators
from kerege.consensus.agreed import Agreed, read_agreed
from kerege.consensus.ahead import Ahead
from kerege.consensus.checkpoints import CheckpointKey
from kerege.consensus.cometbft import messages as m
from kerege.consensus.pool import Pool
from kerege.consensus.proposals import Proposals
from kerege.consensus.queries import Queries
from kerege.consensus.results import results
from kerege.consensus.retention import Retention
from kerege.consensus.snapshots.manifest import FORMAT, identity
from kerege.consensus.snapshots.restoring import Restoring
from kerege.consensus.snapshots.shelf import Shelf
from kerege.consensus.validators import milliseconds
from kerege.kernel.block import Block, Executed, Outcome
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.storage.port import Area, Batch, Store

VERSION = "kerege/1"

Clock = Callable[[], int]
Alarm = Callable[[str], None]
Heard = Callable[[int, Block | None, Sequence[Outcome]], None]
"""Told of a durable block: its height, itself (None: empty), what became of what was in it."""


class Replica:
    """`Application` over a machine and its store; one process holds both.

    `now` is used for admission and to withhold transactions while block time lags: never for what a block does.
    `on_block(height, block, outcomes)` is called after each durable block, empty ones (None) included. With
    `checkpoint_keys` it answers who gathers checkpoints.
    `shelf` holds the snapshots that it offers, `restoring` fills an empty store from one; without them it does neither.
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
        shelf: Shelf | None = None,
        restoring: Restoring | None = None,
    ) -> None:
        self.store = store
        self._shelf = shelf
        self._restoring = restoring
        self._retention = Retention(store, shelf)
        self._now = now
        self._alarm = alarm
        self._heard: list[Heard] = [on_block]
        self._undo_kept = undo_kept
        self._queries = Queries(store, machine.ledger, checkpoint_keys)
        self._use(machine)
        self._agreed = read_agreed(store)
        self._decided: tuple[int, Executed, Block | None, list[bytes]] | None = None
        """(height, what was executed, sealed block, what the engine carried) that waits for its commit."""

    def _use(self, machine: Machine) -> None:
        """Stand on a machine: the first, or the one over a restored snapshot."""
        self.machine = machine
        self._ahead = Ahead(machine)
        self._pool = Pool(machine, self._ahead)
        self._proposals = Proposals(machine, self._pool, self._now)

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
        founders = validators.founding_set(self.machine, request.validators)
        return m.ResponseInitChain(app_hash=self._agreed.app_hash, validators=founders)

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
        """Admission; see `Pool`."""
        return self._pool.check(requests, max(self.machine.last[1], self._now()))

    # Blocks

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        """Choose and order; see `Proposals`."""
        chosen = self._proposals.prepare(list(request.txs), milliseconds(request.time), request.max_tx_bytes)
        return m.ResponsePrepareProposal(txs=chosen)

    def process_proposal(self, request: m.RequestProcessProposal) -> m.ResponseProcessProposal:
        """Refuse only what no honest proposer makes; see `Proposals`. Signatures not seen before are begun."""
        entries = self._proposals.sound(list(request.txs))
        if entries is None:
            return m.ResponseProcessProposal(status=m.ResponseProcessProposal.REJECT)
        self._ahead.begin([entry for entry in entries if self._pool.find(entry.raw) is None])
        return m.ResponseProcessProposal(status=m.ResponseProcessProposal.ACCEPT)

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
        carried = list(request.txs)
        opened = [self._pool.opened(raw) for raw in carried]
        self._ahead.finish(carried)
        prepared = machine.prepare([raw for raws in opened for raw in raws])
        executed = machine.execute(height, time, prepared, validators.told(request.misbehavior))
        for text in executed.alarms:
            self._alarm(text)
        if executed.empty:
            machine.discard(executed)
            self._decided = (height, executed, None, carried)
        else:
            self._decided = (height, executed, machine.seal(executed), carried)
        return m.ResponseFinalizeBlock(
            tx_results=results(carried, [len(raws) for raws in opened], executed.outcomes),
            validator_updates=validators.updates(machine, height),
            app_hash=self._app_hash(),
        )

    def commit(self, _request: m.RequestCommit) -> m.ResponseCommit:
        """Everything of the block, the heights and the hash in one durable write."""
        if self._decided is None:
            raise ValueError("nothing was decided")
        height, executed, block, carried = self._decided
        agreed = Agreed(height, self._app_hash())
        batch = Batch() if block is None else rows.batch_of(block, height - self._undo_kept + 1)
        batch.put(Area.META, rows.AGREED, encode(agreed))
        retained = self._retention.advance(self.machine.context(), height, batch)
        self.store.write(batch)
        self._agreed, self._decided = agreed, None
        if block is not None:
            self.machine.durable(block)
        self._pool.decided(carried)
        for heard in self._heard:
            heard(height, block, executed.outcomes)
        return m.ResponseCommit(retain_height=retained)

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

    # State sync, on other threads: see `snapshots/`

    def list_snapshots(self, _request: m.RequestListSnapshots) -> m.ResponseListSnapshots:
        """What is on the shelf."""
        offered = [] if self._shelf is None else self._shelf.all()
        return m.ResponseListSnapshots(
            snapshots=[
                m.Snapshot(
                    height=each.manifest.height,
                    format=FORMAT,
                    chunks=each.manifest.chunks,
                    hash=identity(each.raw),
                    metadata=each.raw,
                )
                for each in offered
            ]
        )

    def load_snapshot_chunk(self, request: m.RequestLoadSnapshotChunk) -> m.ResponseLoadSnapshotChunk:
        """One chunk of a snapshot on the shelf; none where it is not there any more."""
        if self._shelf is None or request.format != FORMAT:
            return m.ResponseLoadSnapshotChunk()
        return m.ResponseLoadSnapshotChunk(chunk=self._shelf.chunk(self.store, request.height, request.chunk))

    def offer_snapshot(self, request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        """Accept what an empty home can be filled from."""
        answers = m.ResponseOfferSnapshot
        return answers(result=answers.ABORT) if self._restoring is None else self._restoring.offer(request)

    def apply_snapshot_chunk(self, request: m.RequestApplySnapshotChunk) -> m.ResponseApplySnapshotChunk:
        """Take one chunk; with the last one this is the application of the restored ledger."""
        answers = m.ResponseApplySnapshotChunk
        if self._restoring is None:
            return answers(result=answers.ABORT)
        answer, machine = self._restoring.apply(request)
        if machine is not None:
            self._use(machine)
            self._agreed, self._decided = read_agreed(self.store), None
        return answer
