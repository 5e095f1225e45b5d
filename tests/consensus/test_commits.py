"""The engine's votes for a proof: what an engine shows is checked before it is given to anybody, and waited for."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from kerege.consensus import commits
from kerege.consensus.checkpoints import NoCommit, OwnCheckpoints
from kerege.consensus.commits import EngineCommits
from kerege.consensus.gathering import GatheredCheckpoints, Witness
from kerege.proofs.commit import check_votes, members, read
from kerege.proofs.light.moments import SECOND
from tests.consensus.answering import answering
from tests.proofs.light.chain import CHAIN, FOUR, Chain, commit_answer, key, public, validators

BLOCK = 4
SEATS = [(public(name), power) for name, power in FOUR.items()]
GOOD = Chain()
APP_HASH = GOOD.header(BLOCK + 1).app_hash
Engine = Callable[[int], bytes]


def shows(chain: Chain) -> Engine:
    return lambda height: commit_answer(chain.block(height))


def says(answer: object) -> Engine:
    return lambda _height: json.dumps(answer).encode()


def late(chain: Chain, times: int) -> Engine:
    """An engine that has the header only when it is asked again."""
    asked = iter(range(times))

    def engine(height: int) -> bytes:
        if next(asked, None) is not None:
            return b'{"error": {"data": "height 5 must be less than or equal to the current blockchain height 4"}}'
        return commit_answer(chain.block(height))

    return engine


@contextmanager
def serving(engine: Engine) -> Iterator[EngineCommits]:
    def answer(raw: bytes) -> bytes:
        asked = json.loads(raw)
        assert asked["method"] == "commit"
        return engine(int(asked["params"]["height"]))

    with answering(answer) as url:
        yield EngineCommits(CHAIN, url)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "SECONDS", 0.3)


def test_where_one_operator_runs_the_ledger_no_engine_votes() -> None:
    with pytest.raises(NoCommit, match="one operator runs this ledger"):
        OwnCheckpoints("kg", []).commit(BLOCK, APP_HASH)


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        (shows(replace(GOOD, salt="another history")), "another-header"),
        (shows(replace(GOOD, chain="kg-other")), "another-header"),
        (shows(replace(GOOD, sets={1: FOUR | {"a": 11}})), "unknown-validators"),
        (shows(replace(GOOD, silent={BLOCK + 1: "ab"})), "too-few"),
        (lambda height: commit_answer(GOOD.block(height + 1)), "another-header"),
        (says({"result": {}}), "is not an object"),
        (says({"result": {"signed_header": {"header": {}, "commit": {}}}}), "lacks a member"),
        (says({"error": {"data": "height 5 is not available"}}), "height 5 is not available"),
        (says([]), "no result"),
        (lambda _height: b"\xff", "does not show"),
        (late(GOOD, 1_000), "must be less than"),
    ],
)
def test_an_engine_that_does_not_show_what_was_voted_for(engine: Engine, told: str) -> None:
    with serving(engine) as asked, pytest.raises(NoCommit, match=told):
        asked.after(BLOCK, APP_HASH, SEATS)


def test_a_header_that_is_pruned_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "SECONDS", 600)
    gone = says({"error": {"data": "height 5 is not available, lowest height is 90"}})
    with (
        serving(gone) as engine,
        pytest.raises(NoCommit, match=r"no longer has header 5 .* after the next transaction"),
    ):
        engine.after(BLOCK, APP_HASH, SEATS)


def test_where_the_law_names_nobody_who_votes() -> None:
    with serving(shows(GOOD)) as engine, pytest.raises(NoCommit, match="the validator set is empty"):
        engine.after(BLOCK, APP_HASH, [])


def test_an_engine_that_is_away() -> None:
    with pytest.raises(NoCommit, match="does not show the votes for header 5"):
        EngineCommits(CHAIN, "http://127.0.0.1:1").after(BLOCK, APP_HASH, SEATS)


@pytest.mark.parametrize("chain", [GOOD, replace(GOOD, silent={BLOCK + 1: "a"})])
def test_as_many_votes_as_are_needed(chain: Chain) -> None:
    with serving(shows(chain)) as engine:
        shown = engine.after(BLOCK, APP_HASH, SEATS)
    check_votes(shown, CHAIN, BLOCK + 1, APP_HASH, validators(**FOUR))
    assert sum(vote is not None for vote in shown.votes) == 3


def dated(*times: int) -> Engine:
    """The first validators date their votes as they like: each engine takes that."""
    block = GOOD.block(BLOCK + 1)
    votes = list(block.commit.votes)
    names = {validators(**{name: 1}).members[0].address: name for name in FOUR}
    for place, time in enumerate(times):
        vote = replace(votes[place], time=time)
        signature = key(names[vote.validator]).sign(block.commit.signed(CHAIN, vote))
        votes[place] = replace(vote, signature=signature)
    shown = replace(block, commit=replace(block.commit, votes=tuple(votes)))
    return lambda _height: commit_answer(shown)


BEFORE_1970, AFTER_2554 = -SECOND, 2**64


@pytest.mark.parametrize("time", [BEFORE_1970, AFTER_2554])
def test_a_vote_with_a_date_that_cannot_be_written_is_passed_by(time: int) -> None:
    with serving(dated(time)) as engine:
        shown = engine.after(BLOCK, APP_HASH, SEATS)
    assert shown.votes[0] is None
    assert read(members(shown)) == shown
    with serving(dated(time, time)) as engine, pytest.raises(NoCommit, match="too-few"):
        engine.after(BLOCK, APP_HASH, SEATS)


@pytest.mark.parametrize("time", [0, AFTER_2554 - 1])
def test_a_vote_with_any_other_date_is_shown(time: int) -> None:
    with serving(dated(time)) as engine:
        shown = engine.after(BLOCK, APP_HASH, SEATS)
    assert shown.votes[0] is not None
    assert read(members(shown)) == shown


def test_a_header_that_comes_a_little_later_is_waited_for() -> None:
    with serving(late(GOOD, 2)) as engine:
        assert engine.after(BLOCK, APP_HASH, SEATS).hash == GOOD.header(BLOCK + 1).hash


def test_who_votes_is_who_signs_the_block_of_the_header() -> None:
    """The set may change with the block: the votes are those of the next one."""
    moved = Chain(sets={1: dict.fromkeys("xyz", 1), BLOCK + 1: FOUR})

    def signing(height: int) -> list[Witness]:
        return [Witness(name, b"", power, "", public(name)) for name, power in moved.powers(height).items()]

    with serving(shows(moved)) as engine:
        gathered = GatheredCheckpoints(CHAIN, signing, engine.url)
        assert gathered.commit(BLOCK, moved.header(BLOCK + 1).app_hash).hash == moved.header(BLOCK + 1).hash
