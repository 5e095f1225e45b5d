"""State sync between real engines: a fresh member joins a ledger that goes on, from a member that it does not trust."""

import time
from contextlib import ExitStack

import pytest

from kerege.consensus import rows
from kerege.consensus.replay import verify_ledger
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.storage.memory import MemoryStore
from kerege.storage.rocks import RocksStore
from kerege.testing.members import standing, wait_for
from tests.consensus.members import member, send
from tests.consensus.test_replica import GENESIS, HOUR

EVERY = 10


@pytest.mark.engine
def test_a_fresh_member_joins_by_state_sync_and_goes_on(tmp_path):
    now = time.time_ns() // 1_000_000
    genesis = Genesis("kg-test", "kg", now - HOUR, GENESIS.modules)
    old = member(tmp_path / "old", genesis)
    with ExitStack() as stack:
        rpc = stack.enter_context(old.running(snapshot_every=EVERY))
        send(rpc, range(20), now)
        wait_for(Shelf(old.home.snapshots).heights)
        send(rpc, range(20, 22), now)
        new = member(tmp_path / "new", genesis, old, rpc)
        joined = stack.enter_context(new.running(snapshot_every=EVERY))
        wait_for(lambda: standing(joined) == standing(rpc))
        send(rpc, range(22, 30), now)
        wait_for(lambda: standing(joined) == standing(rpc))
        assert int(joined.call("status")["sync_info"]["earliest_block_height"]) >= EVERY
    with RocksStore(new.home.path) as store:
        began = rows.read_joined(store)
        assert began is not None
        assert began % EVERY == 0
        report = verify_ledger(store, Modules(MODULES), MemoryStore())
        assert report.sound, report.difference
        assert report.transactions == 30
    with new.running() as again:
        assert standing(again)[0] >= began
