"""State sync between real engines: a fresh member joins a ledger that goes on, from a member that it does not trust."""

import time
from contextlib import ExitStack

from kerege.consensus import rows
from kerege.consensus.replay import verify_ledger
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.storage.memory import MemoryStore
from kerege.storage.rocks import RocksStore
from tests.consensus.members import EVERY, Member, app_hash, needs_engine, send, wait_for
from tests.consensus.test_replica import GENESIS, HOUR


@needs_engine
def test_a_fresh_member_joins_by_state_sync_and_goes_on(tmp_path):
    now = time.time_ns() // 1_000_000
    genesis = Genesis("kg-test", "kg", now - HOUR, GENESIS.modules)
    old = Member(tmp_path / "old", genesis)
    with ExitStack() as stack:
        rpc = stack.enter_context(old.running())
        send(rpc, range(20), now)
        shelf = Shelf(old.home.snapshots)
        wait_for(shelf.heights)
        send(rpc, range(20, 22), now)
        commit = rpc.call("commit", height="2")["signed_header"]["commit"]
        new = Member(
            tmp_path / "new",
            genesis,
            old,
            enable="true",
            rpc_servers=f'"unix://{old.engine.home}/rpc,unix://{old.engine.home}/rpc"',
            trust_height="2",
            trust_hash=f'"{commit["block_id"]["hash"]}"',
            discovery_time='"5s"',
            chunk_request_timeout='"5s"',
        )
        joined = stack.enter_context(new.running())
        wait_for(lambda: int(app_hash(joined)[0]) >= int(app_hash(rpc)[0]))
        send(rpc, range(22, 30), now)
        wait_for(lambda: app_hash(joined) == app_hash(rpc))
        assert int(joined.call("status")["sync_info"]["earliest_block_height"]) >= EVERY
    with RocksStore(new.home.path) as store:
        began = rows.read_joined(store)
        assert began is not None
        assert began % EVERY == 0
        report = verify_ledger(store, Modules(MODULES), MemoryStore())
        assert report.sound, report.difference
        assert report.transactions == 30
    with new.running() as again:
        wait_for(lambda: int(app_hash(again)[0]) >= began)
