"""What an application must answer, and on which thread it is asked."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from kerege.consensus.cometbft import messages as m


class Application(Protocol):
    """A state machine that an engine drives (ABCI 2.0).

    **Threads.** `info`, `check_txs` and the seven methods of consensus are called one at a time on the thread of the
    server's loop: between them the application needs no lock. `query` and the four methods of snapshots are called on
    other threads, while any of those runs: they read what was committed, and must be safe to do so.

    **Failures.** An exception in `info`, a method of consensus, `offer_snapshot` or `apply_snapshot_chunk` ends the
    process, and the engine with it: after it nobody knows what the state is. One in `check_txs`, `query`,
    `list_snapshots` or `load_snapshot_chunk` refuses what was asked and raises the alarm: no stranger's question
    may stop a validator.

    **Persistence.** Only `commit` may write, height, hash and state in one, before it answers. Whatever was not
    committed is asked again after a crash.
    """

    # Answered to anybody, at any time

    def info(self, request: m.RequestInfo) -> m.ResponseInfo:
        """The height and hash of what was committed last; height 0 before `init_chain`. The engine replays from there.

        One beyond the engine's own height is fatal to it.
        """

    def query(self, request: m.RequestQuery) -> m.ResponseQuery:
        """Read committed state; a slow one delays other queries only."""

    # The pool of transactions

    def check_txs(
        self, requests: Sequence[m.RequestCheckTx]
    ) -> Sequence[m.ResponseCheckTx] | Awaitable[Sequence[m.ResponseCheckTx]]:
        """Which of these may wait in the pool: one answer each, in order; code 0 lets in.

        They come together as the engine sent them between two flushes, so that signatures can be verified in one go.
        An awaitable takes them off the loop: consensus goes on meanwhile, later transactions wait. A `RECHECK` is asked
        for everything that is still in the pool after each block: it must be a look-up, never a signature check.
        """

    # Consensus, strictly in order

    def init_chain(self, request: m.RequestInitChain) -> m.ResponseInitChain:
        """Begin at genesis. Asked again where nothing was committed before a crash: it must give the same."""

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        """Choose and order the transactions of a block, `max_tx_bytes` at most in their proto form.

        Leave out and reorder only: a changed transaction is committed beside its original, again and again. Any
        number of times at a height; changes no state.
        """

    def process_proposal(self, request: m.RequestProcessProposal) -> m.ResponseProcessProposal:
        """Accept or reject a proposed block, from committed state and the block alone: no clock, no pool.

        Any number of times at a height; what is computed is a candidate and is seen by nobody.
        """

    def extend_vote(self, request: m.RequestExtendVote) -> m.ResponseExtendVote:
        """What goes with this validator's vote, where vote extensions are on."""

    def verify_vote_extension(self, request: m.RequestVerifyVoteExtension) -> m.ResponseVerifyVoteExtension:
        """Accept or reject what went with another validator's vote; from the request alone."""

    def finalize_block(self, request: m.RequestFinalizeBlock) -> m.ResponseFinalizeBlock:
        """Execute the decided block on committed state, with or without a proposal seen before; persist nothing.

        One result per transaction, whatever its bytes are. Code and data of each are hashed into the next header.
        """

    def commit(self, request: m.RequestCommit) -> m.ResponseCommit:
        """Make the block that was finalized last durable, in one write, before answering."""

    # State sync

    def list_snapshots(self, request: m.RequestListSnapshots) -> m.ResponseListSnapshots:
        """The snapshots that others may fetch from here."""

    def load_snapshot_chunk(self, request: m.RequestLoadSnapshotChunk) -> m.ResponseLoadSnapshotChunk:
        """One chunk of a snapshot; an empty one where it is not here any more."""

    def offer_snapshot(self, request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        """Accept or reject a snapshot found with others. No method of consensus is asked until it is settled."""

    def apply_snapshot_chunk(self, request: m.RequestApplySnapshotChunk) -> m.ResponseApplySnapshotChunk:
        """Take the next chunk of the accepted snapshot; the last one makes its state the committed one."""
