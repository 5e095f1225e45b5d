"""Who signs blocks, between the law and the engine: told at the beginning and at each change, misbehaviour taken in."""

import base64
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kerege.consensus import rows
from kerege.consensus.cometbft import messages as m
from kerege.consensus.replay import verify_ledger
from kerege.consensus.replica import Replica
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.kernel.messages import Message
from kerege.kernel.module import Modules
from kerege.kernel.receipts import ONE_OPERATOR, BlockRecord
from kerege.modules import MODULES
from kerege.modules.authority.messages import Approve, Propose, RegisterNodeKey, SetValidators
from kerege.modules.authority.rules import consensus_address, possession_payload, proposal_content, set_hash
from kerege.modules.authority.state import MISBEHAVIOUR
from kerege.modules.authority.types import NodeKeyKind, Validator
from kerege.node.home import Home
from kerege.node.network.layout import Member, Network
from kerege.node.network.node import witnesses_of
from kerege.node.replica import create_replica
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch, Store
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.cometbft import Engine, Rpc
from kerege.testing.country import found
from tests.consensus.test_replica import (
    HOUR,
    START,
    application,
    decide,
    pay,
    replica,
    signed,
    stamp,
    wait_for_sequence,
)
from tools.engine import DEFAULT, binary

FOUR = ("bank", "chamber", "ministry", "registry")
POSTS = {"operator": ("system-operator", "registry-1")}
BOARDS = {
    "government": (["pm"], 1),
    "central-bank": (["banker"], 1),
    "consensus": (["ada", "bek", "cholpon"], 2),
}


def seat(institution: str, power: int = 10, consensus_key: bytes = b"") -> Validator:
    checkpoint_key = names.signer(f"checkpoint {institution}").key
    return Validator(institution, consensus_key or names.signer(f"consensus {institution}").key, checkpoint_key, power)


def genesis(*validators: Validator, start: int = START) -> Genesis:
    money = {"alice": 100_000, "ada": 100_000, "operator": 100_000}
    modules = found(["alice"], POSTS, BOARDS, {"accounts.rate_burst": 100_000}, money, validators)
    return Genesis("kg-test", "kg", start, list(modules))


def asked(began: Genesis, *engine: m.ValidatorUpdate) -> m.RequestInitChain:
    return m.RequestInitChain(app_state_bytes=json.dumps(encode(began).hex()).encode(), validators=engine)


def update(validator: Validator, power: int | None = None) -> m.ValidatorUpdate:
    key = m.PublicKey(ed25519=validator.consensus_key)
    return m.ValidatorUpdate(pub_key=key, power=validator.power if power is None else power)


def begun(store: Store, *validators: Validator) -> Replica:
    made = replica(store)
    made.init_chain(asked(genesis(*validators or map(seat, FOUR))))
    return made


def proposal(name: str, now: int, sequence: int, *messages: Message) -> tuple[bytes, bytes]:
    """Two transactions by which two of three members pass messages."""
    identifier, expires, raws = names.random_like(name, 16), now + HOUR, [encode(message) for message in messages]
    approval = Approve(identifier, proposal_content("consensus", raws, expires))
    return (
        signed("ada", Propose(identifier, "consensus", raws, expires), sequence=sequence, until=expires),
        signed("bek", approval, sequence=sequence, until=expires),
    )


def change(before: list[Validator], after: list[Validator], *, now: int = START, sequence: int = 0) -> Any:
    return proposal(f"change {sequence}", now, sequence, SetValidators(after, set_hash(before)))


def deed(validator: Validator, height: int = 1) -> m.Misbehavior:
    named = m.Validator(address=consensus_address(validator.consensus_key), power=validator.power)
    return m.Misbehavior(
        type=m.DUPLICATE_VOTE, validator=named, height=height, time=stamp(START), total_voting_power=40
    )


def told(each: Replica, height: int, *misbehaviour: m.Misbehavior, commit: bool = True) -> m.ResponseFinalizeBlock:
    request = m.RequestFinalizeBlock(height=height, misbehavior=misbehaviour, time=stamp(START + height))
    answer = each.finalize_block(request)
    if commit:
        each.commit(m.RequestCommit())
    return answer


def sound(store: Store) -> None:
    report = verify_ledger(store, Modules(MODULES), MemoryStore())
    assert report.sound, report.difference


# The beginning


def test_the_genesis_says_who_signs_first():
    answer = replica(MemoryStore()).init_chain(asked(genesis(*map(seat, FOUR))))
    assert {each.pub_key.ed25519 for each in answer.validators} == {seat(name).consensus_key for name in FOUR}
    assert replica(MemoryStore()).init_chain(asked(genesis(), update(seat("bank")))).validators == []


@pytest.mark.parametrize(
    "engine", [[update(seat("bank"))], [*map(update, map(seat, FOUR[:3])), update(seat("registry"), 11)]]
)
def test_an_engine_with_another_set_is_refused(engine):
    with pytest.raises(ValueError, match=r"names other validators than the ledger's genesis: the file has .* the law"):
        replica(MemoryStore()).init_chain(asked(genesis(*map(seat, FOUR)), *engine))


def test_an_engine_with_the_same_set_is_welcome():
    answer = replica(MemoryStore()).init_chain(asked(genesis(*map(seat, FOUR)), *map(update, map(seat, FOUR))))
    assert len(answer.validators) == 4


# Changes


def test_a_change_is_told_once_by_the_block_that_made_it():
    store = MemoryStore()
    each, founders = begun(store), [seat(name) for name in FOUR]
    changed = [seat("bank", 12), seat("chamber"), seat("ministry")]
    propose, approve = change(founders, changed)
    assert decide(each, 1, propose).validator_updates == []
    answer = decide(each, 2, approve, commit=False)
    assert sorted((one.pub_key.ed25519, one.power) for one in answer.validator_updates) == sorted(
        [(seat("bank").consensus_key, 12), (seat("registry").consensus_key, 0)]
    )
    again = replica(store)
    assert decide(again, 2, approve) == answer, "the process died before it was committed: the engine asks again"
    assert [decide(again, height, pay("alice", height - 3)).validator_updates for height in (3, 4)] == [[], []]
    hashes = {h: decode(rows.read_leaf(store, h, 1), BlockRecord).validators for h in (1, 2, 3, 4)}
    assert [hashes[h] for h in (1, 2, 3)] == [set_hash(founders)] * 3
    assert hashes[4] == set_hash(changed)
    sound(store)


def test_whose_signatures_a_node_gathers_follows_the_law(tmp_path):
    """By the state, not by the file that founded the network: that only says where each is asked."""
    store, before = MemoryStore(), list(map(seat, FOUR))
    each, after = begun(store, *before), [*before[:3], seat("registry", 9)]
    members = tuple(Member(name, True, 1, 2, 3, checkpoint_key="00" * 32, power=7) for name in FOUR[1:])
    at = witnesses_of(Network(tmp_path, "kg-test", "kg", members), each.machine.modules, store)
    decide(each, 5, *change(before, after))
    assert [(w.name, w.key, w.power, w.url) for w in at(6)] == [
        (f"kerege/kg-test/{v.institution}", v.checkpoint_key, 10, "" if v is before[0] else "http://127.0.0.1:2")
        for v in before
    ]
    assert [w.power for w in at(7)] == [10, 10, 10, 9]


def test_without_validators_no_block_names_any():
    store = MemoryStore()
    each = replica(store)
    each.init_chain(asked(genesis()))
    assert decide(each, 1, pay("alice")).validator_updates == []
    assert decode(rows.read_leaf(store, 1, 1), BlockRecord).validators == ONE_OPERATOR


# Misbehaviour


def test_who_misbehaved_leaves_the_set_and_stays_on_record():
    store = MemoryStore()
    each, liar = begun(store), seat("registry")
    assert told(each, 1).validator_updates == []
    answer = told(each, 2, deed(liar), commit=False)
    assert list(answer.validator_updates) == [update(liar, 0)]
    assert told(replica(store), 2, deed(liar)) == answer
    record = store.get(
        Area.STATE, MISBEHAVIOUR.encode_key((consensus_address(liar.consensus_key), 1, "duplicate-vote"))
    )
    assert record is not None
    row = MISBEHAVIOUR.decode_value(record)
    assert (row.institution, row.reported, row.suspended) == ("registry", 2, True)
    sound(store)


def test_what_is_told_twice_or_too_late_makes_no_block():
    store = MemoryStore()
    each = begun(store)
    first = told(each, 1, deed(seat("registry")))
    assert told(each, 2, deed(seat("registry"))).app_hash == first.app_hash
    assert rows.read_summary(store, 2) is None
    sound(store)


@pytest.mark.parametrize("change_row", [None, b"\x90", b"junk"])
def test_a_block_without_what_it_was_told_does_not_replay(change_row):
    store = MemoryStore()
    told(begun(store), 1, deed(seat("registry")))
    (key,) = (key for key, _ in store.scan(Area.BLOCKS) if rows.holds_misbehaviour(key))
    batch = Batch()
    if change_row is None:
        batch.delete(Area.BLOCKS, key)
    else:
        batch.put(Area.BLOCKS, key, change_row)
    store.write(batch)
    report = verify_ledger(store, Modules(MODULES), MemoryStore())
    assert report.difference is not None
    assert "block 1" in report.difference.where


def test_blocks_that_were_told_something_are_read_as_others():
    store = MemoryStore()
    each = begun(store)
    told(each, 1, deed(seat("registry")))
    decide(each, 2, pay("alice"), time=START + 2)
    assert [(block.height, len(block.transactions), len(block.leaves)) for block in rows.read_blocks(store)] == [
        (0, 0, 1),
        (1, 0, 2),
        (2, 1, 2),
    ]


# A real engine


def seats(rpc: Rpc, height: int) -> dict[bytes, int]:
    told_by_engine = rpc.call("validators", height=str(height))["validators"]
    return {base64.b64decode(v["pub_key"]["value"]): int(v["voting_power"]) for v in told_by_engine}


def register(kind: NodeKeyKind, key_of: str, sequence: int, now: int) -> bytes:
    signer = names.signer(key_of)
    proof = bytes(signer._secret.sign(possession_payload("kg-test", kind, "registry", signer.key)).signature)
    message = RegisterNodeKey("registry", kind, signer.key, proof, None)
    return signed("operator", message, sequence=sequence, until=now + HOUR)


def height_of(store: Store, raw: bytes) -> int:
    """The height of the block that holds a transaction."""
    return next(block.height for block in rows.read_blocks(store) if raw in block.transactions)


@pytest.mark.engine
def test_a_real_engine_takes_a_proposal_s_set_at_the_second_height(tmp_path: Path):
    """One validator signs; a second joins by proposal; then its power grows. Header and block record name one set."""
    now = time.time_ns() // 1_000_000
    home, socket = Home(tmp_path / "member"), tmp_path / "s"
    engine = Engine(binary(DEFAULT), tmp_path / "engine", f"unix://{socket}")
    config = tmp_path / "engine" / "config"
    key = json.loads((config / "priv_validator_key.json").read_text())["pub_key"]["value"]
    own = seat("ministry", 10, base64.b64decode(key))
    began = genesis(own, start=now - HOUR)
    create_replica(home, began, nation="kg", dev=True)
    file = config / "genesis.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(began).hex()}))
    sets = [[own], [own, seat("registry", 4)], [seat("ministry", 11, own.consensus_key), seat("registry", 5)]]
    approvals, sent = [], 0
    with application(home, socket), engine:
        rpc = engine.start()
        for number, kind in enumerate((NodeKeyKind.CONSENSUS, NodeKeyKind.CHECKPOINT)):
            assert rpc.submit(register(kind, f"{kind} registry", number, now)) == 0
        wait_for_sequence(rpc, "operator", 2)
        for number, (before, after) in enumerate(pairwise(sets)):
            propose, approve = change(before, after, now=now, sequence=number)
            for raw, member in ((propose, "ada"), (approve, "bek")):
                assert rpc.submit(raw) == 0
                wait_for_sequence(rpc, member, number + 1)
            approvals.append(approve)
            for _ in range(2):  # on to the height at which it signs
                assert rpc.submit(pay("alice", sent, until=now + HOUR)) == 0
                sent += 1
                wait_for_sequence(rpc, "alice", sent)
        newest = rpc.height()
        by_engine = {height: seats(rpc, height) for height in range(1, newest + 1)}
        headers = {h: rpc.call("block", height=str(h))["block"]["header"] for h in by_engine}
    with RocksStore(home.path) as store:
        sound(store)
        changes = [height_of(store, raw) for raw in approvals]
        for at, (before, after) in zip(changes, pairwise(sets), strict=True):
            assert by_engine[at + 1] == {v.consensus_key: v.power for v in before}
            assert by_engine[at + 2] == {v.consensus_key: v.power for v in after}
        for block in rows.read_blocks(store, 1):
            record = decode(block.leaves[-1], BlockRecord)
            if block.height in headers:
                assert record.validators.hex().upper() == headers[block.height]["validators_hash"]
