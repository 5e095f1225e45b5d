"""Who sends, in which order, how fast: lanes, replay, the rate bucket, keys of three kinds, the minimum balance."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.transaction import Body
from kerege.modules.accounts.messages import AddKey, CloseAccount, Open, RemoveKey, RotateKey, SetGuardians, Sponsor
from kerege.modules.accounts.rules import enough_at, refill, with_sequence
from kerege.modules.accounts.state import ACCOUNTS, USAGE
from kerege.modules.accounts.types import AccountKind, Usage
from kerege.modules.bank.messages import Transfer
from kerege.testing import names
from kerege.testing.country import found
from kerege.testing.ledger import HOUR, LEDGER, Simulator
from kerege.testing.signers import PasskeySigner, WalletSigner

BOB = names.address("bob")
PAY = Transfer(BOB, "KGS", 1)
SLOW = {"accounts.rate_burst": 10, "accounts.rate_refill_per_second": 2}


def country(**rules: object) -> Simulator:
    return Simulator(
        found(
            ["alice", "bob"],
            {"clerk": ("acceptor", "ЦОН-1")},
            rules=rules,
            money={"alice": 1_000_000, "bob": 1_000_000},
        )
    )


def test_lanes_are_independent_and_nothing_runs_twice():
    ledger = country()
    first, third = (ledger.transaction("alice", [PAY], lane=lane) for lane in (0, 3))
    assert [r.code for r in ledger.run([third, first, first, third])] == ["", "", "kernel.27", "kernel.27"]
    assert ledger.read(USAGE, names.address("alice")).sequences == (1, 0, 0, 1), "only as long as needed"
    assert ledger.send("alice", PAY).code == ""


def test_a_refused_transaction_is_not_sent_again_either():
    ledger = country()
    refused = ledger.transaction("alice", [Transfer(BOB, "KGS", 2_000_000)])
    assert [r.code for r in ledger.run([refused, refused])] == ["bank.4", "kernel.27"]
    assert ledger.run([refused])[0].code == "kernel.27"


def test_messages_of_a_transaction_apply_together_or_not_at_all():
    ledger = country()
    before = ledger.rows()
    result = ledger.send("alice", PAY, AddKey(1, names.signer("phone").key), Transfer(BOB, "KGS", 2_000_000))
    assert result.code == "bank.4"
    assert ledger.rows() == before


def test_who_sends_too_fast_waits_as_long_as_the_refusal_says():
    ledger = country(**SLOW)
    results = ledger.run([ledger_transaction(ledger, sequence) for sequence in range(12)])
    assert [r.code for r in results] == [""] * 10 + ["kernel.2"] * 2
    retry_at = results[-1].facts["retry_at"]
    assert retry_at == ledger.time + 500
    ledger.advance(499)
    assert ledger.send("alice", PAY).code == "kernel.2", "asking too early costs the sequence, not the waiting"
    ledger.advance(1)
    assert ledger.send("alice", PAY).code == ""


def ledger_transaction(ledger: Simulator, sequence: int) -> bytes:
    body = Body(LEDGER, names.address("alice"), 0, sequence, ledger.time + HOUR, os.urandom(16), [PAY])
    return names.signer("alice").transaction(body)


@pytest.mark.parametrize("rule", [0, "fast", ["1"], True, -5])
def test_no_rule_stops_everybody_from_sending(rule):
    ledger = country(**{"accounts.rate_burst": rule, "accounts.rate_refill_per_second": rule})
    assert ledger.send("alice", PAY).code == ""


@given(st.integers(0, 2_000_000), st.integers(0, 10**6), st.integers(1, 2000), st.integers(1, 500))
def test_the_bucket_holds_enough_when_it_says_and_not_before(tokens, now, weight, per_second):
    usage = Usage((), tokens, now, 0)
    if weight * 1000 > tokens:
        ready = enough_at(tokens, weight, now, per_second)
        assert refill(usage, ready, 2000, per_second) >= weight * 1000
        assert refill(usage, ready - 1, 2000, per_second) < weight * 1000


@given(st.lists(st.integers(0, 100), max_size=50), st.integers(1, 500))
def test_asking_often_loses_nothing(steps, per_second):
    usage, now = Usage((), 0, 0, 0), 0
    for step in steps:
        now += step
        usage = Usage((), refill(usage, now, 10**6, per_second), now, 0)
    assert usage.tokens == now * per_second


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 10)), max_size=20))
def test_sequences_are_a_table_of_sixteen_lanes(moves):
    sequences: tuple[int, ...] = ()
    oracle: dict[int, int] = {}
    for lane, sequence in moves:
        sequences, oracle[lane] = with_sequence(sequences, lane, sequence), sequence
    assert [oracle.get(lane, 0) for lane in range(len(sequences))] == list(sequences)
    assert len(sequences) == max(oracle, default=-1) + 1


def test_keys_of_the_three_kinds_open_accounts_and_send():
    passkey, wallet = PasskeySigner(bytes([1]) * 32), WalletSigner(bytes([2]) * 32)
    ledger = country(
        **{"kernel.webauthn_origins": ["https://portal.gov.kg"], "kernel.webauthn_rp_ids": ["portal.gov.kg"]}
    )
    for signer in (passkey, wallet):
        opened = Open("ЦОН-1", AccountKind.PERSON, signer.kind, signer.key, sponsored=True)
        assert ledger.send("clerk", opened).code == ""
        assert ledger.send("alice", Transfer(signer.address, "KGS", 5)).code == ""
        body = Body(LEDGER, signer.address, 0, 0, ledger.time + HOUR, bytes(16), [PAY])
        assert ledger.run([signer.transaction(body)])[0].code == ""
    body = Body(LEDGER, wallet.address, 0, 1, ledger.time + HOUR, bytes(16), [PAY])
    assert ledger.run([passkey.transaction(body)])[0].code == "kernel.26", "another's key"


def test_an_added_key_sends_until_it_is_removed():
    ledger, phone = country(), names.signer("phone")
    ledger.send("alice", AddKey(1, phone.key))
    assert ledger.run([ledger.transaction("alice", [PAY], signer=phone)])[0].code == ""
    removed = ledger.transaction("alice", [RemoveKey(names.signer("alice").key)], signer=phone)
    assert ledger.run([removed])[0].code == ""
    assert ledger.send("alice", PAY).code == "kernel.26"
    rotated = ledger.transaction("alice", [RotateKey(phone.key, 1, names.signer("tablet").key)], signer=phone)
    assert ledger.run([rotated])[0].code == ""
    assert [held.key for held in ledger.read(ACCOUNTS, names.address("alice")).keys] == [names.signer("tablet").key]
    assert ledger.run([ledger.transaction("alice", [PAY], signer=phone)])[0].code == "kernel.26"


def test_a_key_may_be_removed_by_the_message_before_the_next_transaction_of_the_block():
    ledger, phone = country(), names.signer("phone")
    ledger.send("alice", AddKey(1, phone.key))
    removing = ledger.transaction("alice", [RemoveKey(phone.key)])
    later = ledger.transaction("alice", [PAY], lane=1, signer=phone)
    assert [r.code for r in ledger.run([removing, later])] == ["", "kernel.26"]
    assert ledger.send("alice", CloseAccount()).code == ""
    assert ledger.send("alice", PAY).code == "kernel.25"


def test_new_state_needs_a_minimum_balance_or_a_sponsor():
    ledger = Simulator(found(["poor", "alice"], {"clerk": ("acceptor", "ЦОН-1")}, money={"poor": 250, "alice": 1000}))
    dave, erin = names.address("dave"), names.address("erin")
    assert ledger.send("poor", Transfer(dave, "KGS", 50)).code == "", "one entry, 200 left"
    assert ledger.send("poor", Transfer(erin, "KGS", 1)).facts == {"needed": 200, "available": 199}
    assert ledger.send("poor", Transfer(dave, "KGS", 101)).facts == {"needed": 100, "available": 99}, "it stands"
    assert ledger.send("poor", Transfer(dave, "KGS", 100)).code == ""
    assert ledger.read(USAGE, names.address("poor")).entries == 1
    opened = Open("ЦОН-1", AccountKind.PERSON, 1, names.signer("guest").key, sponsored=True)
    assert ledger.send("clerk", opened).code == ""
    assert ledger.send("alice", Transfer(names.address("guest"), "KGS", 3)).code == ""
    assert ledger.send("guest", Transfer(erin, "KGS", 1)).code == "", "the sponsor answers"


def test_a_sponsor_answers_up_to_a_limit():
    posts = {"clerk": ("acceptor", "ЦОН-1")}
    ledger = Simulator(found(["alice"], posts, money={"alice": 1000}, rules={"accounts.sponsored_entries": 2}))
    opened = Open("ЦОН-1", AccountKind.PERSON, 1, names.signer("guest").key, sponsored=True)
    assert ledger.send("clerk", opened).code == ""
    assert ledger.send("alice", Transfer(names.address("guest"), "KGS", 103)).code == ""
    for payee in ("dave", "erin", "fay"):
        assert ledger.send("guest", Transfer(names.address(payee), "KGS", 1)).code == ""
    assert ledger.send("guest", Transfer(names.address("gus"), "KGS", 1)).facts == {"needed": 100, "available": 99}
    assert ledger.read(USAGE, names.address("guest")).entries == 3, "two of the sponsor's, one of its own"


def test_only_an_agency_sponsors():
    ledger = Simulator(found(["alice"], {"operator": ("system-operator", "МЦР-1")}))
    agency = Open("МЦР-1", AccountKind.INSTITUTION, 1, names.signer("agency").key, sponsored=False)
    assert ledger.send("alice", Sponsor(1, names.signer("guest").key)).code == "accounts.3"
    assert ledger.send("operator", agency).code == ""
    assert ledger.send("agency", Sponsor(1, names.signer("guest").key)).code == ""
    assert ledger.read(ACCOUNTS, names.address("guest")).sponsor == names.address("agency")
    assert ledger.send("guest", SetGuardians([names.address("alice")], 1)).code == ""


@pytest.mark.parametrize("value", [5, True, "https://portal.gov.kg"])
def test_a_mistyped_list_of_places_stops_nobody(value):
    """A board may enact nonsense: no passkey signs then, and everybody else goes on."""
    ledger = country(**{"kernel.webauthn_origins": value})
    assert ledger.send("alice", PAY).code == ""
