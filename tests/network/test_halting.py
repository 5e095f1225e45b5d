"""Too many lost their memory of votes: who may come back to a ledger that stands still, and above which votes."""

import json
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from kerege.consensus import rows
from kerege.node.home import HomeError
from kerege.node.network.layout import Member, Network
from kerege.node.network.rejoining import rejoin
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore
from kerege.testing.network import Load, Running, Wires, check_stores, create, plain_commands
from tests.cli.program import kerege
from tests.network.test_faults import PEOPLE
from tests.network.test_rejoining import remember, standing

pytestmark = pytest.mark.engine

PREVOTE, PRECOMMIT = "prevotes", "precommits"
VOTELESS = {"round": 0, PREVOTE: ["nil-Vote"], PRECOMMIT: ["nil-Vote"]}
Votes = dict[tuple[int, str], list[str]]
"""Round and kind → names of those whose vote an engine has."""
FIVE = ("bank", "courts", "ministry", "posts", "treasury")
SEVEN = (*FIVE, "tax", "health")
TRIES = 100
"""Cuts, of which one in ten or so comes just between two votes."""
UNSENT = 5.0
"""Seconds in which a machine gives up what a killed process had not sent yet."""
KEPT = "data/priv_validator_state.json"


def address(network: Network, name: str) -> str:
    path = network.engine(network.find(name)) / "config" / "priv_validator_key.json"
    return str(json.loads(path.read_bytes())["address"])


def engine(network: Network, name: str, at: str, votes: Votes, newest: int | None = None) -> Any:
    """A member's engine that stands at a height, round and step and has these votes."""
    height, rounds = int(at.split("/", maxsplit=1)[0]), {round_ for round_, _ in votes}
    order = sorted(address(network, each.name) for each in network.validators)

    def told(round_: int, kind: str) -> list[str]:
        found = {address(network, voter) for voter in votes.get((round_, kind), ())}
        word = f"{height}/{round_:02d}/SIGNED_MSG_TYPE({kind}) 000000000000"
        return [f"Vote{{{n}:{who[:12]} {word}}}" if who in found else "nil-Vote" for n, who in enumerate(order)]

    kinds = (PREVOTE, PRECOMMIT)
    listed = [{"round": each, **{kind: told(each, kind) for kind in kinds}} for each in sorted(rounds | {0})]
    return standing(
        network.find(name),
        height - 1 if newest is None else newest,
        status={"validator_info": {"address": address(network, name)}},
        consensus_state={"round_state": {"height/round/step": at, "height_vote_set": listed}},
        validators={
            "validators": [{"address": each, "voting_power": "10"} for each in order],
            "total": str(len(order)),
        },
    )


@contextmanager
def engines(network: Network, **at: str) -> Iterator[None]:
    with ExitStack() as stack:
        for name, place in at.items():
            stack.enter_context(engine(network, name, place, {}))
        yield


def memory(network: Network, member: Member) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((network.engine(member) / KEPT).read_bytes())
    return found


@pytest.fixture
def network(tmp_path) -> Network:
    return create(tmp_path, ["somebody"])


BOTH = {"bank": "42/1/4", "courts": "42/1/4", "node": "42/1/3"}


def test_nothing_is_changed_before_all_confirmed_where_it_votes(network):
    member, before = network.find("ministry"), memory(network, network.find("ministry"))
    with engines(network, **BOTH):
        for agreed in ("ask", "42/0", "41/1", ""):
            with pytest.raises(HomeError, match=r"nothing was changed\. ministry would vote about block 42") as refused:
                rejoin(network, member, after_halt=agreed, lost=["treasury"])
            told = str(refused.value)
            assert "bank at 42/1/4, courts at 42/1/4, node at 42/1/3" in told
            assert "treasury will vote about no block up to 43" in told
            assert "old disks and processes of ministry and treasury are gone for ever" in told
            assert told.endswith("run it again with --after-halt 42/1.")
        assert memory(network, member) == before
        assert (network.home(member).path / "store").is_dir()
        assert rejoin(network, member, after_halt="42/1", lost=["treasury"]) == 42
    assert memory(network, member) == {"height": "42", "round": 1, "step": 1}


@pytest.mark.parametrize(
    ("votes", "last"),
    [
        ({(0, PREVOTE): ["ministry"], (0, PRECOMMIT): ["ministry"]}, (1, 1)),
        ({(1, PREVOTE): ["treasury"], (0, PRECOMMIT): ["ministry"]}, (1, 1)),
        ({(1, PREVOTE): ["bank", "ministry"]}, (1, 2)),
        ({(1, PREVOTE): ["ministry"], (1, PRECOMMIT): ["ministry"]}, (1, 3)),
        ({(2, PREVOTE): ["ministry"]}, (2, 2)),
    ],
    ids=["rounds before", "another's", "prevote", "precommit", "a round ahead"],
)
def test_it_votes_above_every_vote_that_the_others_have_of_it(network, votes, last):
    member = network.find("ministry")
    with ExitStack() as stack:
        stack.enter_context(engines(network, bank=BOTH["bank"], courts=BOTH["courts"]))
        stack.enter_context(engine(network, "node", BOTH["node"], votes))
        rejoin(network, member, after_halt="42/1", lost=["treasury"])
    assert (memory(network, member)["round"], memory(network, member)["step"]) == last


def test_each_that_remembers_must_tell_and_the_node_too(network):
    for missing in BOTH:
        rest = {name: at for name, at in BOTH.items() if name != missing}
        with engines(network, **rest), pytest.raises(HomeError, match=rf"^{missing} gave no answer"):
            rejoin(network, network.find("ministry"), after_halt="42/1", lost=["treasury"])
    with engines(network, **BOTH), pytest.raises(HomeError, match=r"^treasury gave no answer"):
        rejoin(network, network.find("ministry"), after_halt="42/1")


def test_those_that_remember_stand_at_one_height(network):
    for ahead in BOTH:
        with engines(network, **{**BOTH, ahead: "43/0/1"}), pytest.raises(HomeError, match=r"at one height .*block 42"):
            rejoin(network, network.find("ministry"), after_halt="42/1", lost=["treasury"])


def test_where_enough_remember_they_decide_without_it(network):
    more = {**BOTH, "treasury": "42/1/4"}
    with engines(network, **more), pytest.raises(HomeError, match=r"30 of 40 votes .* leave --after-halt out"):
        rejoin(network, network.find("ministry"), after_halt="42/1")


@pytest.mark.parametrize("lost", [["treasury", "courts"], ["treasury", "courts", "bank"]])
def test_where_too_few_remember_nobody_comes_back(network, lost):
    at = {name: place for name, place in BOTH.items() if name not in lost}
    with engines(network, **at), pytest.raises(HomeError, match="a second time, so that nobody may come back"):
        rejoin(network, network.find("ministry"), after_halt="42/1", lost=lost)


def test_a_validator_that_nobody_knows_here_is_asked_for(network):
    """It came by law after the founding, and may remember, or have come back."""
    known = Network(network.path, network.ledger, network.nation, network.members[1:], network.dev)
    at = {name: place for name, place in BOTH.items() if name != "bank"}
    with engines(network, **at), pytest.raises(HomeError, match="of 4 validators of block 42 1 are no members known"):
        rejoin(known, known.find("ministry"), after_halt="42/1", lost=["treasury"])


def test_only_one_of_two_comes_back(network):
    with (
        engines(network, **BOTH, treasury="42/1/4"),
        pytest.raises(HomeError, match="treasury answers without memory of its votes, and ministry would be one too"),
    ):
        rejoin(network, network.find("ministry"), after_halt="42/1", lost=["treasury"])


def test_of_seven_two_may_come_back_where_four_lost_theirs(tmp_path):
    network = create(tmp_path, ["somebody"], validators=SEVEN, node=False)
    remember_, lost = SEVEN[:3], list(SEVEN[3:])
    at = dict.fromkeys(remember_, "9/0/4")
    first, second, third = (network.find(name) for name in lost[:3])
    with engines(network, **at):
        assert rejoin(network, first, after_halt="9/0", lost=lost[1:]) == 9
        with engines(network, **{lost[0]: "9/0/4"}):
            with pytest.raises(HomeError, match="posts came back before it, health and tax will vote about no"):
                rejoin(network, second, after_halt="ask", lost=[lost[0], *lost[2:]])
            assert rejoin(network, second, after_halt="9/0", lost=[lost[0], *lost[2:]]) == 9
            with engines(network, **{lost[1]: "9/0/4"}), pytest.raises(HomeError, match="one too many"):
                rejoin(network, third, after_halt="9/0", lost=[*lost[:2], lost[3]])


def test_where_all_must_vote_one_comes_back(tmp_path):
    network = create(tmp_path, ["somebody"], validators=FIVE[:3], node=False)
    with engines(network, bank="7/0/3", courts="7/0/4"):
        assert rejoin(network, network.find("ministry"), after_halt="7/0") == 7


def test_a_memory_that_is_there_is_no_lost_one(network):
    member = network.find("ministry")
    with engines(network, **BOTH):
        remember(network, member, 42, signature="c2lnbmVk")
        with pytest.raises(HomeError, match="is there, up to height 42"):
            rejoin(network, member, after_halt="42/1", lost=["treasury"])
        remember(network, member, 43)  # by an earlier `rejoin`, that nobody could go on with
        assert rejoin(network, member, after_halt="42/1", lost=["treasury"]) == 42


def test_who_comes_back_is_not_one_of_the_others(network):
    with engines(network, **BOTH), pytest.raises(HomeError, match="--lost names the others"):
        rejoin(network, network.find("ministry"), after_halt="42/1", lost=["treasury", "ministry"])


@pytest.mark.parametrize(
    ("votes", "total"),
    [
        (None, "1"),
        ({}, "1"),
        ([], "1"),
        ([1], "1"),
        ([{"round": 0}], "1"),
        ([{"round": "x", PREVOTE: ["nil-Vote"], PRECOMMIT: []}], "1"),
        ([VOTELESS], "2"),
    ],
)
def test_an_engine_that_tells_votes_otherwise_or_only_some_of_who_votes_has_told_nothing(network, votes, total):
    """Of more than a page of validators, those that are left out would be taken for nobody."""
    own = address(network, "courts")
    told = {
        "status": {"validator_info": {"address": own}},
        "consensus_state": {"round_state": {"height/round/step": "42/1/4", "height_vote_set": votes}},
        "validators": {"validators": [{"address": own, "voting_power": "10"}], "total": total},
    }
    rest = {name: at for name, at in BOTH.items() if name != "courts"}
    with (
        engines(network, **rest),
        standing(network.find("courts"), 41, **told),
        pytest.raises(HomeError, match=r"^courts gave no answer"),
    ):
        rejoin(network, network.find("ministry"), after_halt="42/1", lost=["treasury"])


def test_the_command_takes_no_lost_ones_without_a_halt(network):
    done = kerege("network", "rejoin", "ministry", "--home", network.path, "--lost", "treasury")
    done.one_sentence("give --after-halt too")
    done = kerege("network", "rejoin", "ministry", "--home", network.path, "--after-halt", "ask", "--lost", "nobody")
    done.one_sentence("nobody is no member of this network")


def test_two_of_four_lose_their_disks_and_the_ledger_goes_on(tmp_path):
    """With real engines, killed under load: what they had decided stays, nobody is proven to have voted twice."""
    network = create(tmp_path, PEOPLE)
    lost, other = (network.find(name) for name in ("ministry", "treasury"))
    with Running(network, plain_commands) as running, Load(network, PEOPLE) as load:
        running.until(lambda: len(load.acknowledged) > 3 * len(PEOPLE))
        decided = lose(running, network, lost, other)
        come_back(running, network, load, lost, other)
    check_kept(network, load, decided)


def lose(running: Running, network: Network, *members: Member) -> list[tuple[int, bytes]]:
    """They are killed and their disks are lost; what each had decided."""
    for member in members:
        running.kill(member.name, 1)
        running.pair(member.name).close()
    decided = [head_of(network, member) for member in members]
    for member in members:
        for gone in (network.home(member).path / "store", network.engine(member) / "data"):
            shutil.rmtree(gone)
    return decided


def come_back(running: Running, network: Network, load: Load, lost: Member, other: Member) -> None:
    """One by a decision of all, then the other as ever; the load goes on."""

    def goes_on() -> None:
        done = len(load.acknowledged)
        running.until(lambda: len(load.acknowledged) > done + 3 * len(PEOPLE))

    running.until(lambda: stands(network, lost, other))
    agreed = asked(network, lost, other).rpartition(" ")[2].rstrip(".")
    rejoin(network, lost, after_halt=agreed, lost=[other.name])
    running.pair(lost.name).open()
    goes_on()
    rejoin(network, other)
    running.pair(other.name).open()
    goes_on()
    load.end()
    running.come_to_rest()


def check_kept(network: Network, load: Load, decided: Sequence[tuple[int, bytes]]) -> None:
    """What was decided stays, all have the same, and nobody was proven to have voted twice."""
    assert load.faults == []
    check_stores(network, list(load.acknowledged), PEOPLE)
    with RocksStore(network.home(network.find("bank")).path) as store:
        for height, app_hash in decided:
            summary = rows.read_summary(store, height)
            assert summary is not None
            assert summary.head.app_hash == app_hash
        assert not [key for key, _ in store.scan(Area.BLOCKS) if rows.holds_misbehaviour(key)]


def test_what_two_decided_unseen_stays_when_one_of_them_comes_back(tmp_path):
    """Cut off between the last vote that they needed and their own: nobody else knows of their newest block."""
    with Wires(5) as wires:
        network = create(tmp_path, PEOPLE, host=wires.host)
        lost, other = (network.find(name) for name in ("ministry", "treasury"))
        gone = [network.members.index(member) for member in (lost, other)]
        with Running(network, wires.commands(network)) as running, Load(network, PEOPLE, pause=0) as load:
            running.until(lambda: len(load.acknowledged) > 3 * len(PEOPLE))
            decided: list[tuple[int, bytes]] = []
            for _ in range(TRIES):
                time.sleep(random.uniform(0.2, 0.7))  # anywhere in a round
                with wires.unheard(gone):
                    time.sleep(0.3)
                    heights = running.heights()
                    if max(heights[at] for at in gone) > max(heights[at] for at in range(5) if at not in gone):
                        decided = lose(running, network, lost, other)
                        time.sleep(UNSENT)
                        break
                running.until(lambda: alike_but_busy(running))
            assert decided, f"not within {TRIES} cuts"
            come_back(running, network, load, lost, other)
    check_kept(network, load, decided)


def alike_but_busy(running: Running) -> bool:
    """Whether all are within a block again."""
    heights = running.heights()
    return max(heights) - min(heights) <= 1


def head_of(network: Network, member: Member) -> tuple[int, bytes]:
    """What a member had decided before its disk was lost."""
    with RocksStore(network.home(member).path) as store:
        head = rows.read_head(store)
        assert head is not None
        return head.height, head.app_hash


def asked(network: Network, lost: Member, other: Member) -> str:
    with pytest.raises(HomeError) as refused:
        rejoin(network, lost, after_halt="ask", lost=[other.name])
    return str(refused.value)


def stands(network: Network, lost: Member, other: Member) -> bool:
    """Whether those that remember have reached one another."""
    return "nothing was changed" in asked(network, lost, other)
