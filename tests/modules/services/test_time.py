"""Deadlines, stopped clocks and what happens because time passes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel.days import DAY, Calendar, day_of, iso, local_day, start_of
from kerege.modules.services import keeper
from kerege.modules.services.events import CaseEnded, CaseOverdue, CaseWritten, ClockStopped
from kerege.modules.services.messages import Act, Claim, Open, Resume, Suspend
from kerege.modules.services.rules import days_left
from kerege.modules.services.schedule import PER_BLOCK, SCHEDULE
from kerege.modules.services.types import CaseStatus
from tests.modules.services.world import NOON, OFFSET, World, digest, pack

BLIND = digest("blind", 16)
TSON, ZAGS = "ЦОН-708203", "ЗАГС-708203"
HOLIDAYS = Calendar({holiday.day: holiday.works for holiday in pack().holidays})


def declare(world: World, name: str, *, sender: str = "parent") -> None:
    """A case of birth before the acceptors of a ЦОН."""
    case = digest(name, 16)
    for message in (
        Open(case, "birth", "declare", "", digest("content", 32), None, [], BLIND),
        Act(case, "", "declare", [], TSON, None, None, [], BLIND),
    ):
        assert not world.send(sender, message).code


def last_day(world: World, name: str) -> str:
    """The local date on which the step of a case ends."""
    return iso(local_day(world.case(name).due, OFFSET))


def kinds(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        ({}, "2026-11-23"),  # Friday: the next working day is Monday
        ({"days": 1}, "2026-11-23"),  # Saturday
        ({"days": 3}, "2026-11-24"),  # Monday
        ({"milliseconds": 12 * 3_600_000 - 10}, "2026-11-23"),  # 23:59:59 in Bishkek is still Friday
        ({"days": 2, "milliseconds": 12 * 3_600_000}, "2026-11-24"),  # and midnight is Monday
        ({"days": 41}, "2027-01-08"),  # 31 December: New Year and Christmas rest
    ],
)
def test_one_working_day(wait, expected):
    world = World()
    world.wait(**wait)
    declare(world, "c")
    assert last_day(world, "c") == expected


def test_overdue_is_announced_once_and_the_case_stays():
    world = World()
    declare(world, "c")
    due = world.case("c").due
    world.wait(milliseconds=due - world.time - 1)  # the block's time is the deadline itself
    assert world.time == due
    assert world.block_events == []
    assert world.wait() == [CaseOverdue(digest("c", 16), TSON, due)]
    assert world.wait(days=1) == []
    assert not world.send("acceptor", Claim(digest("c", 16), TSON, None, BLIND)).code
    assert world.wait(days=30) == []
    assert world.case("c").status is CaseStatus.OPEN


def test_a_step_that_is_due_again_can_be_overdue_again():
    world = World()
    declare(world, "c")
    assert kinds(world.wait(days=5)) == ["CaseOverdue"]
    assert not world.send("acceptor", Act(digest("c", 16), TSON, "forward", [], ZAGS, None, None, [], BLIND)).code
    assert [event.holder for event in world.wait(days=10)] == [ZAGS]


def test_a_requester_who_lets_the_term_pass_lapses():
    world = World()
    message = Open(digest("w", 16), "birth-correction", "request", "", digest("x", 32), None, [], BLIND)
    assert not world.send("parent", message).code
    assert world.wait(days=30) == []
    events = world.wait(days=3)
    assert kinds(events) == ["CaseEnded", "CaseWritten"]
    assert world.case("w").status is CaseStatus.LAPSED


def test_a_stop_ends_by_itself_as_its_cause_says():
    world = World()
    declare(world, "papers")
    declare(world, "registry", sender="other")
    for name, cause in (("papers", "papers-awaited"), ("registry", "registry-answer-awaited")):
        assert not world.send("acceptor", Suspend(digest(name, 16), TSON, cause, BLIND)).code
    events = world.wait(days=32)
    assert {type(event) for event in events} == {CaseEnded, CaseWritten, ClockStopped}
    assert world.case("papers").status is CaseStatus.LAPSED
    case = world.case("registry")
    assert case.status is CaseStatus.OPEN
    assert case.stop is None
    assert last_day(world, "registry") == "2026-12-23"  # one working day was left, from 22 December on


def test_the_schedule_is_bounded_a_block_and_forgets_none(monkeypatch):
    monkeypatch.setattr("kerege.modules.services.schedule.PER_BLOCK", 3)
    world = World()
    for number in range(10):
        declare(world, f"c{number}")
    seen: list[bytes] = []
    for _ in range(5):
        events = world.wait(days=5) if not seen else world.wait()
        assert len(events) <= 3
        seen += [event.case for event in events]
    assert sorted(seen) == sorted(digest(f"c{n}", 16) for n in range(10))
    assert PER_BLOCK == 200


def test_the_earliest_deadline_wakes_the_node():
    world = World()
    assert SCHEDULE.due(world.context()) is None
    declare(world, "c")
    assert SCHEDULE.due(world.context()) == world.case("c").due
    world.wait(days=5)
    assert SCHEDULE.due(world.context()) is None


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 60), stopped=st.integers(0, 29), step=st.sampled_from(["accept", "register"]))
def test_a_stopped_clock_keeps_the_days_that_were_left(start, stopped, step):
    """Whatever the day and however long: as many working days are left as were, holidays left out."""
    world = World(rebuild=False)
    world.wait(days=start)
    declare(world, "c")
    office, who = TSON, "acceptor"
    if step == "register":
        assert not world.send("acceptor", Act(digest("c", 16), TSON, "forward", [], ZAGS, None, None, [], BLIND)).code
        office, who = ZAGS, "registrar"
    before = world.case("c")
    left = days_left(local_day(world.time, OFFSET), local_day(before.due, OFFSET), HOLIDAYS.works)
    assert not world.send(who, Suspend(digest("c", 16), office, "papers-awaited", BLIND)).code
    world.wait(days=stopped)
    if world.case("c").status is CaseStatus.SUSPENDED:
        assert not world.send(who, Resume(digest("c", 16), office, BLIND)).code
    after = world.case("c")
    if after.status is CaseStatus.OPEN:
        again = days_left(local_day(world.time, OFFSET), local_day(after.due, OFFSET), HOLIDAYS.works)
        assert again == left == (1 if step == "accept" else 3)
        if stopped == 0:
            assert after.due == before.due
    assert after.due >= before.due


@given(today=st.integers(20_000, 30_000), days=st.integers(0, 60))
def test_days_left_undoes_a_term(today, days):
    last = HOLIDAYS.add_working_days(today, days)
    assert HOLIDAYS.works(last)
    assert days_left(today, last, HOLIDAYS.works) == (days if days or HOLIDAYS.works(today) else 1)
    assert days_left(today, today + days, None) == days


def test_terms_are_bounded():
    assert keeper.view.MAXIMUM_TERM == 3_660
    assert start_of(day_of(2026, 11, 20), OFFSET) + DAY // 2 == NOON
