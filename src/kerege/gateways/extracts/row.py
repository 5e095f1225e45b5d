"""One row of an extract: its values without the spaces around them, its dates as dates."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from unicodedata import is_normalized, normalize

from msgspec import Struct

from kerege.gateways.extracts.profile import FIELDS, SPACES, Layout

FEMALE, MALE = "female", "male"
LOST = "\ufffd"
"""Stands where bytes have no meaning in the encoding."""
DAYS = 8_192
"""Dates kept parsed, and written: all of 22 years; a file of more costs a microsecond a date and no memory."""


class Row(Struct, frozen=True):
    """One record as the rules see it."""

    number: int
    """Counted from 1 after the header."""
    pin: str
    surname: str
    given_name: str
    patronymic: str
    sex: str
    """`female`, `male`, or empty where the word means neither."""
    birth_date: date | None
    """None where the calendar has no such date."""
    place_code: str
    place_name: str
    mother_pin: str
    father_pin: str
    registered_on: date | None
    act_number: str
    """As it is written."""
    act: tuple[str, str]
    """(year, number) of an act written YYYY/N; anything else stands whole as the number, without a year."""
    office: str
    raw: Sequence[str] = ()
    """The cells as they stand in the file."""
    damaged: bool = False
    """Bytes of the row have no meaning in the encoding; U+FFFD stands in their place."""
    cells: int = 0
    """How many cells the row has where it lacks some (they count as empty) or has more (they are not read); else 0."""


def row_maker(layout: Layout) -> Callable[[int, list[str]], Row]:
    """A function that makes the row of a number and its cells by the layout of a file."""
    width, needed = layout.width, layout.needed
    # A cell that a row lacks is empty, and so is the last one of all, which stands for a field that the file lacks.
    pick, empty = itemgetter(*(-1 if place == width else place for place in layout.places)), [""] * width
    sexes = dict.fromkeys(layout.profile.sex.male, MALE) | dict.fromkeys(layout.profile.sex.female, FEMALE)
    day = date_parser(layout.profile.date)
    names = [FIELDS.index(field) for field in ("surname", "given_name", "patronymic", "place_name")]
    names += [FIELDS.index("act_number"), FIELDS.index("office")]

    def make(number: int, cells: list[str]) -> Row:
        found = len(cells)
        values = [cell.strip(SPACES) for cell in pick(cells + empty)]
        whole = "".join(values)
        if not is_normalized("NFC", whole):
            for place in names:
                values[place] = normalize("NFC", values[place])
        (pin, surname, given_name, patronymic, sex, born, place_code, place_name, mother, father, on, act, office) = (
            values
        )
        return Row(  # by places: a row takes half as long as by names
            number,
            pin,
            surname,
            given_name,
            patronymic,
            sexes.get(sex, ""),
            day(born),
            place_code,
            place_name,
            mother,
            father,
            day(on),
            act,
            act_of(act),
            office,
            cells,
            LOST in whole,
            0 if found == width or (needed <= found and not any(cells[width:])) else found,
        )

    return make


_NUMBERED = re.compile(r"([1-9][0-9]{3})/([1-9][0-9]{0,8})").fullmatch


def act_of(written: str) -> tuple[str, str]:
    """(year, number) of an act number as it is written: see `Row.act`."""
    found = _NUMBERED(written)
    return (found[1], found[2]) if found else ("", written)


def date_parser(form: str) -> Callable[[str], date | None]:
    """A function that reads a date written as `form` says (`DD.MM.YYYY`), digit for digit; None where it is none."""
    pattern = re.escape(form)
    for part, group in (("YYYY", "(?P<year>[0-9]{4})"), ("MM", "(?P<month>[0-9]{2})"), ("DD", "(?P<day>[0-9]{2})")):
        pattern = pattern.replace(part, group)
    match = re.compile(pattern).fullmatch

    @lru_cache(DAYS)
    def parse(text: str) -> date | None:
        found = match(text)
        if found is None:
            return None
        return date_of(int(found["year"]), int(found["month"]), int(found["day"]))

    return parse


def date_of(year: int, month: int, day: int) -> date | None:
    """The date of three numbers; None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
