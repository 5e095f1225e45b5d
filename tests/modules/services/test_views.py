"""What people see: who must act next, until when, who caused the delay."""

import pytest

from kerege.modules.services import views
from kerege.modules.services.errors import UnknownCase
from kerege.modules.services.messages import Act, Appeal, Claim, Decide, Open, Suspend
from kerege.modules.services.types import CaseStatus
from tests.modules.services.test_time import TSON, ZAGS, declare, last_day
from tests.modules.services.world import World, address, digest

BLIND = digest("blind", 16)


def test_a_line_says_done_now_and_due():
    world = World()
    declare(world, "c")
    line = views.case_line(world.context(), digest("c", 16))
    assert line.done is not None
    assert (line.done.step, line.done.role) == ("declare", "requester")
    assert (line.step, line.office, line.roles, line.official) == ("accept", TSON, ("acceptor", "consul"), None)
    assert last_day(world, "c") == "2026-11-23"
    assert (line.due, line.overdue, line.stop) == (world.case("c").due, False, None)


def test_a_requester_holds_without_an_office():
    world = World()
    message = Open(digest("c", 16), "birth", "declare", "", digest("content", 32), None, [], BLIND)
    assert not world.send("parent", message).code
    line = views.case_line(world.context(), digest("c", 16))
    assert (line.done, line.step, line.office, line.roles) == (None, "declare", "", ("requester",))


def test_a_stopped_clock_names_its_owner():
    world = World()
    declare(world, "c")
    assert not world.send("acceptor", Suspend(digest("c", 16), TSON, "registry-answer-awaited", BLIND)).code
    line = views.case_line(world.context(), digest("c", 16))
    assert line.stop is not None
    assert (line.stop.cause, line.stop.owner, line.stop.office) == ("registry-answer-awaited", "other-body", TSON)
    assert line.due == line.stop.until


def test_an_appeal_waits_for_its_body_and_an_end_for_nobody():
    world = World()
    declare(world, "c")
    number = digest("c", 16)
    assert not world.send("acceptor", Act(number, TSON, "forward", [], ZAGS, None, None, [], BLIND)).code
    refuse = Decide(number, ZAGS, "refuse", ["not-entitled"], None, [], None, None, None, None, [], BLIND)
    assert not world.send("registrar", refuse).code
    line = views.case_line(world.context(), number)
    assert (line.status, line.step, line.office, line.roles) == (CaseStatus.DECIDED, "", "", ())
    assert (line.outcome, line.reasons) == ("refused", ("not-entitled",))
    assert not world.send("parent", Appeal(number, "courts", digest("why", 32), BLIND)).code
    (line,) = views.appeals(world.context(), "courts").lines
    assert (line.office, line.roles) == ("courts", ("registry-supervisor", "judge"))
    assert views.queue(world.context(), ZAGS, "free").lines == ()
    world.wait(days=60)
    assert views.case_line(world.context(), number).overdue
    assert [act.step for act in views.history(world.context(), number)] == ["declare", "accept", "register"]


def test_a_queue_comes_in_pages_by_deadline():
    world = World()
    for number in range(5):
        declare(world, f"c{number}")
        world.wait(days=1)
    assert not world.send("acceptor", Claim(digest("c1", 16), TSON, address("acceptor"), BLIND)).code
    seen: list[views.CaseLine] = []
    context, after = world.context(), None
    while True:
        page = views.queue(context, TSON, "free", after, 2)
        seen += page.lines
        if page.after is None:
            break
        after = page.after
    assert {line.case for line in seen} == {digest(f"c{n}", 16) for n in (0, 2, 3, 4)}
    assert [line.due for line in seen] == sorted(line.due for line in seen)
    (taken,) = views.queue(context, TSON, "taken").lines
    assert taken.official == address("acceptor")
    assert views.queue(context, ZAGS, "free").lines == ()


def test_an_unknown_case():
    with pytest.raises(UnknownCase):
        views.case_line(World().context(), digest("c", 16))
