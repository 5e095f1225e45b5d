"""A light client beside a real engine that runs the ledger: what the state holds is proven by the validators' votes."""

import base64
import json
import time

import pytest

from kerege.cli.engine import EngineRpc
from kerege.consensus import rows
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, origin_of
from kerege.consensus.prover import Prover
from kerege.consensus.trees import open_trees
from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.modules.bank.state import BALANCES
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.proofs import entry, light
from kerege.proofs.light.moments import DAY
from kerege.proofs.outcome import Failed
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.cometbft import Engine
from tests.consensus.test_replica import GENESIS, HOUR, application, pay, wait_for_sequence
from tools.engine import DEFAULT, binary

ALICE = BALANCES.encode_key((names.address("alice"), "KGS"))
NOBODY = BALANCES.encode_key((bytes(20), "KGS"))


def state_proofs(home: Home, *keys: bytes) -> list[bytes]:
    """What a node proves of its newest block, signed by a key that nobody knows."""
    with RocksStore(home.path) as store:
        modules, head = Modules(MODULES), rows.read_head(store)
        assert head is not None
        trees = open_trees(modules, store, head, None, lambda *_: None)
        prover = Prover(
            modules, store, lambda: trees, "kg-test", OwnCheckpoints("kg-test", [CheckpointKey("nobody", bytes(32))])
        )
        return [prover.entry(key) for key in keys]


@pytest.mark.engine
def test_the_votes_of_a_real_engine_carry_the_state(tmp_path):
    now = time.time_ns() // 1_000_000
    began = Genesis("kg-test", "kg", now - HOUR, GENESIS.modules)
    home, socket = Home(tmp_path / "member"), tmp_path / "s"
    create_replica(home, began, nation="kg", dev=True)
    engine = Engine(binary(DEFAULT), tmp_path / "engine", f"unix://{socket}")
    file = tmp_path / "engine" / "config" / "genesis.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(began).hex()}))
    fetch = EngineRpc(f"unix://{tmp_path / 'engine' / 'rpc'}")
    with application(home, socket), engine:
        rpc = engine.start()
        for sent in range(5):
            assert rpc.submit(pay("alice", sent, until=now + HOUR)) == 0
            wait_for_sequence(rpc, "alice", sent + 1)
        first = fetch(1)
        block = light.begin(fetch, first.header.chain, 1, first.header.hash)
        trusted, rules = light.Trusted(block.header, block.next_validators), light.Rules(DAY)
        before = light.follow(trusted, fetch, rules, time.time_ns(), height=2).block.header
        app_hash, deadline = b"", time.monotonic() + 120
        while app_hash != base64.b64decode(rpc.call("abci_info")["response"]["last_block_app_hash"]):
            assert time.monotonic() < deadline, "the header after the last payment does not come"
            app_hash = light.follow(trusted, fetch, rules, time.time_ns()).block.header.app_hash
    proven, absent = state_proofs(home, ALICE, NOBODY)
    held = entry.verify_final(proven, "kg-test", origin_of("kg-test"), app_hash)
    assert held.key == ALICE
    assert held.value is not None
    assert BALANCES.decode_value(held.value) == 1_000 - 25
    assert held.signers == ()
    assert entry.verify_final(absent, "kg-test", origin_of("kg-test"), app_hash).value is None
    with pytest.raises(Failed, match="another-app-hash"):
        entry.verify_final(proven, "kg-test", origin_of("kg-test"), before.app_hash)
    with pytest.raises(Failed, match="another-ledger"):
        entry.verify_final(proven, "kg-other", origin_of("kg-test"), app_hash)
