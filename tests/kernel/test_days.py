"""Legal days: the local date of block time, the civil calendar, working days as data."""

import calendar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel import days
from kerege.kernel.errors import BadForm

VECTORS = yaml.safe_load((Path(__file__).parents[1] / "vectors/kernel/legal-days.yaml").read_text(encoding="utf-8"))
EPOCH = date(1970, 1, 1)
LAST = (date.max - EPOCH).days


def milliseconds(utc: str) -> int:
    return int((datetime.fromisoformat(utc) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


@pytest.mark.parametrize("case", VECTORS["local_day"], ids=lambda case: f"{case['utc']}{case['offset']:+}")
def test_local_day(case):
    time = milliseconds(case["utc"])
    day = days.local_day(time, case["offset"])
    assert days.iso(day) == case["date"]
    assert days.start_of(day, case["offset"]) <= time < days.start_of(day + 1, case["offset"])


WORKING = VECTORS["working_days"]
CALENDAR = days.Calendar({days.parse_iso(day): works for day, works in WORKING["exceptions"].items()})


@pytest.mark.parametrize("case", WORKING["counted"], ids=lambda case: f"{case['from']}+{case['count']}")
def test_working_days(case):
    assert days.iso(CALENDAR.add_working_days(days.parse_iso(case["from"]), case["count"])) == case["to"]


@given(st.integers(0, LAST))
def test_the_civil_calendar_is_the_library_s(day):
    there = EPOCH + timedelta(days=day)
    assert days.civil(day) == (there.year, there.month, there.day)
    assert days.day_of(*days.civil(day)) == day
    assert days.iso(day) == there.isoformat()
    assert days.parse_iso(there.isoformat()) == day
    assert days.weekday(day) == there.weekday()


@given(st.integers(1, 9999), st.integers(0, 14), st.integers(0, 33))
def test_a_date_that_is_none_is_refused(year, month, day):
    if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
        assert days.day_of(year, month, day) == (date(year, month, day) - EPOCH).days
    else:
        with pytest.raises(BadForm):
            days.day_of(year, month, day)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-11", "26-11-20", "2026-11-20T", "2026-1-20", "2026-11-2 ", "+026-11-20", "２０２６-11-20"],
)
def test_a_text_that_is_no_date_is_refused(text):
    with pytest.raises(BadForm):
        days.parse_iso(text)


@given(st.integers(0, 40_000), st.integers(0, 60), st.dictionaries(st.integers(0, 40_200), st.booleans(), max_size=30))
def test_working_days_are_counted_one_by_one(day, count, exceptions):
    """Against counting them in a list."""
    table = days.Calendar(exceptions)
    working = [d for d in range(day, day + 4 * count + 100) if table.works(d)]
    found = table.add_working_days(day, count)
    if count == 0:
        assert found == working[0]
    else:
        assert found == [d for d in working if d > day][count - 1]


def test_a_calendar_in_which_nobody_works_is_refused():
    with pytest.raises(BadForm):
        days.Calendar({}, tuple(range(7))).add_working_days(0, 1)
    with pytest.raises(BadForm):
        days.Calendar({}, tuple(range(7))).add_working_days(0, 0)
    once = days.Calendar({360: True}, tuple(range(7)))
    assert once.add_working_days(0, 1) == 360
