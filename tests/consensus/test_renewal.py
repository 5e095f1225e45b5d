"""A trust file renewed over a real engine whose validators changed by law."""

import base64
import json
import time
from itertools import pairwise

import pytest

from kerege import proofs
from kerege.cli.engine import EngineRpc
from kerege.consensus.checkpoints import origin_of
from kerege.kernel.codec import encode
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.proofs import light, renewal
from kerege.proofs.light.moments import DAY, MILLISECOND
from kerege.proofs.trust import Chain, TrustedKey
from kerege.testing.cometbft import Engine
from tests.consensus.test_light import state_proofs
from tests.consensus.test_replica import HOUR, application, pay, wait_for_sequence
from tools.engine import DEFAULT, binary

law = pytest.importorskip("tests.consensus.test_validators", reason="the law of validators is not there yet")
ORIGIN = origin_of("kg-test")


@pytest.mark.engine
def test_the_keys_of_new_validators_are_learned_from_votes_alone(tmp_path):
    """One validator, then another beside it, then both with more power: each set's checkpoint keys, and since when."""
    now = time.time_ns() // MILLISECOND
    home, socket = Home(tmp_path / "member"), tmp_path / "s"
    engine = Engine(binary(DEFAULT), tmp_path / "engine", f"unix://{socket}")
    config = tmp_path / "engine" / "config"
    key = json.loads((config / "priv_validator_key.json").read_text())["pub_key"]["value"]
    own = law.seat("ministry", 10, base64.b64decode(key))
    began = law.genesis(own, start=now - HOUR)
    create_replica(home, began, nation="kg", dev=True)
    file = config / "genesis.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(began).hex()}))
    sets = [
        [own],
        [own, law.seat("registry", 4)],
        [law.seat("ministry", 11, own.consensus_key), law.seat("registry", 5)],
    ]
    sent = 0
    fetch = EngineRpc(f"unix://{tmp_path / 'engine' / 'rpc'}")
    with application(home, socket), engine:
        rpc = engine.start()
        for number, kind in enumerate((law.NodeKeyKind.CONSENSUS, law.NodeKeyKind.CHECKPOINT)):
            assert rpc.submit(law.register(kind, f"{kind} registry", number, now)) == 0
        wait_for_sequence(rpc, "operator", 2)
        for number, (before, after) in enumerate(pairwise(sets)):
            for raw, member in zip(law.change(before, after, now=now, sequence=number), ("ada", "bek"), strict=True):
                assert rpc.submit(raw) == 0
                wait_for_sequence(rpc, member, number + 1)
            for _ in range(3):  # on to the height at which it signs, and the one that carries what it led to
                assert rpc.submit(pay("alice", sent, until=now + HOUR)) == 0
                sent += 1
                wait_for_sequence(rpc, "alice", sent)
        deadline = time.monotonic() + 120
        while fetch(0).header.app_hash != base64.b64decode(rpc.call("abci_info")["response"]["last_block_app_hash"]):
            assert time.monotonic() < deadline
        blocks = {height: fetch(height) for height in range(1, fetch(0).header.height + 1)}
    asked: list[tuple[str, int | str]] = [(renewal.NEWEST, "newest")]
    starts = [h for h, b in blocks.items() if h > 1 and b.validators.hash != blocks[h - 1].validators.hash]
    asked += [(renewal.SETS, since) for since in (0, *starts)]
    rows = state_proofs(home, *(row_key(table, key) for table, key in asked))
    shown = dict(zip(asked, rows, strict=True))
    first, last = blocks[1].header, blocks[max(blocks)].header
    trusted = proofs.trust.make_replicated(
        ledger="kg-test",
        genesis=bytes(32),
        origin=ORIGIN,
        chain=Chain(first.chain, 1, first.hash, first.time // MILLISECOND, DAY // MILLISECOND),
        keys=[TrustedKey(renewal.key_name(ORIGIN, "ministry"), own.checkpoint_key, 0, None, 10, own.consensus_key)],
    )

    def from_memory(height: int) -> light.LightBlock:
        return blocks[height or max(blocks)]

    done = renewal.renew(
        proofs.trust.parse(trusted), from_memory, time.time_ns(), prove=lambda table, key: shown[table, key]
    )
    assert done.changes == tuple(starts)
    assert done.trust.chain is not None
    assert done.trust.chain.hash == last.hash
    times = [blocks[h].header.time // MILLISECOND for h in starts]
    assert {(k.name.rpartition("/")[2], k.key, k.since, k.until, k.power) for k in done.trust.keys} == {
        ("ministry", own.checkpoint_key, 0, times[1], 10),
        ("ministry", own.checkpoint_key, times[1], None, 11),
        ("registry", sets[1][1].checkpoint_key, times[0], times[1], 4),
        ("registry", sets[1][1].checkpoint_key, times[1], None, 5),
    }
    for block in blocks.values():
        voting = done.trust.validators_at(block.header.time // MILLISECOND)
        assert voting is not None
        assert voting.hash == block.header.validators_hash


def row_key(table: str, key: int | str) -> bytes:
    """The state key of a row."""
    return table.encode() + b"\0" + (key.to_bytes(8, "big") if isinstance(key, int) else key.encode() + b"\0")
