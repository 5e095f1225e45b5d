"""What an engine is told to keep of its own blocks: all, but for what law, evidence and joining members allow."""

import json
from pathlib import Path

import pytest

from kerege.consensus.cometbft import messages as m
from kerege.consensus.replica import Replica
from kerege.consensus.retention import EVIDENCE_BLOCKS, EVIDENCE_MS, STEP
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.codec import encode
from kerege.node.network.document import engine_genesis
from kerege.node.network.trusting import PERIOD
from kerege.storage.memory import MemoryStore
from tests.consensus.test_replica import START, genesis, pay, replica, stamp

DAY = 24 * 3_600_000
FAR = EVIDENCE_BLOCKS + 10_000


class Member:
    """A member whose ledger has a block now and then; heights in between were empty."""

    def __init__(self, days: int | None, shelf: Shelf) -> None:
        rules: dict[str, object] = {} if days is None else {"kernel.engine_blocks_days": days}
        self.store, self.shelf, self.sent = MemoryStore(), shelf, 0
        began = json.dumps(encode(genesis({"accounts.rate_burst": 100_000, **rules})).hex()).encode()
        self.start()
        self.each.init_chain(m.RequestInitChain(app_state_bytes=began))

    def start(self) -> None:
        self.each = Replica(replica(self.store).machine, self.store, now=lambda: START, shelf=self.shelf)

    def block(self, height: int, time: int) -> int:
        """What the commit of a block tells the engine."""
        tx = pay("alice", self.sent, until=time + 1)
        self.sent += 1
        self.each.finalize_block(m.RequestFinalizeBlock(height=height, txs=[tx], time=stamp(time)))
        return int(self.each.commit(m.RequestCommit()).retain_height)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "1000").mkdir()
    (tmp_path / "5000").mkdir()
    return Shelf(tmp_path)


@pytest.mark.parametrize("days", [None, 0])
def test_everything_is_kept_where_no_law_says_otherwise(shelf, days):
    member = Member(days, shelf)
    assert [member.block(height, START + 90 * DAY * height) for height in (1, FAR, 2 * FAR)] == [0, 0, 0]


def test_old_blocks_go_step_by_step_down_to_the_oldest_snapshot(shelf):
    member = Member(20, shelf)
    assert member.block(1_100, START) == 0
    told = [member.block(FAR + n, START + 21 * DAY) for n in range(6)]
    assert told == [STEP * n for n in range(1, 7)]
    member.start()
    told = [member.block(FAR + 10 + n, START + 21 * DAY) for n in range(6)]
    assert told == [700, 800, 900, 1_000, 1_000, 1_000], "also after a restart, and no further"


def test_what_evidence_or_law_may_need_stays(shelf):
    member = Member(20, shelf)
    assert member.block(1_100, START) == 0
    assert member.block(EVIDENCE_BLOCKS, START + 21 * DAY) == 0, "too few blocks ago"
    assert member.block(EVIDENCE_BLOCKS + 50, START + 21 * DAY) == 50
    young = Member(20, shelf)
    assert young.block(1_100, START) == 0
    assert young.block(FAR, START + 20 * DAY - 1) == 0, "too young by law"
    short = Member(1, shelf)
    assert short.block(1_100, START) == 0
    assert short.block(FAR, START + 14 * DAY - 1) == 0, "evidence counts for two weeks"
    assert short.block(FAR + 1, START + 14 * DAY) == STEP


def test_without_a_snapshot_whoever_joins_needs_every_block(tmp_path):
    member = Member(20, Shelf(tmp_path))
    assert member.block(1_100, START) == 0
    assert member.block(FAR, START + 21 * DAY) == 0


def test_the_engine_s_genesis_file_says_how_long_evidence_counts():
    told = engine_genesis(genesis(), [])["consensus_params"]["evidence"]
    assert int(told["max_age_num_blocks"]) == EVIDENCE_BLOCKS
    assert int(told["max_age_duration"]) == EVIDENCE_MS * 1_000_000
    assert EVIDENCE_MS >= 2 * PERIOD, "who lies to a light client is still held to account"
