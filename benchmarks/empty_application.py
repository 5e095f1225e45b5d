"""An application that does nothing but answer: what the engine costs with Python beside it.

`python -m benchmarks.empty_application unix:///path`
"""

import sys
from collections.abc import Sequence

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.listener import listen
from kerege.consensus.cometbft.server import run

_LET_IN = m.ResponseCheckTx()
_ACCEPTED = m.ResponseProcessProposal(status=m.ResponseProcessProposal.ACCEPT)


class EmptyApplication:
    """Takes every transaction; its state is a height and how many there were."""

    def __init__(self) -> None:
        self.height = 0
        self.transactions = 0

    @property
    def hash(self) -> bytes:
        """Of the state; moves only where there are transactions, so that the engine may rest."""
        return self.transactions.to_bytes(8, "big")

    def info(self, request: m.RequestInfo) -> m.ResponseInfo:
        """Begin at zero: nothing is kept."""
        del request
        return m.ResponseInfo(data="empty")

    def query(self, request: m.RequestQuery) -> m.ResponseQuery:
        """How many there were."""
        return m.ResponseQuery(key=request.data, value=self.hash, height=self.height)

    def check_txs(self, requests: Sequence[m.RequestCheckTx]) -> list[m.ResponseCheckTx]:
        """Let in."""
        return [_LET_IN] * len(requests)

    def init_chain(self, request: m.RequestInitChain) -> m.ResponseInitChain:
        """Begin."""
        del request
        return m.ResponseInitChain(app_hash=self.hash)

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        """All that fit, in their order."""
        answer = m.ResponsePrepareProposal(txs=request.txs)
        while answer.ByteSize() > request.max_tx_bytes:
            del answer.txs[-max(1, len(answer.txs) // 100) :]
        return answer

    def process_proposal(self, request: m.RequestProcessProposal) -> m.ResponseProcessProposal:
        """Accept."""
        del request
        return _ACCEPTED

    def extend_vote(self, request: m.RequestExtendVote) -> m.ResponseExtendVote:
        """Add nothing."""
        del request
        return m.ResponseExtendVote()

    def verify_vote_extension(self, request: m.RequestVerifyVoteExtension) -> m.ResponseVerifyVoteExtension:
        """Accept."""
        del request
        return m.ResponseVerifyVoteExtension(status=m.ResponseVerifyVoteExtension.ACCEPT)

    def finalize_block(self, request: m.RequestFinalizeBlock) -> m.ResponseFinalizeBlock:
        """One empty result per transaction."""
        self.height = request.height
        self.transactions += len(request.txs)
        return m.ResponseFinalizeBlock(tx_results=[m.ExecTxResult()] * len(request.txs), app_hash=self.hash)

    def commit(self, request: m.RequestCommit) -> m.ResponseCommit:
        """Keep nothing."""
        del request
        return m.ResponseCommit()

    def list_snapshots(self, request: m.RequestListSnapshots) -> m.ResponseListSnapshots:
        """None."""
        del request
        return m.ResponseListSnapshots()

    def load_snapshot_chunk(self, request: m.RequestLoadSnapshotChunk) -> m.ResponseLoadSnapshotChunk:
        """None."""
        del request
        return m.ResponseLoadSnapshotChunk()

    def offer_snapshot(self, request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        """Not here."""
        del request
        return m.ResponseOfferSnapshot(result=m.ResponseOfferSnapshot.ABORT)

    def apply_snapshot_chunk(self, request: m.RequestApplySnapshotChunk) -> m.ResponseApplySnapshotChunk:
        """Not here."""
        del request
        return m.ResponseApplySnapshotChunk(result=m.ResponseApplySnapshotChunk.ABORT)


if __name__ == "__main__":
    sys.exit(run(EmptyApplication(), listen(sys.argv[1])))
