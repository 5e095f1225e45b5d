"""Legal days without a time-zone library: dates as days since 1970-01-01, an offset, and a calendar as data."""

from dataclasses import dataclass

from kerege.kernel.errors import BadForm

DAY = 24 * 3600 * 1000
"""Milliseconds of a civil day; leap seconds do not exist on the ledger."""

_SATURDAY, _SUNDAY = 5, 6
_LONGEST_REST = 366


def local_day(time: int, offset_minutes: int) -> int:
    """The local date at a block time: the floor of (time + offset) over a day."""
    return (time + offset_minutes * 60_000) // DAY


def start_of(day: int, offset_minutes: int) -> int:
    """The first millisecond of a local date, as UTC time."""
    return day * DAY - offset_minutes * 60_000


def weekday(day: int) -> int:
    """0 Monday … 6 Sunday (1970-01-01 was a Thursday)."""
    return (day + 3) % 7


def civil(day: int) -> tuple[int, int, int]:
    """(year, month, day of month) in the proleptic Gregorian calendar; divisions floor."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9  # noqa: PLR2004 - March begins the year
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)  # noqa: PLR2004
    return year, month, of_year - (153 * shifted_month + 2) // 5 + 1


def day_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; raises `BadForm` where the calendar has no such date."""
    shifted_year = year - (1 if month <= 2 else 0)  # noqa: PLR2004
    era = shifted_year // 400
    year_of_era = shifted_year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1  # noqa: PLR2004
    number = era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - 719_468
    if civil(number) != (year, month, day):
        raise BadForm(field="date", reason="no such date")
    return number


def iso(day: int) -> str:
    """`YYYY-MM-DD`."""
    year, month, of_month = civil(day)
    return f"{year:04d}-{month:02d}-{of_month:02d}"


def parse_iso(text: str) -> int:
    """The day of `YYYY-MM-DD`; raises `BadForm`."""
    pieces = text.split("-")
    if [len(p) for p in pieces] != [4, 2, 2] or not all(p.isascii() and p.isdigit() for p in pieces):
        raise BadForm(field="date", reason="not YYYY-MM-DD")
    year, month, day = (int(p) for p in pieces)
    return day_of(year, month, day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which local dates are working days: weekly rest days, and a dated table of exceptions.

    `exceptions` maps a day to True (works, though a rest day) or False (rests, though a weekday).
    """

    exceptions: dict[int, bool]
    rest: tuple[int, ...] = (_SATURDAY, _SUNDAY)

    def works(self, day: int) -> bool:
        """Whether the office works on this date."""
        exception = self.exceptions.get(day)
        return weekday(day) not in self.rest if exception is None else exception

    def add_working_days(self, day: int, count: int) -> int:
        """The `count`-th working day after `day`; for 0 the day itself, moved to the next working one.

        Raises `BadForm` where nobody works for a year: a calendar that says so is wrong, and is data.
        """
        rested = 0
        while count > 0 or not self.works(day):
            day += 1
            if self.works(day):
                count, rested = count - 1, 0
                if count <= 0:
                    break
            elif (rested := rested + 1) > _LONGEST_REST:
                raise BadForm(field="calendar", reason="no working day in a year")
        return day
