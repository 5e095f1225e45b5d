"""Whatever legal sequence the engine calls: candidates are seen by nobody, what was decided survives every kill."""

import asyncio
import json
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings

from kerege.consensus.cometbft import messages as m
from tests.consensus.cometbft.client import Caller, Hosted
from tests.consensus.cometbft.grammar import Block, Call, Run, Step, runs
from tests.consensus.cometbft.kvstore import CHUNK, FORMAT, KeyValue, State, chunks_of, execute, snapshot_of

LARGE = 10_000
"""A limit of bytes that no drawn block reaches."""
ELSEWHERE = State(40, {f"s{n}": "synced" for n in range(12)})
"""The state of another process, several chunks long."""


class Leak(AssertionError):
    """Somebody saw what was not committed, or did not see what was."""


class Expected:
    """What must be true, written a second time: plain dictionaries and the list of decided blocks."""

    def __init__(self, genesis: dict[str, str]) -> None:
        self.genesis = genesis
        self.base = (0, genesis)
        self.decided: list[Block] = []
        self.committed = 0
        """Blocks of `decided` that were committed."""

    def pairs(self, blocks: int) -> dict[str, str]:
        pairs = dict(self.base[1])
        for block in self.decided[:blocks]:
            for tx in block.txs:
                try:
                    key, equals, value = tx.decode().partition("=")
                except UnicodeDecodeError:
                    continue
                if key and equals:
                    pairs.setdefault(key, value)
        return pairs

    def hash(self, blocks: int) -> bytes:
        return sha256(json.dumps(self.pairs(blocks), sort_keys=True).encode()).digest()

    def height(self, blocks: int) -> int:
        return self.base[0] + blocks


class Driver:
    """An engine without consensus: it calls what it is told to, over four sockets, and judges each answer."""

    def __init__(self, application: type[KeyValue], folder: Path, run: Run) -> None:
        self.kind = application
        self.folder = folder
        self.run = run
        self.expected = Expected(run.genesis)
        self.finalized = False
        self.start()

    def start(self) -> None:
        self.hosted = Hosted(self.kind(self.folder / "state"), self.folder / "s", asyncio.new_event_loop)
        self.hosted.start()
        self.query, self.snapshot, self.pool, self.consensus = (self.hosted.connect() for _ in range(4))
        self.finalized = False

    def play(self) -> None:
        self.clean_start()
        for steps in self.run.heights:
            self.height(list(steps))
        self.see()

    # clean-start

    def clean_start(self) -> None:
        self.begin()
        if self.run.synced:
            for applied in self.run.attempts:
                self.sync(applied, snapshot_of(ELSEWHERE))
                assert self.ask(self.query, "info").last_block_height == 0
            wrong = snapshot_of(ELSEWHERE)
            wrong.format = FORMAT + 1
            assert self.offer(wrong) == m.ResponseOfferSnapshot.REJECT_FORMAT
            self.sync(len(chunks_of(ELSEWHERE)), snapshot_of(ELSEWHERE))
            self.expected.base = (ELSEWHERE.height, ELSEWHERE.pairs)
            self.info()

    def begin(self) -> None:
        request = m.RequestInitChain(app_state_bytes=json.dumps(self.run.genesis).encode(), initial_height=1)
        assert self.ask(self.consensus, "init_chain", request).app_hash == self.expected.hash(0)

    def offer(self, snapshot: m.Snapshot) -> int:
        return int(self.ask(self.snapshot, "offer_snapshot", m.RequestOfferSnapshot(snapshot=snapshot)).result)

    def sync(self, applied: int, snapshot: m.Snapshot) -> None:
        assert self.offer(snapshot) == m.ResponseOfferSnapshot.ACCEPT
        for index, chunk in enumerate(chunks_of(ELSEWHERE)[:applied]):
            request = m.RequestApplySnapshotChunk(index=index, chunk=chunk)
            answer = self.ask(self.snapshot, "apply_snapshot_chunk", request)
            assert answer.result == m.ResponseApplySnapshotChunk.ACCEPT

    # recovery

    def die_and_recover(self) -> None:
        """The application is gone without a word; the engine tells it what was decided and not committed."""
        self.hosted.stop()
        self.start()
        told, written = self.ask(self.query, "info").last_block_height, self.expected.height(self.expected.committed)
        if told != written:
            raise Leak(f"height {told} after a kill at {written}")
        if written == 0:
            self.begin()
        self.see()
        for missing in range(self.expected.committed, len(self.expected.decided)):
            self.finalize(self.expected.decided[missing])
            self.commit()
        self.info()

    def info(self) -> None:
        answer = self.ask(self.query, "info")
        assert answer.last_block_height == self.expected.height(self.expected.committed)
        assert answer.last_block_app_hash in {b"", self.expected.hash(self.expected.committed)}

    # consensus-height

    def height(self, steps: list[Step]) -> None:
        for step in steps:
            if step.call is Call.DIE:
                self.die_and_recover()
            elif step.call is Call.DECIDE:
                self.expected.decided.append(step.block)
                self.finalize(step.block)
            elif step.call is Call.COMMIT:
                if self.finalized:  # otherwise it was replayed after a kill
                    self.commit()
            elif step.call is Call.ANY:
                self.anything()
            else:
                self.propose(step)
            self.see()

    def propose(self, step: Step) -> None:
        """What belongs to a round and must change nothing; after a decision the rounds of this height are over."""
        block, at = step.block, self.expected.height(len(self.expected.decided)) + 1
        if step.call is Call.PREPARE:
            request = m.RequestPrepareProposal(txs=block.txs, height=at, max_tx_bytes=LARGE)
            chosen = list(self.ask(self.consensus, "prepare_proposal", request).txs)
            assert [tx for tx in block.txs if tx in chosen] == chosen
        elif step.call is Call.PROCESS:
            proposal = m.RequestProcessProposal(txs=block.txs, height=at, hash=block.hash)
            status = self.ask(self.consensus, "process_proposal", proposal).status
            assert status in {m.ResponseProcessProposal.ACCEPT, m.ResponseProcessProposal.REJECT}
        elif step.call is Call.EXTEND:
            extension = m.RequestExtendVote(txs=block.txs, height=at, hash=block.hash)
            assert self.ask(self.consensus, "extend_vote", extension).vote_extension == block.hash[:8]
        else:
            vote = m.RequestVerifyVoteExtension(height=at, hash=block.hash, vote_extension=block.hash[:8])
            status = self.ask(self.consensus, "verify_vote_extension", vote).status
            assert status == m.ResponseVerifyVoteExtension.ACCEPT

    def finalize(self, block: Block) -> None:
        number = self.expected.committed + 1
        request = m.RequestFinalizeBlock(txs=block.txs, height=self.expected.height(number), hash=block.hash)
        answer = self.ask(self.consensus, "finalize_block", request)
        if answer.app_hash != self.expected.hash(number) or len(answer.tx_results) != len(block.txs):
            raise Leak("a decided block was not executed on the committed state")
        self.finalized = True

    def commit(self) -> None:
        self.ask(self.consensus, "commit")
        self.finalized = False
        self.expected.committed += 1

    def anything(self) -> None:
        self.ask(self.pool, "check_tx", m.RequestCheckTx(tx=b"k1=1", type=m.RECHECK))
        assert self.ask(self.query, "echo", m.RequestEcho(message="x")).message == "x"
        snapshots = self.ask(self.snapshot, "list_snapshots").snapshots
        request = m.RequestLoadSnapshotChunk(height=snapshots[0].height, format=FORMAT, chunk=0)
        assert len(self.ask(self.snapshot, "load_snapshot_chunk", request).chunk) <= CHUNK

    def see(self) -> None:
        """What everybody may see is what was committed, no more and no less."""
        state = State.decode(self.ask(self.query, "query", m.RequestQuery(path="/all")).value)
        committed = self.expected.committed
        if state.pairs != self.expected.pairs(committed) or state.height != self.expected.height(committed):
            raise Leak(f"seen {state}, committed {self.expected.pairs(committed)}")

    def ask(self, caller: Caller, method: str, request: Message | None = None) -> Any:
        return caller.call(method, request)


def drive(application: type[KeyValue], run: Run) -> None:
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(application, Path(folder), run)
        try:
            driver.play()
        finally:
            driver.hosted.stop()
        assert driver.hosted.lines == []


@given(runs())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_candidate_leaks_and_nothing_decided_is_lost(run: Run) -> None:
    drive(KeyValue, run)


# The checker finds what it is there to find


class LeaksInPrepare(KeyValue):
    def prepare_proposal(self, request):
        self.committed, _ = execute(self.committed, self.committed.height, request.txs)
        return super().prepare_proposal(request)


class LeaksInProcess(KeyValue):
    def process_proposal(self, request):
        self.committed.pairs.update(execute(self.committed, request.height, request.txs)[0].pairs)
        return super().process_proposal(request)


class LeaksInVotes(KeyValue):
    def extend_vote(self, request):
        self.committed, _ = execute(self.committed, self.committed.height, request.txs)
        return super().extend_vote(request)


class TakesTheLastCandidate(KeyValue):
    """Finalizes what was proposed last instead of what was decided."""

    def process_proposal(self, request):
        answer = super().process_proposal(request)
        self.last = request
        return answer

    def finalize_block(self, request):
        last = getattr(self, "last", request)
        if last.height == request.height:
            answer = super().finalize_block(m.RequestFinalizeBlock(txs=last.txs, height=request.height, hash=last.hash))
            del answer.tx_results[:]
            answer.tx_results.extend(m.ExecTxResult() for _ in request.txs)
            return answer
        return super().finalize_block(request)


class ShowsTheUncommitted(KeyValue):
    def finalize_block(self, request):
        answer = super().finalize_block(request)
        assert self.finalized is not None
        self.committed = self.finalized
        return answer


class WritesInFinalize(KeyValue):
    def finalize_block(self, request):
        answer = super().finalize_block(request)
        assert self.finalized is not None
        self.persist(self.finalized)
        return answer


class ForgetsToWrite(KeyValue):
    def persist(self, state):
        pass


WRONG = [
    LeaksInPrepare, LeaksInProcess, LeaksInVotes, TakesTheLastCandidate, ShowsTheUncommitted, WritesInFinalize,
    ForgetsToWrite,
]  # fmt: skip


@pytest.mark.parametrize("application", WRONG)
def test_the_checker_finds_an_application_that_leaks(application: type[KeyValue]) -> None:
    @given(runs())
    @settings(max_examples=300, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    def find(run: Run) -> None:
        drive(application, run)

    with pytest.raises(Leak):
        find()
