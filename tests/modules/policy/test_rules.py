"""What did the rule say on day X as known on day Y; legal days; terms that end on a working day."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.codec import encode
from kerege.kernel.days import parse_iso, start_of
from kerege.kernel.messages import Message
from kerege.modules.authority.messages import Propose
from kerege.modules.bank.messages import Transfer
from kerege.modules.policy import errors
from kerege.modules.policy.keeper import Policy
from kerege.modules.policy.messages import SetCalendarDay, SetParameter
from kerege.modules.policy.rules import in_force
from kerege.modules.policy.types import Revision, Value
from kerege.testing import names
from kerege.testing.country import UNVERIFIED, found
from kerege.testing.ledger import HOUR, START, Simulator

DAY = 24 * HOUR


def millisecond(utc: str) -> int:
    return int((datetime.fromisoformat(utc) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def country(rules: Mapping[str, object] | None = None, *, start: int = START) -> Simulator:
    return Simulator(found(rules=rules), start=start)


def decide(ledger: Simulator, message: Message) -> str:
    """The minister, alone on the board, decides; the code."""
    proposal = names.random_like(f"{ledger.time}/{encode(message).hex()}", 16)
    return ledger.send("minister", Propose(proposal, "government", [encode(message)], ledger.time + DAY)).code


def policy(ledger: Simulator) -> Policy:
    return ledger.machine.context(ledger.time).use(Policy)


def test_what_the_rule_said_on_one_day_as_known_on_another():
    ledger = country({"test.fee": 100})
    june, july = START + 10 * DAY, START + 40 * DAY
    ledger.advance(DAY)
    assert decide(ledger, SetParameter("test.fee", 120, june, None, UNVERIFIED)) == ""
    ledger.advance(2 * DAY)
    assert decide(ledger, SetParameter("test.fee", 150, june, july, UNVERIFIED)) == "", "amended before it came"
    view = policy(ledger)
    assert view.find_as_known("test.fee", june, START) == 100, "on the first day nobody knew"
    assert view.find_as_known("test.fee", june, START + DAY) == 120
    assert view.find_as_known("test.fee", june, START + 3 * DAY) == 150
    assert view.find_as_known("test.fee", june - 1, ledger.time) == 100
    assert view.find_as_known("test.fee", july - 1, ledger.time) == 150
    assert view.find_as_known("test.fee", july, ledger.time) is None, "it has ended, and the former stays repealed"
    assert view.find_as_known("test.other", june, ledger.time) is None
    with pytest.raises(errors.UnknownParameter):
        view.value("test.fee", july)
    assert [enacted for enacted, _ in view.revisions("test.fee")] == [START, START + DAY, START + 3 * DAY]


def test_nobody_changes_what_was():
    ledger = country({"test.fee": 100})
    ledger.advance(DAY)
    before = ledger.rows()["policy.revision"]
    assert decide(ledger, SetParameter("test.fee", 1, ledger.time - 1, None, UNVERIFIED)) == "policy.3"
    assert decide(ledger, SetParameter("test.fee", 1, ledger.time, None, UNVERIFIED)) == ""
    after = ledger.rows()["policy.revision"]
    assert {key: row for key, row in after.items() if key in before} == before


REVISIONS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.none() | st.integers(1, 25)), max_size=8).map(
    lambda drawn: sorted(drawn, key=lambda each: each[0])
)


@given(REVISIONS, st.integers(0, 25), st.integers(0, 25))
def test_the_rule_in_force_is_what_a_clerk_would_find(drawn, at, known):
    """The clerk writes every day's rule on a calendar, act by act in order of enactment."""
    rows = [
        (enacted, Revision(number, since, None if length is None else since + length, UNVERIFIED))
        for number, (enacted, since, length) in enumerate(drawn)
    ]
    calendar: dict[int, tuple[int, int] | None] = {}
    for number, (enacted, since, _) in enumerate(drawn):
        if enacted <= known:
            for day in range(since, 60):
                held = calendar.get(day)
                if held is None or held[0] <= since:
                    calendar[day] = (since, number)
    expected = calendar.get(at)
    if expected is not None:
        _, since, length = drawn[expected[1]]
        if length is not None and since + length <= at:
            expected = None
    found_row = in_force(rows, at, known)
    assert (None if found_row is None else found_row.value) == (None if expected is None else expected[1])


@pytest.mark.parametrize(
    ("value", "other"), [(5, "five"), ("five", 5), ([], 5), (True, 1), (1, True), (["a"], "a")], ids=str
)
def test_a_parameter_keeps_its_type(value: Value, other: Value) -> None:
    ledger = country({"test.rule": value})
    assert decide(ledger, SetParameter("test.rule", other, ledger.time, None, UNVERIFIED)) == "policy.5"
    assert decide(ledger, SetParameter("test.rule", value, ledger.time, None, UNVERIFIED)) == ""


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-11-19T17:59:59.999+00:00", "2026-11-19"),
        ("2026-11-19T18:00:00+00:00", "2026-11-20"),
        ("2026-11-20T17:59:59.999+00:00", "2026-11-20"),
        ("2026-11-20T18:00:00+00:00", "2026-11-21"),
    ],
)
def test_the_day_in_bishkek_begins_at_18_utc(utc, local):
    assert policy(country()).local_day(millisecond(utc)) == parse_iso(local)


@pytest.mark.parametrize(
    ("begins", "days", "working", "last"),
    [
        ("2026-11-20T17:59:59.999+00:00", 1, True, "2026-11-23"),  # Friday there still: the next working day is Monday
        ("2026-11-20T18:00:00+00:00", 1, True, "2026-11-23"),  # Saturday there already
        ("2026-11-22T18:00:00+00:00", 1, True, "2026-11-24"),  # Monday
        ("2026-11-20T06:00:00+00:00", 10, True, "2026-12-04"),
        ("2026-11-20T06:00:00+00:00", 1, False, "2026-11-23"),  # ends on a Saturday, hence on Monday
        ("2026-11-20T06:00:00+00:00", 30, False, "2026-12-21"),  # 20 December is a Sunday
        ("2026-12-30T06:00:00+00:00", 1, True, "2026-12-31"),
        ("2026-12-30T06:00:00+00:00", 2, True, "2027-01-05"),  # 1 to 4 January are declared holidays
        ("2026-12-30T06:00:00+00:00", 4, False, "2027-01-05"),
    ],
)
def test_a_term_ends_with_the_last_millisecond_of_a_working_day(begins, days, working, last):
    ledger = country(start=millisecond("2026-11-19T00:00:00+00:00"))
    for number in range(1, 5):
        holiday = SetCalendarDay(parse_iso(f"2027-01-0{number}"), False, "new-year", UNVERIFIED)
        assert decide(ledger, holiday) == ""
    end = policy(ledger).deadline(millisecond(begins), days, working=working)
    assert end == start_of(parse_iso(last) + 1, 360) - 1
    assert policy(ledger).local_day(end) == parse_iso(last)
    assert policy(ledger).local_day(end + 1) == parse_iso(last) + 1


def test_a_moved_working_day_counts():
    ledger = country(start=millisecond("2026-11-19T00:00:00+00:00"))
    saturday = parse_iso("2026-11-21")
    assert decide(ledger, SetCalendarDay(saturday, True, "moved", UNVERIFIED)) == ""
    begins = millisecond("2026-11-20T06:00:00+00:00")
    assert policy(ledger).local_day(policy(ledger).deadline(begins, 1, working=True)) == saturday


@pytest.mark.parametrize("rest", ["sunday", ["7"], ["Sunday"], [" 6"]])
def test_a_weekly_rest_that_is_none_is_refused_by_number(rest):
    with pytest.raises(errors.WrongType):
        policy(country({"policy.rest_days": rest})).calendar()


def test_friday_may_be_a_day_of_rest():
    ledger = country({"policy.rest_days": ["4", "5"]})
    begins = millisecond("2026-11-19T06:00:00+00:00")
    assert policy(ledger).local_day(policy(ledger).deadline(begins, 1, working=True)) == parse_iso("2026-11-22")


def test_a_rule_of_a_rolled_back_transaction_is_not_in_force():
    ledger = country({"test.fee": 100})
    good = encode(SetParameter("test.fee", 120, ledger.time, None, UNVERIFIED))
    bad = encode(SetParameter("test.fee", "much", ledger.time, None, UNVERIFIED))
    proposal = Propose(names.random_like("p", 16), "government", [good, bad], ledger.time + DAY)
    assert ledger.send("minister", proposal).code == "policy.5"
    assert policy(ledger).number("test.fee") == 100
    with pytest.raises(errors.WrongType):
        policy(ledger).number("bank.base_currency")


@pytest.mark.parametrize("enacted", [True, False], ids=["enacted", "rolled back"])
def test_a_rule_enacted_in_a_block_holds_for_what_follows_in_it_and_no_trace_is_left_where_it_was_not(enacted):
    """Rules are read once a block as long as nobody writes one."""
    ledger = Simulator(found(["alice"], money={"alice": 1_000}))
    until = None if enacted else ledger.time
    law = SetParameter("bank.minimum_balance_per_entry", 500, ledger.time, None, UNVERIFIED)
    after = SetParameter("test.fee", 1, ledger.time, until, UNVERIFIED)
    raws = [encode(law), encode(after)]
    proposal = Propose(names.random_like("p", 16), "government", raws, ledger.time + DAY)
    assert ledger.send("alice", Transfer(names.address("bob"), "KGS", 1)).code == ""
    pay = [ledger.transaction("alice", [Transfer(names.address("bob"), "KGS", 400)], lane=lane) for lane in (1, 2)]
    enacting = ledger.transaction("minister", [proposal])
    first, law_code, last = [result.code for result in ledger.run([pay[0], enacting, pay[1]])]
    assert (first, law_code == "", last) == ("", enacted, "kernel.4" if enacted else "")
    assert policy(ledger).value("bank.minimum_balance_per_entry", ledger.time) == (500 if enacted else 100)
