"""Days as places in one table, so that writing a date is a look-up."""

from datetime import date, timedelta
from functools import cache

FIRST = date(1940, 1, 1)
LAST = date(2039, 12, 31)
_DAYS = tuple(FIRST + timedelta(days=place) for place in range((LAST - FIRST).days + 1))

DOTTED = tuple(f"{day.day:02}.{day.month:02}.{day.year:04}" for day in _DAYS)
"""`DD.MM.YYYY` of each day."""
DIGITS = tuple(dotted.replace(".", "") for dotted in DOTTED)
"""`DDMMYYYY` of each day, as a PIN has it."""
PLACES = {dotted: place for place, dotted in enumerate(DOTTED)}
"""Where the day of a `DD.MM.YYYY` stands."""
YEARS = tuple(day.year for day in _DAYS)


def place_of(day: date) -> int:
    """Where a day stands in the table."""
    return (day - FIRST).days


@cache
def leap_days(first: int, last: int) -> tuple[int, ...]:
    """Places of the 29ths of February in a part of the table."""
    return tuple(place for place in range(first, last + 1) if DIGITS[place].startswith("2902"))


def years_before(place: int, years: int) -> int:
    """The same day so many years earlier: whoever was born on it becomes that old on `place`.

    The years are twelve, or other multiples of four: then a 29th of February has its like.
    """
    day = _DAYS[place]
    return place_of(day.replace(year=day.year - years))
