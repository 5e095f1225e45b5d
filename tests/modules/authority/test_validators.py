"""Who signs blocks: named by a board, two blocks ahead, never so that the rest could not go on; suspended for lies."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel.codec import decode, encode
from kerege.kernel.messages import Message
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.receipts import ONE_OPERATOR, BlockReceipt, BlockRecord
from kerege.modules.authority.events import MisbehaviourRecorded, ValidatorsSet
from kerege.modules.authority.messages import Approve, Propose, RegisterNodeKey, RevokeNodeKey, SetValidators
from kerege.modules.authority.rules import consensus_address, possession_payload, proposal_content, set_hash
from kerege.modules.authority.state import MISBEHAVIOUR, VALIDATORS
from kerege.modules.authority.types import NodeKeyKind, Validator
from kerege.modules.policy.messages import SetParameter
from kerege.testing import names
from kerege.testing.country import UNVERIFIED, found
from kerege.testing.ledger import HOUR, LEDGER, Simulator

FOUR = ("bank", "chamber", "ministry", "registry")
POSTS = {"operator": ("system-operator", "ministry-1"), "other": ("system-operator", "registry-1")}
KEY = names.signer("checkpoint registry 0").key
BOARDS = {
    "government": (["pm"], 1),
    "central-bank": (["banker"], 1),
    "consensus": (["ada", "bek", "cholpon"], 2),
    "other": (["pm"], 1),
}


def seat(institution: str, power: int = 10, number: int = 0) -> Validator:
    signing, noting = (names.signer(f"{kind} {institution} {number}").key for kind in ("consensus", "checkpoint"))
    return Validator(institution, signing, noting, power)


def country(*validators: Validator) -> Simulator:
    return Simulator(found(["alice"], POSTS, BOARDS, money={"alice": 10_000}, validators=validators))


@pytest.fixture
def ledger() -> Simulator:
    return country(*map(seat, FOUR))


def newest(ledger: Simulator) -> list[Validator]:
    return list(list(ledger.machine.context().scan(VALIDATORS))[-1][1].validators)


def propose(ledger: Simulator, *messages: Message, name: str = "p") -> Any:
    """Two of three members pass a proposal; the outcome of the last approval."""
    proposal, expires = names.random_like(name, 16), ledger.time + HOUR
    raws = [encode(message) for message in messages]
    made = ledger.send("ada", Propose(proposal, "consensus", raws, expires))
    if made.code:
        return made
    return ledger.send("bek", Approve(proposal, proposal_content("consensus", raws, expires)))


def change(ledger: Simulator, *validators: Validator, name: str = "p") -> Any:
    return propose(ledger, SetValidators(list(validators), set_hash(newest(ledger))), name=name)


def register(ledger: Simulator, sender: str, validator: Validator, number: int = 0, until: int | None = None) -> None:
    for kind in (NodeKeyKind.CONSENSUS, NodeKeyKind.CHECKPOINT):
        signer = names.signer(f"{kind} {validator.institution} {number}")
        payload = possession_payload(LEDGER, kind, validator.institution, signer.key)
        proof = bytes(signer._secret.sign(payload).signature)
        message = RegisterNodeKey(validator.institution, kind, signer.key, proof, until)
        assert ledger.send(sender, message).code == ""


def lied(validator: Validator, height: int = 1, kind: str = "duplicate-vote") -> Misbehaviour:
    return Misbehaviour(kind, consensus_address(validator.consensus_key), height, 1_795_000_000_000)


def tell(ledger: Simulator, *misbehaviour: Misbehaviour) -> list[Any]:
    """A block with which the engine tells something; the events of its own receipt."""
    machine = ledger.machine
    height = machine.last[0] + 1
    executed = machine.execute(height, ledger.time, machine.prepare([]), misbehaviour)
    block = machine.seal(executed)
    ledger._keep(block)
    assert executed.alarms == []
    kinds: dict[str, type[Any]] = {
        "authority.ValidatorsSet": ValidatorsSet,
        "authority.MisbehaviourRecorded": MisbehaviourRecorded,
    }
    if not block.stored.leaves:
        return []
    return [decode(encode(e), kinds[e[0]]) for e in decode(block.stored.leaves[0], BlockReceipt).events]


def record_of(ledger: Simulator) -> BlockRecord:
    """The record of a block that was just made."""
    assert ledger.send("alice", RevokeNodeKey(bytes(32))).code == "kernel.1", "something that leaves a receipt"
    return decode(ledger.leaves[-1], BlockRecord)


def test_the_hash_is_the_engines():
    """Two validators of CometBFT, most power first: key 0x01…, power 300, before key 0x02…, power 5."""
    one, two = Validator("a", b"\x02" * 32, b"", 5), Validator("b", b"\x01" * 32, b"", 300)
    leaves = [b"\x0a\x22\x0a\x20" + b"\x01" * 32 + b"\x10\xac\x02", b"\x0a\x22\x0a\x20" + b"\x02" * 32 + b"\x10\x05"]
    hashes = [sha256(b"\0" + leaf).digest() for leaf in leaves]
    assert set_hash([one, two]) == sha256(b"\1" + b"".join(hashes)).digest()


def test_a_ledger_of_one_operator_stays_one():
    plain = country()
    assert record_of(plain).validators == ONE_OPERATOR
    assert propose(plain, SetValidators([seat("ministry")], bytes(32))).code == "kernel.1"
    ruled = Simulator(found([], POSTS, BOARDS, {"authority.consensus_board": "consensus"}))
    assert propose(ruled, SetValidators([seat("ministry")], bytes(32))).code == "authority.20"
    assert tell(ruled, lied(seat("ministry")))[0].row.institution == ""
    assert ruled.machine.full_invariants() == []


def test_the_founding_set_signs_from_the_first_block(ledger):
    assert record_of(ledger).validators == set_hash([seat(name) for name in FOUR])
    assert ledger.machine.full_invariants() == []


def test_only_the_board_of_the_parameter_names_validators(ledger):
    message = SetValidators([seat(name, 11) for name in FOUR], set_hash(newest(ledger)))
    for sender in ("alice", "operator", "ada"):
        assert ledger.send(sender, message).code == "kernel.1"
    for board, member in (("government", "pm"), ("other", "pm")):
        assert ledger.send(member, Propose(bytes(16), board, [encode(message)], ledger.time + HOUR)).code == "kernel.1"
    rule = encode(SetParameter("authority.consensus_board", "other", ledger.time + 5, None, UNVERIFIED))
    assert (
        ledger.send("pm", Propose(names.random_like("rule", 16), "government", [rule], ledger.time + HOUR)).code == ""
    )
    ledger.advance(5)
    assert propose(ledger, message).code == "kernel.1", "another board is named now"
    assert ledger.send("pm", Propose(bytes(16), "other", [encode(message)], ledger.time + HOUR)).code == ""


def test_a_change_signs_from_the_second_block_on(ledger):
    before = set_hash(newest(ledger))
    assert change(ledger, *[seat(name, 20) for name in FOUR]).code == ""
    height = ledger.machine.last[0]
    after = set_hash(newest(ledger))
    assert [decode(ledger.leaves[-1], BlockRecord).validators, record_of(ledger).validators] == [before, before]
    record = record_of(ledger)
    assert (record.height, record.validators) == (height + 2, after)
    assert ledger.read(VALIDATORS, height + 2).before == 0


@pytest.mark.parametrize(
    ("validators", "code"),
    [
        ([], "authority.21"),
        ([seat("bank"), seat("bank", number=1), seat("chamber"), seat("ministry")], "authority.23"),
        ([*map(seat, FOUR), seat("nobody", 1)], "authority.3"),
        ([*map(seat, FOUR[:3]), seat("registry", number=9)], "authority.24"),
        ([*map(seat, FOUR[:3]), Validator("registry", KEY, KEY, 10)], "authority.24"),
        ([*map(seat, FOUR[:3]), Validator("registry", seat("bank").consensus_key, bytes(32), 10)], "authority.24"),
        ([*map(seat, FOUR[:3]), seat("registry", 15)], "authority.25"),
        ([*map(seat, FOUR[:2])], "authority.26"),
    ],
)
def test_a_set_that_must_not_be(ledger, validators, code):
    assert change(ledger, *validators).code == code
    assert newest(ledger) == [seat(name) for name in FOUR]


@pytest.mark.parametrize("power", [0, 1_000_001])
def test_power_has_bounds(ledger, power):
    assert change(ledger, *map(seat, FOUR[:3]), seat("registry", power)).code == "kernel.8"


def test_a_proposal_replaces_the_set_it_was_made_for(ledger):
    stale = SetValidators([seat(name, 30) for name in FOUR], set_hash(newest(ledger)))
    assert change(ledger, *[seat(name, 20) for name in FOUR]).code == ""
    refused = propose(ledger, stale, name="q")
    assert (refused.code, refused.facts["newest"]) == ("authority.22", set_hash(newest(ledger)))


def test_a_newcomer_joins_with_less_than_a_third_then_grows():
    ledger = country(seat("ministry"))
    register(ledger, "other", seat("registry"))
    assert change(ledger, seat("ministry"), seat("registry", 5)).code == "authority.26"
    assert change(ledger, seat("ministry"), seat("registry", 4), name="q").code == ""
    assert change(ledger, seat("ministry"), seat("registry", 10), name="r").code == ""
    assert change(ledger, seat("registry"), name="s").code == "authority.26", "half would leave"


def test_what_one_block_changes_is_one_change(ledger):
    """Two proposals of a block, a quarter each: together half of the power would leave."""
    first = SetValidators([seat(name) for name in FOUR[:3]], set_hash(newest(ledger)))
    second = SetValidators([seat(name) for name in FOUR[:2]], set_hash([seat(name) for name in FOUR[:3]]))
    assert propose(ledger, first, second).code == "authority.26"
    back = SetValidators([seat(name) for name in FOUR], first_hash := set_hash(first.validators))
    assert propose(ledger, first, back, name="q").code == ""
    height = ledger.machine.last[0]
    assert ledger.read(VALIDATORS, height + 2).before == 0
    assert first_hash != ledger.read(VALIDATORS, height + 2).hash


def test_a_key_with_a_seat_is_neither_revoked_nor_allowed_to_end():
    ledger = country(seat("ministry"))
    for key in (seat("ministry").consensus_key, seat("ministry").checkpoint_key):
        assert ledger.send("operator", RevokeNodeKey(key)).code == "authority.27"
    register(ledger, "other", seat("registry"), until=ledger.time + HOUR)
    assert change(ledger, seat("ministry"), seat("registry", 4)).code == "authority.24"
    register(ledger, "other", seat("registry", number=1), number=1)
    assert change(ledger, seat("ministry"), seat("registry", 4, 1), name="q").code == ""
    assert change(ledger, seat("ministry"), name="r").code == ""
    assert ledger.send("other", RevokeNodeKey(seat("registry", 4, 1).consensus_key)).code == ""
    assert ledger.machine.full_invariants() == []


def test_who_misbehaved_is_suspended_and_on_record(ledger):
    liar = seat("registry")
    waiting = SetValidators([seat(name, 12) for name in FOUR], set_hash(newest(ledger)))
    suspended, recorded = tell(ledger, lied(liar))
    height = ledger.machine.last[0]
    assert suspended.since == height + 2
    assert [each.institution for each in suspended.row.validators] == ["bank", "chamber", "ministry"]
    row = ledger.read(MISBEHAVIOUR, (consensus_address(liar.consensus_key), 1, "duplicate-vote"))
    assert row == recorded.row
    assert (row.institution, row.reported, row.suspended) == ("registry", height, True)
    assert propose(ledger, waiting).code == "authority.22", "made before the suspension, it does not undo it"
    assert change(ledger, *map(seat, FOUR), name="q").code == "", "four again: the newcomer has a quarter"
    assert ledger.machine.full_invariants() == []


def test_what_is_known_already_changes_nothing(ledger):
    deed = lied(seat("registry"))
    tell(ledger, deed)
    assert tell(ledger, deed) == []
    assert tell(ledger, lied(seat("registry"), 2))[0].row.suspended is False, "it has left already"


def test_nobody_leaves_where_no_quorum_would_remain(ledger):
    """Of four one may go; of three none, for two of three are no quorum, nor is nobody of one."""
    assert tell(ledger, lied(seat("registry")))[-1].row.suspended
    assert not tell(ledger, lied(seat("bank")))[-1].row.suspended
    assert len(newest(ledger)) == 3
    alone = country(seat("ministry"))
    assert not tell(alone, lied(seat("ministry")))[-1].row.suspended
    assert newest(alone) == [seat("ministry")]


def test_half_of_them_lying_in_one_block_is_more_than_a_suspension_mends(ledger):
    events = tell(ledger, lied(seat("bank")), lied(seat("registry")), lied(seat("registry"), 1, "light-client-attack"))
    suspended = {event.row.institution: event.row.suspended for event in events if hasattr(event, "kind")}
    assert suspended == {"bank": True, "registry": False}
    assert [each.institution for each in newest(ledger)] == ["chamber", "ministry", "registry"]


def test_a_stranger_is_recorded_without_a_name(ledger):
    (event,) = tell(ledger, Misbehaviour("duplicate-vote", bytes(20), 7, 5))
    assert (event.row.institution, event.row.suspended) == ("", False)


POWERS = st.fixed_dictionaries({}, optional={name: st.integers(1, 40) for name in FOUR})
STEPS = st.lists(POWERS | st.lists(st.sampled_from(FOUR), min_size=1, max_size=3), max_size=8)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_whatever_is_proposed_or_told_somebody_always_signs(steps):
    """After every block there is a set, a quorum of the one before is in it, and block records name it in time."""
    ledger = country(*map(seat, FOUR))
    for number, step in enumerate(steps):
        before = newest(ledger)
        if isinstance(step, dict):
            change(ledger, *[seat(name, power) for name, power in step.items()], name=f"p{number}")
        else:
            tell(ledger, *[lied(seat(name), number) for name in step])
        after = newest(ledger)
        assert after
        kept = sum(v.power for v in before if v.consensus_key in {each.consensus_key for each in after})
        assert 3 * kept >= 2 * sum(v.power for v in before)
        assert ledger.machine.full_invariants() == []
        ledger.advance(60_000)
        record_of(ledger)
    assert record_of(ledger).validators == set_hash(newest(ledger))
