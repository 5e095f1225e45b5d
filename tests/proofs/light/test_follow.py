"""Following a chain over many heights, with witnesses: forks are seen and kept as evidence."""

from dataclasses import replace

import pytest

from kerege.proofs import Malformed, light
from kerege.proofs.light import Rules
from kerege.proofs.light.moments import DAY, SECOND
from kerege.proofs.light.rpc import read_header
from tests.proofs.light.chain import CHAIN, FOUR, Chain, header_form, validators

RULES = Rules(DAY)


def follow(chain, height=0, rules=RULES, now=None, **witnesses):
    return light.follow(
        chain.trusted(),
        chain.fetch,
        rules,
        now or chain.now,
        height=height,
        witnesses={name: each.fetch for name, each in witnesses.items()},
    )


def test_one_step_where_the_validators_stay():
    chain = Chain(length=1_000)
    done = follow(chain)
    assert (done.block, done.steps, chain.asked) == (chain.block(1_000), (1_000,), [0])
    assert done.trusted == chain.trusted(1_000)
    assert follow(chain, 1).steps == ()


def test_long_ways_are_halved():
    """All validators change at 8 and again at 13; each half is looked at until it can be bridged."""
    sets = {1: FOUR, 8: dict.fromkeys("efgh", 10), 13: dict.fromkeys("ijkl", 10)}
    chain = Chain(length=20, sets=sets)
    done = follow(chain)
    assert done.steps[-1] == 20
    assert {7, 12} <= set(done.steps), "what comes after a full change is known from the header just before it only"
    assert list(done.steps) == sorted(set(done.steps))
    assert len(chain.asked) < 15


def test_a_change_on_every_height_is_followed_one_by_one():
    chain = Chain(length=8, sets={height: {f"v{height}": 10} for height in range(1, 10)})
    assert follow(chain).steps == tuple(range(2, 9))


def test_a_way_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr("kerege.proofs.light.following.STEPS_LIMIT", 5)
    with pytest.raises(light.NotEnoughTrust):
        follow(Chain(length=20, sets={height: {f"v{height}": 10} for height in range(1, 22)}))


def test_the_beginning_is_what_the_trusted_source_named():
    chain = Chain()
    first = light.begin(chain.fetch, CHAIN, 1, chain.header(1).hash)
    assert first == chain.block(1)
    for named, height, hash_ in (("kg-other", 1, chain.header(1).hash), (CHAIN, 1, chain.header(2).hash)):
        with pytest.raises(light.Invalid):
            light.begin(chain.fetch, named, height, hash_)
    with pytest.raises(light.Invalid, match="20 of 40"):
        light.begin(replace(chain, silent={1: "ab"}).fetch, CHAIN, 1, chain.header(1).hash)


def test_what_cannot_be_read_or_is_of_another_height_is_refused():
    chain = Chain()

    def unreadable(_height):
        raise Malformed("the header is not one")

    with pytest.raises(light.Invalid, match="height newest: the header is not one"):
        light.follow(chain.trusted(), unreadable, RULES, chain.now)
    with pytest.raises(light.Invalid, match="asked for height 9, shown height 10"):
        light.follow(chain.trusted(), lambda _height: chain.block(10), RULES, chain.now, height=9)
    with pytest.raises(light.NotShown):
        follow(chain, 21)
    with pytest.raises(light.Invalid, match="not the trusted"):
        light.follow(chain.trusted(5), Chain(salt="x").fetch, RULES, chain.now, height=5)


def test_the_trusted_header_itself_is_shown_whole_or_not_taken():
    """Its hash alone says nothing of who is shown beside it: validators of the teller's own would be believed next."""
    chain, strangers = Chain(), validators(w=10, x=10, y=10, z=10)
    true = chain.block(5)
    for false in (
        replace(true, next_validators=strangers),
        replace(true, validators=strangers),
        replace(true, commit=chain.signed(true.header, FOUR, silent="ab")),
    ):
        with pytest.raises(light.Invalid):
            light.follow(chain.trusted(5), {0: false}.__getitem__, RULES, chain.now)
    assert light.follow(chain.trusted(5), {0: true}.__getitem__, RULES, chain.now).trusted == chain.trusted(5)


@pytest.mark.parametrize("named", ["\ud800", "kg\n", "x" * 51])
def test_a_chain_that_has_no_name_is_refused(named):
    """Also where a witness shows it: what cannot be hashed is nobody's header."""
    chain = Chain()
    with pytest.raises(Malformed, match="chain id"):
        read_header(header_form(replace(chain.header(1), chain=named)))


def test_trust_runs_out_on_the_way():
    with pytest.raises(light.Expired):
        follow(Chain(), rules=Rules(10 * SECOND))
    with pytest.raises(light.Expired):
        follow(Chain(), 1, rules=Rules(10 * SECOND))


def test_a_fork_is_refused_and_both_headers_are_kept():
    """The same validators signed two histories from height 12 on: nobody can say which is true."""
    chain = Chain()
    twin = Chain(salt="another history", salted_from=12)
    assert follow(chain, 11, twin=twin).confirmed_by == ("twin",)
    for honest in ({}, {"honest": Chain()}):
        with pytest.raises(light.Forked, match="report them") as seen:
            follow(chain, twin=twin, **honest)
        fork = seen.value
        assert (fork.shown, fork.other, fork.witness) == (chain.block(20), twin.block(20), "twin")
        for each in (fork.shown, fork.other):
            light.check_commit(each)


def test_a_witness_who_shows_nothing_valid_neither_confirms_nor_accuses():
    chain = Chain()
    forger = Chain(salt="made up", sets={1: FOUR, 2: dict.fromkeys("wxyz", 10)})
    late = Chain(length=3)
    unsigned = Chain(salt="x", silent=dict.fromkeys(range(1, 21), "cd"))
    for name, bad in (("forger", forger), ("late", late), ("unsigned", unsigned)):
        with pytest.raises(light.Unconfirmed, match=name):
            follow(chain, **{name: bad})
        done = follow(chain, **{name: bad, "honest": Chain()})
        assert done.confirmed_by == ("honest",)
        assert [told for told, _ in done.silent] == [name]
