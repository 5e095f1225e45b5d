"""Parcels carry no trust: what is in them runs as if it had come alone, once, and harms nobody else's."""

import json
import time
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from kerege.consensus import parcels, rows
from kerege.consensus.checking import CheckedBeside
from kerege.consensus.codes import APPLIED, BUSY, NOT_A_TRANSACTION
from kerege.consensus.cometbft import messages as m
from kerege.consensus.embedded import Clock, wall_clock
from kerege.consensus.pool import PARCELS_CHECKED_AT_ONCE
from kerege.consensus.replay import verify_ledger
from kerege.consensus.replica import Replica
from kerege.kernel.codec import encode
from kerege.kernel.crypto import Verifier, native_present
from kerege.kernel.module import Modules
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT
from kerege.modules import MODULES
from kerege.modules.accounts.messages import SetGuardians
from kerege.modules.authority.messages import RevokeNodeKey
from kerege.modules.authority.types import NodeKeyKind
from kerege.modules.bank.messages import Transfer
from kerege.storage.memory import MemoryStore
from kerege.testing import names
from tests.consensus.member import (
    GATEWAY,
    HOUR,
    LEDGER,
    MONEY,
    OPERATOR,
    app_state,
    balance,
    genesis,
    pay,
    register,
    replica_on,
    signed,
)

PEOPLE = [f"person-{number}" for number in range(30)]
GENESIS = genesis(PEOPLE)
CHECKED = ["native", "beside"] if native_present() else ["beside"]
"""Where signatures are checked: everything here is the same by both."""
REGISTRATION = register()
STRANGER = SigningKey(sha256(b"stranger").digest())


def stamp(time: int) -> Timestamp:
    return Timestamp(seconds=time // 1_000, nanos=time % 1_000 * 1_000_000)


_beside = cache(CheckedBeside)


def verifier(checked: str) -> Verifier:
    """One that checks natively, or as a member does that has no native code."""
    if checked == "native":
        return Verifier(kind="native", remembered=100_000)
    return Verifier(kind="plain", remembered=100_000, batches=_beside())


class Decided:
    """A replica whose blocks the test decides; the gateway's key is registered in its first."""

    def __init__(self, time: int | None = None, now: Clock = wall_clock, *, checked: str = CHECKED[0]) -> None:
        self.time = time
        self.store = MemoryStore()
        self.replica: Replica = replica_on(self.store, now, verifier=verifier(checked))
        self.replica.init_chain(m.RequestInitChain(app_state_bytes=json.dumps(app_state(GENESIS)).encode()))
        self.height = 0
        self.decide(REGISTRATION)

    def decide(self, *txs: bytes) -> m.ResponseFinalizeBlock:
        self.height += 1
        request = m.RequestFinalizeBlock(height=self.height, txs=txs, time=stamp(self.time or wall_clock()))
        answer = self.replica.finalize_block(request)
        self.replica.commit(m.RequestCommit())
        return answer

    def check(self, *txs: bytes, again: bool = False) -> list[int]:
        kind = m.RECHECK if again else m.NEW
        return [a.code for a in self.replica.check_txs([m.RequestCheckTx(tx=tx, type=kind) for tx in txs])]

    def prepare(self, *txs: bytes, room: int = 1 << 22, time: int | None = None) -> list[bytes]:
        request = m.RequestPrepareProposal(txs=txs, max_tx_bytes=room, time=stamp(time or wall_clock()))
        return list(self.replica.prepare_proposal(request).txs)

    def accepts(self, *txs: bytes) -> bool:
        answer = self.replica.process_proposal(m.RequestProcessProposal(txs=txs))
        return answer.status == m.ResponseProcessProposal.ACCEPT


@pytest.fixture(params=CHECKED)
def decided(request: pytest.FixtureRequest) -> Decided:
    return Decided(checked=request.param)


def pack(*transactions: bytes, key: SigningKey = GATEWAY, ledger: str = LEDGER) -> bytes:
    return parcels.pack(bytes(key), ledger, 0, transactions)


def forged(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


# Let in, or not


def test_who_may_pack(decided):
    raws = [pay(who, PEOPLE[0]) for who in PEOPLE[1:5]]
    good = pack(*raws)
    checkpoint = SigningKey(sha256(b"checkpoint").digest())
    decided.decide(register(checkpoint, sequence=1, kind=NodeKeyKind.CHECKPOINT))
    refused = [
        pack(*raws, key=STRANGER),
        pack(*raws, key=checkpoint),
        pack(*raws, ledger="kg-other"),
        forged(good),
        good + b"\0",
        good[:-1],
        encode(["kerege-parcel/1", bytes(32), 0, [], bytes(64)]),
        pack(*[b"x" * 200] * 500),
    ]
    assert decided.check(*refused) == [NOT_A_TRANSACTION] * len(refused)
    assert decided.check(good) == [APPLIED]
    decided.decide(signed(OPERATOR, RevokeNodeKey(bytes(GATEWAY.verify_key)), sequence=2))
    assert decided.check(pack(*[pay(who, PEOPLE[0]) for who in PEOPLE[6:9]])) == [NOT_A_TRANSACTION]


def test_what_a_stranger_packs_is_not_opened(decided, monkeypatch):
    """Else anybody could keep a validator busy with five hundred transactions a message."""
    opened = list[bytes]()
    decode = decided.replica.machine.decode

    def noted(raw: bytes) -> Any:
        opened.append(raw)
        return decode(raw)

    monkeypatch.setattr(decided.replica.machine, "decode", noted)
    raws = [pay(who, PEOPLE[0]) for who in PEOPLE[1:5]]
    strangers = [pack(*raws, key=STRANGER), forged(pack(*raws)), pack(*raws, ledger="kg-other")]
    assert decided.check(*strangers) == [NOT_A_TRANSACTION] * 3
    assert opened == []
    assert decided.check(pack(*raws)) == [APPLIED]
    assert opened == raws


def test_a_parcel_brings_something_new_or_stays_out(decided):
    first, second, third = (pay(who, PEOPLE[0]) for who in PEOPLE[1:4])
    assert decided.check(pack(first, second)) == [APPLIED]
    assert decided.check(pack(second, first), pack(second)) == [NOT_A_TRANSACTION] * 2, "permutations of what waits"
    assert decided.check(pack(second, third)) == [APPLIED]
    decided.decide(first, second)
    assert decided.check(pack(first, second), again=True) == [NOT_A_TRANSACTION]
    assert decided.check(pack(second, third), again=True) == [APPLIED]
    assert decided.check(pack(first, b"junk")) == [NOT_A_TRANSACTION]
    expired = pay(PEOPLE[5], PEOPLE[0], until=wall_clock() - 1)
    assert decided.check(pack(expired)) == [NOT_A_TRANSACTION]


def test_looking_again_checks_no_signature(decided, monkeypatch):
    parcel = pack(*[pay(who, PEOPLE[0]) for who in PEOPLE[1:20]])
    assert decided.check(parcel) == [APPLIED]
    checked: list[object] = []
    monkeypatch.setattr("kerege.kernel.crypto.well_signed", lambda *item: checked.append(item))
    monkeypatch.setattr("kerege.kernel.crypto.ed25519_verify", lambda *item: checked.append(item))
    for begin in ("submit", "begin"):
        monkeypatch.setattr(decided.replica.machine.verifier, begin, lambda *item: checked.append(item))
    assert decided.check(parcel, again=True) == [APPLIED]
    assert not checked


def test_only_a_few_wait_for_their_verdicts_and_the_rest_is_told_to_come_again(decided, monkeypatch):
    many = [pack(*[pay(who, PEOPLE[0], number) for who in PEOPLE[1:4]]) for number in range(60)]
    with monkeypatch.context() as patch:
        patch.setattr(decided.replica.machine.verifier, "is_done", lambda _ticket: False)
        codes = decided.check(*many)
        assert codes == [APPLIED] * PARCELS_CHECKED_AT_ONCE + [BUSY] * (60 - PARCELS_CHECKED_AT_ONCE)
    decided.decide(*many[:PARCELS_CHECKED_AT_ONCE])
    assert decided.check(many[-1]) == [APPLIED]


def test_proposals_that_are_not_decided_leave_nothing_behind(decided, monkeypatch):
    """Rounds may fail as long as a proposer likes; each block takes what was begun for those before it."""
    verifier, begun = decided.replica.machine.verifier, set[int]()
    begin, collect = verifier.begin, verifier.collect

    def begins(*asked):
        ticket = begin(*asked)
        begun.add(id(ticket))
        return ticket

    def collected(ticket, *more):
        begun.discard(id(ticket))
        return collect(ticket, *more)

    monkeypatch.setattr(verifier, "begin", begins)
    monkeypatch.setattr(verifier, "collect", collected)
    kept = []
    for number in range(20):
        parcel = pack(*[pay(who, PEOPLE[0], number) for who in PEOPLE[1:4]])
        kept.append(parcel)
        assert decided.accepts(parcel)
        assert decided.accepts(parcel)
    until = time.monotonic() + 5
    while begun:
        assert time.monotonic() < until
        decided.decide()
        time.sleep(0.01)
    assert decided.decide(kept[0]).tx_results[0].code == APPLIED


def test_a_parcel_without_a_good_signature_is_thrown_out_once_that_is_known(decided):
    bad = pack(*[forged(pay(who, PEOPLE[0])) for who in PEOPLE[1:5]])
    assert decided.check(bad) == [APPLIED]
    deadline = time.monotonic() + 120
    while decided.prepare(bad) and time.monotonic() < deadline:
        decided.check(pack(pay(PEOPLE[6], PEOPLE[0])))
    assert decided.prepare(bad) == []
    assert decided.check(bad, again=True) == [NOT_A_TRANSACTION]


# In a block


def test_what_comes_twice_runs_once_and_a_bad_one_harms_nobody(decided):
    twice, alone, other = (pay(who, PEOPLE[0]) for who in PEOPLE[1:4])
    one = pack(twice, forged(pay(PEOPLE[5], PEOPLE[0])), b"junk", alone)
    two = pack(twice, other)
    assert decided.check(one, two) == [APPLIED] * 2
    assert decided.prepare(one, two, twice) == [one, two]
    assert decided.accepts(one, two)
    answer = decided.decide(one, two, twice, b"junk", forged(two))
    assert [result.code for result in answer.tx_results] == [APPLIED, APPLIED, *[NOT_A_TRANSACTION] * 3]
    assert [balance(decided.store, who) for who in PEOPLE[:5]] == [MONEY + 15, *[MONEY - 5] * 3, MONEY]
    report = verify_ledger(decided.store, Modules(MODULES), MemoryStore())
    assert report.sound, report.difference
    stored = rows.read_block(decided.store, decided.height)
    assert stored is not None
    assert stored.transactions[3] == alone, "the ledger keeps what senders signed, not who packed it"


def test_every_node_gives_the_same_result_of_a_parcel():
    raw, time = pack(*[pay(who, PEOPLE[0]) for who in PEOPLE[1:9]], b"junk"), wall_clock()
    one, two = Decided(time), Decided(time)
    two.check(raw)
    first, second = one.decide(raw), two.decide(raw)
    assert first.tx_results == second.tx_results
    assert first.app_hash == second.app_hash
    assert len(first.tx_results[0].data) == 32


def test_parcels_go_in_whole_by_their_class_within_bytes_and_weight(decided):
    acts = pack(*[signed(who, SetGuardians([], 0)) for who in PEOPLE[:5]])
    money = [pack(*[pay(who, PEOPLE[0], number) for who in PEOPLE[10:]]) for number in range(5)]
    mixed = pack(signed(PEOPLE[6], SetGuardians([], 0)), pay(PEOPLE[7], PEOPLE[0]))
    assert decided.prepare(*money, mixed, acts) == [acts, *money, mixed]
    room = len(acts) + len(money[0]) + 10
    assert decided.prepare(*money, acts, room=room) == [acts, money[0]]
    ask = [Transfer(names.address(PEOPLE[0]), "KGS", 1)] * 64
    heavy = [pack(*[signed(who, *ask, sequence=number) for who in PEOPLE[1:13]]) for number in range(60)]
    chosen = decided.prepare(*heavy)
    assert len(chosen) == MAXIMUM_BLOCK_WEIGHT // (12 * 64)
    assert decided.accepts(*chosen)
    assert not decided.accepts(*heavy)


def test_one_empty_block_refreshes_the_time_and_no_second_one_is_waited_for(decided):
    """Where every block takes longer than the lag that is borne, transactions run all the same."""
    parcel, old = pack(*[pay(who, PEOPLE[0]) for who in PEOPLE[1:5]]), wall_clock() - 10_000
    assert decided.check(parcel) == [APPLIED]
    assert decided.prepare(parcel, time=old) == []
    decided.decide()
    assert decided.prepare(parcel, time=old) == [parcel]


def test_what_no_honest_proposer_makes(decided):
    raws = [pay(who, PEOPLE[0]) for who in PEOPLE[1:5]]
    whole = pack(*raws)
    assert decided.accepts(whole, pack(raws[0], pay(PEOPLE[9], PEOPLE[0])))
    assert not decided.accepts(whole, whole)
    assert not decided.accepts(whole, raws[2])
    assert not decided.accepts(raws[0], raws[1], pack(raws[0], raws[1]))
    assert not decided.accepts(pack(b"junk"))
    assert not decided.accepts(whole[:-1])
    assert decided.accepts(pack(*raws, key=STRANGER)), "who packed it is no matter of the block"


# Any bytes


def shapes() -> st.SearchStrategy[bytes]:
    """Bytes near a parcel and far from one."""
    raws = [pay(who, PEOPLE[0], n) for who in PEOPLE[1:4] for n in range(2)]
    inner = st.lists(st.one_of(st.sampled_from(raws), st.binary(max_size=80)), max_size=8)
    packed = inner.map(lambda given: encode(["kerege-parcel/1", bytes(GATEWAY.verify_key), 0, given, bytes(64)]))
    honest = st.lists(st.sampled_from(raws), min_size=1, max_size=6).map(lambda given: pack(*given))
    whole = st.one_of(packed, honest, st.sampled_from(raws))
    bent = st.tuples(whole, st.integers(0, 400), st.integers(1, 255)).map(
        lambda given: bytes(b ^ given[2] if i == given[1] % len(given[0]) else b for i, b in enumerate(given[0]))
    )
    cut = st.tuples(whole, st.integers(0, 400)).map(lambda given: given[0][: given[1]])
    return st.one_of(whole, bent, cut, st.binary(max_size=200))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(shapes(), max_size=6), min_size=1, max_size=4))
def test_whatever_bytes_are_decided_every_node_comes_to_the_same_and_money_is_kept(blocks):
    time = wall_clock()
    one, two = Decided(time), Decided(time)
    for txs in blocks:
        two.check(*txs)
        two.accepts(*txs)
        answers = [each.decide(*txs) for each in (one, two)]
        assert answers[0] == answers[1]
        assert len(answers[0].tx_results) == len(txs)
        chosen = two.prepare(*txs)
        assert two.accepts(*chosen)
    assert sum(balance(one.store, who) for who in PEOPLE) == MONEY * len(PEOPLE)
    assert one.replica.machine.full_invariants() == []


def test_a_parcel_holds_what_it_says_and_not_one_byte_more():
    raws = [pay(who, PEOPLE[0], until=wall_clock() + HOUR) for who in PEOPLE[:3]]
    whole = pack(*raws)
    assert parcels.opened(whole) == raws
    assert parcels.is_signed(parcels.read(whole), LEDGER)
    assert parcels.opened(raws[0]) == [raws[0]]
    assert parcels.opened(whole + b"\0") == [whole + b"\0"]
