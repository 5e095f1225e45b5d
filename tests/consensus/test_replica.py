"""The ledger as an engine's application: what is decided is executed once, durable when committed, equal everywhere."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kerege.consensus import rows
from kerege.consensus.codes import NO_STATE, NOT_A_TRANSACTION
from kerege.consensus.cometbft import messages as m
from kerege.consensus.door import CommittedReader
from kerege.consensus.replay import verify_ledger
from kerege.consensus.replica import Replica
from kerege.consensus.trees import dump_trees, open_trees
from kerege.kernel.codec import encode
from kerege.kernel.crypto import Verifier
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Message
from kerege.kernel.module import Modules
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Body
from kerege.modules import MODULES
from kerege.modules.accounts.messages import CloseAccount, SetGuardians
from kerege.modules.accounts.state import USAGE
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.state import BALANCES
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch, Store
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.cometbft import Engine, Rpc
from kerege.testing.country import found
from tools.engine import DEFAULT, binary

START, HOUR = 1_795_000_000_000, 3_600_000
CLASSES = ["accounts.=1", "bank.=3"]
PEOPLE = ["alice", "bob", "carol"]


def genesis(rules: dict[str, object] | None = None) -> Genesis:
    modules = found(PEOPLE, {}, money=dict.fromkeys(PEOPLE, 1_000), rules=rules or {})
    return Genesis("kg-test", "kg", START, list(modules))


GENESIS = genesis({"kernel.proposal_classes": CLASSES, "accounts.rate_burst": 100_000})


def replica(store: Store, now: int = START) -> Replica:
    """A process over a store: where it stands is read from there."""
    modules, head = Modules(MODULES), rows.read_head(store)
    machine = Machine(
        modules,
        ledger="kg-test",
        prefix="kg",
        reader=CommittedReader(store),
        read_tile=lambda level, index: store.get(Area.LOG, rows.tile_key(level, index)) or b"",
        head=head,
        trees=None if head is None else open_trees(modules, store, head, None, lambda *_: None),
        verifier=Verifier(remembered=1_000),
    )
    return Replica(machine, store, now=lambda: now)


def begun(store: Store | None = None, now: int = START) -> Replica:
    made = replica(store or MemoryStore(), now)
    made.init_chain(m.RequestInitChain(app_state_bytes=json.dumps(encode(GENESIS).hex()).encode()))
    return made


def signed(sender: str, *messages: Message, sequence: int = 0, until: int = START + HOUR) -> bytes:
    signer = names.signer(sender)
    body = Body("kg-test", signer.address, 0, sequence, until, bytes(16), list(messages))
    return signer.transaction(body)


def pay(sender: str, sequence: int = 0, **more: int) -> bytes:
    receiver = names.address("carol" if sender != "carol" else "bob")
    return signed(sender, Transfer(receiver, "KGS", 5), sequence=sequence, **more)


def stamp(time: int) -> Timestamp:
    return Timestamp(seconds=time // 1_000, nanos=time % 1_000 * 1_000_000)


def decide(each: Replica, height: int, *txs: bytes, time: int = START, commit: bool = True) -> m.ResponseFinalizeBlock:
    answer = each.finalize_block(m.RequestFinalizeBlock(height=height, txs=txs, time=stamp(time)))
    if commit:
        each.commit(m.RequestCommit())
    return answer


def height_of(each: Replica) -> int:
    return int(each.info(m.RequestInfo()).last_block_height)


# Blocks


def test_genesis_is_given_again_and_nothing_else():
    store = MemoryStore()
    first = begun(store)
    assert height_of(first) == 0
    again = begun(store)
    assert again.info(m.RequestInfo()).last_block_app_hash == first.info(m.RequestInfo()).last_block_app_hash
    other = m.RequestInitChain(app_state_bytes=json.dumps(encode(genesis()).hex()).encode())
    with pytest.raises(ValueError, match="another ledger"):
        again.init_chain(other)
    decide(again, 1, pay("alice"))
    with pytest.raises(ValueError, match="another ledger"):
        begun(store)


def test_every_node_comes_to_the_same_and_an_empty_block_changes_no_hash():
    one, two = begun(), begun()
    for height, txs in enumerate(([pay("alice")], [], [b"junk"], [pay("bob"), pay("bob"), pay("alice", 1)], []), 1):
        first, second = (decide(each, height, *txs, time=START + height) for each in (one, two))
        assert first == second
        assert len(first.tx_results) == len(txs)
    hashes = [decide(one, height).app_hash for height in (6, 7)]
    assert hashes == [two.info(m.RequestInfo()).last_block_app_hash] * 2
    assert height_of(one) == 7
    assert one.machine.full_invariants() == []


def test_what_is_no_transaction_is_left_out_with_a_code():
    each = begun()
    forged = bytearray(pay("bob"))
    forged[-1] ^= 1
    answer = decide(each, 1, b"", b"junk", bytes(forged), pay("alice", 7), pay("alice"), pay("alice"))
    codes = [result.code for result in answer.tx_results]
    assert codes == [NOT_A_TRANSACTION] * 4 + [0, NOT_A_TRANSACTION]


def test_what_was_not_committed_never_was():
    """Killed between decision and commit, or decided anew by an engine that began again: the same in the end."""
    store, straight = MemoryStore(), begun()
    expected = [decide(straight, height, pay("alice", height - 1)).app_hash for height in (1, 2)]
    decide(begun(store), 1, pay("alice"))
    died = replica(store)
    decide(died, 2, pay("bob"), commit=False)
    assert height_of(died) == 1
    decide(died, 2, pay("alice", 1), commit=False)
    assert decide(died, 2, pay("alice", 1), commit=False).app_hash == expected[1]
    back = replica(store)
    assert height_of(back) == 1
    assert decide(back, 2, pay("alice", 1)).app_hash == expected[1]
    assert replica(store).info(m.RequestInfo()).last_block_app_hash == expected[1]


def test_the_pool_takes_what_may_run_and_looks_again_without_signatures(monkeypatch):
    each = begun()
    forged = bytearray(pay("bob"))
    forged[-1] ^= 1
    asked = [pay("alice"), pay("alice", 1), bytes(forged), b"junk", pay("carol", until=START - 1)]
    codes = [answer.code for answer in each.check_txs([m.RequestCheckTx(tx=tx) for tx in asked])]
    assert codes == [0, 0, *[NOT_A_TRANSACTION] * 3]
    decide(each, 1, pay("alice"))
    checked: list[object] = []
    monkeypatch.setattr("kerege.kernel.crypto.well_signed", lambda *item: checked.append(item))
    monkeypatch.setattr(each.machine.verifier, "_batches", None)
    again = each.check_txs([m.RequestCheckTx(tx=tx, type=m.RECHECK) for tx in asked[:2]])
    assert [answer.code for answer in again] == [NOT_A_TRANSACTION, 0]
    assert checked == []


# Proposals


def proposed(each: Replica, *txs: bytes, room: int = 1 << 20, time: int = START) -> list[bytes]:
    request = m.RequestPrepareProposal(txs=txs, max_tx_bytes=room, time=stamp(time))
    return list(each.prepare_proposal(request).txs)


def test_acts_come_before_money_whoever_came_first():
    """And a sender's own order is kept: what stands behind a payment waits with it."""
    each = begun()
    money = [pay("alice", n) for n in range(300)]
    act = signed("bob", SetGuardians([], 0))
    behind = signed("alice", CloseAccount(), sequence=300)
    chosen = proposed(each, *money, behind, act)
    assert chosen == [act, *money, behind]
    assert len(proposed(each, *money, room=5_000)) == 5_000 // (len(money[0]) + 3)


def test_what_cannot_run_stays_out_and_bytes_stay_as_they_are():
    each = begun()
    good = pay("alice")
    assert proposed(each, good, good, b"junk", pay("bob", until=START - 1)) == [good]
    assert proposed(begun(now=START + 10_000), good) == [], "block time lags: the next block has the right one"
    whole = [pay("alice", n) for n in range(MAXIMUM_BLOCK_WEIGHT // 10)]
    chosen = proposed(each, *whole)
    answer = each.process_proposal(m.RequestProcessProposal(txs=chosen))
    assert answer.status == m.ResponseProcessProposal.ACCEPT


@pytest.mark.parametrize("enacted", [5, True, "bank.=3", ["bank.", "=", "bank.=-1", "bank.=x"]])
def test_classes_that_are_none_stop_nobody(enacted):
    """What was enacted by mistake is not in force: every proposer would stop at once."""
    each = replica(MemoryStore())
    began = genesis({"kernel.proposal_classes": enacted, "accounts.rate_burst": 100_000})
    each.init_chain(m.RequestInitChain(app_state_bytes=json.dumps(encode(began).hex()).encode()))
    act = signed("bob", SetGuardians([], 0))
    assert proposed(each, pay("alice"), act) == [pay("alice"), act]


@pytest.mark.parametrize("txs", [[b"junk"], [b""], [pay("alice"), pay("alice")]])
def test_what_no_honest_proposer_makes_is_refused(txs):
    answer = begun().process_proposal(m.RequestProcessProposal(txs=txs))
    assert answer.status == m.ResponseProcessProposal.REJECT


# A real engine


def test_a_query_is_answered_with_what_was_asked_for_or_refused():
    store = MemoryStore()
    asked = begun(store)
    key = BALANCES.encode_key((names.address("alice"), "KGS"))
    found = asked.query(m.RequestQuery(path="state", data=key))
    assert (found.code, found.height, BALANCES.decode_value(found.value)) == (0, 0, 1_000)
    decide(asked, 1)
    assert asked.query(m.RequestQuery(path="/head/", height=1)).height == 1
    asks = m.RequestQuery
    for other in (asks(height=2), asks(height=-1), asks(prove=True), asks(path="nothing")):
        refused = asked.query(asks(path=other.path or "state", data=key, height=other.height, prove=other.prove))
        assert (refused.code, refused.value, refused.height) == (NO_STATE, b"", 1)
        assert refused.log


def test_a_damaged_store_is_told_in_one_line(tmp_path: Path):
    home = Home(tmp_path / "member")
    create_replica(home, GENESIS, nation="kg", dev=True)
    with RocksStore(home.path) as store:
        begun(store)
        key, batch = BALANCES.encode_key((names.address("alice"), "KGS")), Batch()
        batch.put(Area.STATE, key, BALANCES.encode_value(2_000))
        store.write(batch)
    command = [sys.executable, "-m", "kerege.node.replica", "--home", str(home.path), "--socket", str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert json.loads(done.stderr)["text"].startswith("the state of bank does not have the root of block 0")


@contextmanager
def application(home: Home, socket: Path) -> Iterator["subprocess.Popen[bytes]"]:
    socket.unlink(missing_ok=True)
    command = [sys.executable, "-m", "kerege.node.replica", "--home", str(home.path), "--socket", str(socket)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"})
    try:
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_sequence(rpc: Rpc, sender: str, sequence: int) -> None:
    """Until a sender's transactions are committed."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        value = base64.b64decode(rpc.query("state", USAGE.encode_key(names.address(sender)))["value"] or "")
        if value and USAGE.decode_value(value).sequences[0] >= sequence:
            return
        time.sleep(0.05)
    pytest.fail(f"{sender} did not come to {sequence}")


@pytest.mark.engine
def test_a_real_engine_runs_it_and_survives_what_is_killed(tmp_path):
    """Money moves through CometBFT; application and engine killed in turn; the store replays to the same roots."""
    now = time.time_ns() // 1_000_000
    began = Genesis("kg-test", "kg", now - HOUR, GENESIS.modules)
    home, socket = Home(tmp_path / "member"), tmp_path / "s"
    create_replica(home, began, nation="kg", dev=True)
    engine = Engine(binary(DEFAULT), tmp_path / "engine", f"unix://{socket}")
    file = tmp_path / "engine" / "config" / "genesis.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": encode(began).hex()}))
    sent = 0
    for victim in ("application", "engine", "both"):
        with application(home, socket) as process, engine:
            rpc = engine.start()
            for _ in range(50):
                assert rpc.submit(pay("alice", sent, until=now + HOUR)) == 0
                sent += 1
            wait_for_sequence(rpc, "alice", sent)
            assert rpc.submit(pay("alice", 0, until=now + 2 * HOUR)) == NOT_A_TRANSACTION
            if victim != "engine":
                process.kill()
    with RocksStore(home.path) as store:
        report = verify_ledger(store, Modules(MODULES), MemoryStore())
        assert report.sound, report.difference
        assert report.transactions == sent
        balance = store.get(Area.STATE, BALANCES.encode_key((names.address("alice"), "KGS")))
        assert balance is not None
        assert BALANCES.decode_value(balance) == 1_000 - 5 * sent


def test_the_trees_are_kept_over_gaps(tmp_path):
    """Kept for a quick start where the newest block, and some before it, were empty."""
    store = MemoryStore()
    each, modules = begun(store), Modules(MODULES)
    for height, txs in enumerate(([], [pay("alice")], [], [], [pay("alice", 1)], [], [pay("bob")], []), 1):
        decide(each, height, *txs, time=START + height)
    assert dump_trees(modules, store, each.machine.trees, tmp_path) == 0
    told: list[str] = []
    head = rows.read_head(store)
    assert head is not None
    again = open_trees(modules, store, head, tmp_path, lambda what, _done: told.append(what))
    assert told == [], "nothing was built anew"
    assert [tree.root for tree in again] == head.module_roots


def test_many_heights_with_gaps_replay_to_the_same_rows():
    """Old undo rows go, also where the engine decided empty blocks in between."""
    store = MemoryStore()
    each = begun(store)
    for number in range(60):
        decide(each, 1 + number * 5, pay("alice", number), time=START + number)
        decide(each, 2 + number * 5, time=START + number)
    report = verify_ledger(store, Modules(MODULES), MemoryStore())
    assert report.sound, report.difference
    assert len(list(store.scan(Area.UNDO))) < 40
