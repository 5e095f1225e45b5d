"""One step of the light client: what makes it refuse, then what it takes."""

from dataclasses import replace
from typing import Any

import pytest

from kerege.proofs import Malformed, light
from kerege.proofs.light import Flag, Invalid, Rules, Trusted, Validator, Validators, Vote
from kerege.proofs.light.moments import DAY, SECOND
from tests.proofs.light.chain import FOUR, START, Chain, key, validators

RULES = Rules(DAY)
CHAIN = Chain()


def step(block, trusted=None, rules=RULES, now=CHAIN.now):
    return light.check_step(trusted or CHAIN.trusted(), block, rules, now)


def other(height=10, commit=None, **header):
    """A block whose header differs in one thing and is signed anew, so that only that thing is wrong."""
    made = CHAIN.block(height)
    changed = replace(made.header, **header)
    return replace(made, header=changed, commit=commit or CHAIN.signed(changed, FOUR))


@pytest.mark.parametrize("field", [name for name in CHAIN.header(10).__dataclass_fields__ if name != "height"])
@pytest.mark.parametrize("height", [2, 10])
def test_every_field_of_a_header_is_signed(height, field):
    block = CHAIN.block(height)
    value: Any = getattr(block.header, field)
    changed: Any
    if isinstance(value, int):
        changed = value + 1
    elif isinstance(value, str):
        changed = value + "x"
    elif isinstance(value, bytes):
        changed = bytes([value[0] ^ 1]) + value[1:]
    else:
        changed = replace(value, parts=value.parts + 1)
    with pytest.raises(Invalid):
        step(replace(block, header=replace(block.header, **{field: changed})))


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (other(version=10), "block version 10"),
        (other(chain="kg-other"), "of the chain 'kg-other'"),
        (other(time=START), "not after the trusted header"),
        (other(time=CHAIN.now + 10 * SECOND), "later than this machine's clock"),
        (other(validators_hash=bytes(32)), "validators shown for height 10"),
        (other(next_validators_hash=bytes(32)), "validators shown for after height 10"),
        (other(2, validators_hash=validators(a=10, b=10, c=10).hash), "validators shown"),
        (replace(CHAIN.block(10), commit=CHAIN.block(11).commit), "of another header"),
        (replace(CHAIN.block(10), commit=replace(CHAIN.block(10).commit, height=11)), "of another header"),
        (CHAIN.block(1), "does not come after"),
    ],
)
def test_what_does_not_belong_together(block, told):
    with pytest.raises(Invalid, match=told):
        step(block)


def test_the_next_header_needs_the_announced_validators():
    """However many of the known ones signed: from one height to the next nothing changes unannounced."""
    made = Chain(sets={1: FOUR, 2: {"a": 10, "b": 10, "c": 10}})
    with pytest.raises(Invalid, match="announced"):
        step(made.block(2))


def test_time_runs_out():
    with pytest.raises(light.Expired):
        step(CHAIN.block(10), now=START + SECOND + DAY)
    step(CHAIN.block(10), now=START + SECOND + DAY - 1)


def votes(block, **changed: Vote):
    """The block with the votes at some places changed."""
    places = {int(place[1:]): vote for place, vote in changed.items()}
    kept = tuple(places.get(place, vote) for place, vote in enumerate(block.commit.votes))
    return replace(block, commit=replace(block.commit, votes=kept))


@pytest.mark.parametrize("height", [2, 10])
def test_exactly_two_thirds_is_not_more(height):
    three = dict.fromkeys("abc", 10)
    made = Chain(sets={1: three}, silent={height: "c"})
    with pytest.raises(Invalid, match="signed by 20 of 30: not more than 2/3"):
        step(made.block(height), made.trusted())
    more = replace(made, sets={1: three | {"a": 11}})
    step(more.block(height), more.trusted())


def test_votes_for_no_block_and_absent_ones_count_for_nothing():
    block = CHAIN.block(10)
    nil = [replace(vote, flag=Flag.NIL) for vote in block.commit.votes]
    step(votes(block, _0=nil[0]))
    with pytest.raises(Invalid, match="signed by 20 of 40"):
        step(votes(block, _0=nil[0], _2=nil[2]))


def test_a_vote_stands_in_its_own_place_and_once():
    block = CHAIN.block(10)
    first, second = block.commit.votes[:2]
    for changed in (votes(block, _0=second, _1=first), votes(block, _1=first), votes(block, _0=second)):
        for trusted in (CHAIN.trusted(), CHAIN.trusted(9)):
            with pytest.raises(Invalid, match=r"twice|in the place of"):
                step(changed, trusted)
    short = replace(block, commit=replace(block.commit, votes=block.commit.votes[:3]))
    with pytest.raises(Invalid, match="3 places for 4"):
        step(short)


def test_one_vote_does_not_bridge_a_step_by_being_there_many_times():
    """The trusted set is looked up by address: a repeated vote must not be added up."""
    made = Chain(sets={1: FOUR, 5: {"a": 10, "x": 10, "y": 10, "z": 10}})
    block = made.block(10)
    place = next(i for i, v in enumerate(block.commit.votes) if v.validator == validators(a=1).members[0].address)
    own = block.commit.votes[place]
    with pytest.raises(Invalid, match="twice"):
        step(votes(block, **{f"_{i}": own for i in range(4)}))


@pytest.mark.parametrize("part", ["signature", "time", "round"])
def test_signatures_are_of_what_is_shown(part):
    block = CHAIN.block(10)
    vote = block.commit.votes[0]
    if part == "round":
        changed = replace(block, commit=replace(block.commit, round=1))
    elif part == "time":
        changed = votes(block, _0=replace(vote, time=vote.time + 1))
    else:
        changed = votes(block, _0=replace(vote, signature=key("x").sign(b"")))
    with pytest.raises(Invalid, match="not signed by its key"):
        step(changed)


def test_more_than_a_third_must_be_known():
    made = Chain(sets={1: dict.fromkeys("abc", 10), 5: {"a": 10, "x": 10, "y": 10}})
    with pytest.raises(light.NotEnoughTrust, match="10 of 30"):
        step(made.block(10), made.trusted())
    step(made.block(10), Trusted(made.header(1), validators(a=11, b=10, c=10)))  # 11 of 31
    half = Rules(DAY, trust_level=(1, 2))
    with pytest.raises(light.NotEnoughTrust):
        step(made.block(10), Trusted(made.header(1), validators(a=11, b=10, c=10)), half)


def test_a_commit_by_too_few_of_its_own_is_refused_though_all_are_known():
    made = Chain(silent={10: "ab"})
    with pytest.raises(Invalid, match="20 of 40"):
        step(made.block(10))


@pytest.mark.parametrize(
    "members",
    [
        (),
        (Validator(bytes(32), 1), Validator(bytes(32), 2)),
        (Validator(bytes(32), 0),),
        (Validator(bytes(32), -1), Validator(bytes(31) + b"\1", 5)),
        (Validator(bytes(32), 2**60), Validator(bytes(31) + b"\1", 1)),
    ],
)
def test_sets_that_no_engine_has(members):
    with pytest.raises(Malformed):
        Validators(members)


@pytest.mark.parametrize(
    ("period", "drift", "level"), [(0, 0, (1, 3)), (1, -1, (1, 3)), (1, 0, (1, 4)), (1, 0, (4, 3)), (1, 0, (0, 0))]
)
def test_rules_that_trust_too_much(period, drift, level):
    with pytest.raises(Malformed):
        Rules(period, drift, level)


def test_steps_are_taken():
    for trusted, height in ((1, 2), (1, 20), (5, 12)):
        assert step(CHAIN.block(height), CHAIN.trusted(trusted)) == CHAIN.trusted(height)
