"""A small key-value application, as one should be written: `python -m tests.consensus.cometbft.kvstore ADDRESS FILE`.

A transaction is `key=value`. A key is set once: what comes twice is refused, so that nothing can be executed twice
unseen. State, height and hash are one file, replaced in `commit` only; a proposal is executed as a candidate beside it.
"""

import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.listener import listen
from kerege.consensus.cometbft.server import run

OK, MALFORMED, TAKEN = 0, 1, 2
CHUNK = 64
"""Bytes of a chunk: small, so that a small state has several."""
FORMAT = 1


@dataclass(frozen=True)
class State:
    """What was committed. Never changed: the next one replaces it, so any thread may read it."""

    height: int
    pairs: dict[str, str]

    @property
    def hash(self) -> bytes:
        return sha256(json.dumps(self.pairs, sort_keys=True).encode()).digest()

    def encode(self) -> bytes:
        return json.dumps([self.height, self.pairs], sort_keys=True).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "State":
        return cls(*json.loads(encoded))


def parse(tx: bytes) -> tuple[str, str] | None:
    try:
        key, equals, value = tx.decode().partition("=")
    except UnicodeDecodeError:
        return None
    return (key, value) if key and equals else None


def execute(state: State, height: int, txs: Sequence[bytes]) -> tuple[State, list[int]]:
    pairs, codes = dict(state.pairs), []
    for tx in txs:
        pair = parse(tx)
        if pair is None:
            codes.append(MALFORMED)
        elif pair[0] in pairs:
            codes.append(TAKEN)
        else:
            pairs[pair[0]] = pair[1]
            codes.append(OK)
    return State(height, pairs), codes


class KeyValue:
    """The application; in memory only where it has no file."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.committed = State.decode(file.read_bytes()) if file and file.exists() else State(0, {})
        self.candidates: dict[bytes, tuple[State, list[int]]] = {}
        """By block hash: what was executed for a proposal."""
        self.finalized: State | None = None
        self.offered: m.Snapshot | None = None
        self.chunks: list[bytes] = []

    def info(self, request: m.RequestInfo) -> m.ResponseInfo:
        del request
        state = self.committed
        hashed = state.hash if state.height else b""
        return m.ResponseInfo(data="kv", last_block_height=state.height, last_block_app_hash=hashed)

    def query(self, request: m.RequestQuery) -> m.ResponseQuery:
        state = self.committed
        if request.path == "/hang":
            threading.Event().wait()
        if request.path == "/all":
            return m.ResponseQuery(value=state.encode(), height=state.height)
        value = state.pairs.get(request.data.decode())
        if value is None:
            return m.ResponseQuery(code=1, key=request.data, height=state.height, log="not there")
        return m.ResponseQuery(key=request.data, value=value.encode(), height=state.height)

    def check_txs(self, requests: Sequence[m.RequestCheckTx]) -> list[m.ResponseCheckTx]:
        return [m.ResponseCheckTx(code=self.check(request.tx)) for request in requests]

    def check(self, tx: bytes) -> int:
        pair = parse(tx)
        if pair is None:
            return MALFORMED
        return TAKEN if pair[0] in self.committed.pairs else OK

    def init_chain(self, request: m.RequestInitChain) -> m.ResponseInitChain:
        pairs = json.loads(request.app_state_bytes or b"{}")
        self.committed = State(0, pairs if isinstance(pairs, dict) else {})
        return m.ResponseInitChain(app_hash=self.committed.hash)

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        answer = m.ResponsePrepareProposal()
        for tx in request.txs:
            if parse(tx) is not None:
                answer.txs.append(tx)
                if answer.ByteSize() > request.max_tx_bytes:
                    del answer.txs[-1]
                    break
        return answer

    def process_proposal(self, request: m.RequestProcessProposal) -> m.ResponseProcessProposal:
        if any(parse(tx) is None for tx in request.txs):
            return m.ResponseProcessProposal(status=m.ResponseProcessProposal.REJECT)
        self.candidates[request.hash] = execute(self.committed, request.height, request.txs)
        return m.ResponseProcessProposal(status=m.ResponseProcessProposal.ACCEPT)

    def extend_vote(self, request: m.RequestExtendVote) -> m.ResponseExtendVote:
        state, _ = execute(self.committed, request.height, request.txs)
        self.candidates.setdefault(request.hash, (state, _))
        return m.ResponseExtendVote(vote_extension=request.hash[:8])

    def verify_vote_extension(self, request: m.RequestVerifyVoteExtension) -> m.ResponseVerifyVoteExtension:
        status = m.ResponseVerifyVoteExtension
        good = request.vote_extension == request.hash[:8]
        return m.ResponseVerifyVoteExtension(status=status.ACCEPT if good else status.REJECT)

    def finalize_block(self, request: m.RequestFinalizeBlock) -> m.ResponseFinalizeBlock:
        done = self.candidates.get(request.hash) or execute(self.committed, request.height, request.txs)
        self.finalized, codes = done
        results = [m.ExecTxResult(code=code) for code in codes]
        return m.ResponseFinalizeBlock(tx_results=results, app_hash=self.finalized.hash)

    def commit(self, request: m.RequestCommit) -> m.ResponseCommit:
        del request
        assert self.finalized is not None
        self.persist(self.finalized)
        self.committed, self.finalized, self.candidates = self.finalized, None, {}
        return m.ResponseCommit()

    def persist(self, state: State) -> None:
        if self.file is not None:
            beside = self.file.with_suffix(".new")
            with beside.open("wb") as file:
                file.write(state.encode())
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self.file)

    def list_snapshots(self, request: m.RequestListSnapshots) -> m.ResponseListSnapshots:
        del request
        return m.ResponseListSnapshots(snapshots=[snapshot_of(self.committed)])

    def load_snapshot_chunk(self, request: m.RequestLoadSnapshotChunk) -> m.ResponseLoadSnapshotChunk:
        state = self.committed
        known = request.height == state.height and request.format == FORMAT
        return m.ResponseLoadSnapshotChunk(chunk=chunks_of(state)[request.chunk] if known else b"")

    def offer_snapshot(self, request: m.RequestOfferSnapshot) -> m.ResponseOfferSnapshot:
        if request.snapshot.format != FORMAT:
            return m.ResponseOfferSnapshot(result=m.ResponseOfferSnapshot.REJECT_FORMAT)
        self.offered, self.chunks = request.snapshot, []
        return m.ResponseOfferSnapshot(result=m.ResponseOfferSnapshot.ACCEPT)

    def apply_snapshot_chunk(self, request: m.RequestApplySnapshotChunk) -> m.ResponseApplySnapshotChunk:
        results = m.ResponseApplySnapshotChunk
        assert self.offered is not None
        self.chunks.append(request.chunk)
        if len(self.chunks) < self.offered.chunks:
            return m.ResponseApplySnapshotChunk(result=results.ACCEPT)
        whole = b"".join(self.chunks)
        if sha256(whole).digest() != self.offered.hash:
            return m.ResponseApplySnapshotChunk(result=results.REJECT_SNAPSHOT)
        state = State.decode(whole)
        self.persist(state)
        self.committed = state
        return m.ResponseApplySnapshotChunk(result=results.ACCEPT)


def chunks_of(state: State) -> list[bytes]:
    encoded = state.encode()
    return [encoded[at : at + CHUNK] for at in range(0, len(encoded), CHUNK)]


def snapshot_of(state: State) -> m.Snapshot:
    hashed = sha256(state.encode()).digest()
    return m.Snapshot(height=state.height, format=FORMAT, chunks=len(chunks_of(state)), hash=hashed)


if __name__ == "__main__":
    sys.exit(run(KeyValue(Path(sys.argv[2])), listen(sys.argv[1])))
