"""Whatever anybody tries, the invariants hold, no handler is surprised, and every case can be brought to an end.

`World` asserts after every block: no alarm (a broken invariant, an unforeseen exception) and all invariants in full.
"""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.modules.services.types import CaseStatus
from tests.modules.services.definitions import NAMED
from tests.modules.services.walk import EVERYBODY, OFFICIALS, Walk
from tests.modules.services.world import World

SERVICES = ("birth", "birth-correction", "dealt", "half", "paid")
EXTRA = tuple(NAMED[name] for name in SERVICES if name in NAMED)
WHO = st.sampled_from(EVERYBODY)
OPENINGS = st.tuples(st.just("open"), st.sampled_from(SERVICES), st.integers(0, 1), WHO, st.lists(WHO, max_size=2))
MOVES = st.tuples(st.just("move"), st.integers(0, 9), WHO, st.integers(0, 12), st.integers(0, 200))
WAITS = st.tuples(st.just("wait"), st.sampled_from([0, 1, 3, 35]))
ENDED = {CaseStatus.DECIDED, CaseStatus.WITHDRAWN, CaseStatus.LAPSED}


def step(walk: Walk, told: tuple[Any, ...]) -> str:
    """One step of a random walk; gives the refusal's code."""
    if told[0] == "open":
        return walk.open(*told[1:])
    if told[0] == "wait":
        walk.world.wait(days=told[1])
        return ""
    _, which, sender, what, pick = told
    return walk.anything(walk.cases[which % len(walk.cases)], sender, what, pick) if walk.cases else ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(OPENINGS, MOVES, MOVES, MOVES, WAITS), max_size=40))
def test_every_case_of_a_random_walk_reaches_an_end(steps):
    walk = Walk(*EXTRA)
    for sender in ("parent", "other"):
        assert not walk.open("birth", 1, sender, [])
    for told in steps:
        assert not step(walk, told).startswith("kernel.i")
    for name in walk.cases:
        walk.finish(name)
        assert walk.world.case(name).status in ENDED


@pytest.mark.parametrize("seed", range(3))
def test_long_walks_come_far(seed):
    """A third of the moves are lawful, the rest anybody's, mostly in cases that run: what was met is counted."""
    met: Counter[str] = Counter()
    chance, walk = random.Random(seed), Walk(*EXTRA)
    for _ in range(300):
        running = [name for name in walk.cases if walk.world.case(name).status not in ENDED]
        if len(running) < 3:
            parties = chance.choice([[], [], ["acceptor"], ["registrar"]])
            met[walk.open(chance.choice(SERVICES), 1, chance.choice(("parent", "other", "registrar")), parties)] += 1
            continue
        name = chance.choice(running if chance.random() < 0.9 else walk.cases)
        case, dice = walk.world.case(name), chance.random()
        if dice < 0.3 and name in running:
            sender, message = walk.lawful(name, case)
            met[walk.world.send(sender, message).code] += 1
        elif dice < 0.4:
            walk.world.wait(days=chance.choice([0, 0, 1, 20]))
        else:
            near = [who for who, (office, _) in OFFICIALS.items() if office == case.office]
            sender = chance.choice([*near, *near, "parent", "other", chance.choice(EVERYBODY)])
            met[walk.anything(name, sender, chance.randrange(13), chance.randrange(200))] += 1
    for name in walk.cases:
        walk.finish(name)
    assert met[""] > 60, met
    assert sum(code.startswith("services.") for code in met) >= 11, met


def test_the_tables_rebuilt_from_events_are_the_state():
    """`World` compares after every block; this walk passes every kind of event."""
    walk = Walk(*EXTRA)
    walk.world = World(*EXTRA)
    for number, service in enumerate(("birth", "birth-correction", "half")):
        assert not walk.open(service, len(walk.definitions[service].starts) - 1, "parent", [])
        walk.finish(f"case-{number}")
    assert walk.world.tables["services.case"]
    assert walk.world._state() == walk.world.tables
