"""Which outcome a row deserves. The first rule that applies wins; details are the rules' own words.

1. *rejected*: what is written cannot be an act of birth; the first field at fault.
2. *duplicate*: the act of an accepted row again.
3. *review*: possible values that contradict one another, so that only a person can say which is wrong.
4. *accepted*: everything else. Only accepted rows hold a PIN or an act number against later rows.

No defects, so looked at by no rule: no patronymic; уулу, кызы or тегин; two given names; a grandfather's name as
surname; no father; no known parents; twins; two children with one full name and day but different mothers.
"""

import re
from calendar import isleap
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar

from msgspec import Struct

from kerege.gateways.extracts.row import FEMALE, MALE, Row

FULL_YEARS = 12
"""A parent is at least so old at the birth."""


class Outcome(StrEnum):
    """How a row ends."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVIEW = "review"
    REJECTED = "rejected"


class Verdict(Struct, frozen=True):
    """The one outcome of a row."""

    outcome: Outcome
    detail: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the row becomes a record."""
        return self.outcome is Outcome.ACCEPTED


class Holder(Protocol):
    """An accepted row that holds a PIN or an act number."""

    @property
    def row(self) -> int | None:
        """Its number in the running file; None where it came with another file, or was registered live."""


HolderT = TypeVar("HolderT", bound=Holder)


class Known(Protocol[HolderT]):
    """Who holds what among the accepted rows of this file and of all before it."""

    def pin_holder(self, row: Row) -> HolderT | None:
        """Who holds the row's PIN."""

    def act_holder(self, row: Row) -> HolderT | None:
        """Who holds the row's act number of its office."""

    def same_act(self, holder: HolderT, row: Row) -> bool:
        """Whether the row is the holder's act again: `comparing.Act.same` of the two."""


def judge(row: Row, known: Known[HolderT], territory: Collection[str], today: date) -> Verdict:
    """The outcome of a row.

    `territory`: codes of the classifier. `today`: the local date of the import's first block. An empty office or act
    number is no field the rules reject, so it is compared like any other; of two rows of one office without a number
    the second goes to a person.
    """
    fault = _rejected(row, territory, today)
    if fault is not None:
        return _REJECTED[fault]
    holder = known.pin_holder(row)
    if holder is not None:
        if known.same_act(holder, row):
            return Verdict(Outcome.DUPLICATE, "file" if holder.row is None else f"row {holder.row}")
        return _REVIEW["pin-held"]
    doubt = _contradiction(row)
    if doubt is not None:
        return _REVIEW[doubt]
    if known.act_holder(row) is not None:
        return _REVIEW["act-number"]
    return _ACCEPTED


def _rejected(row: Row, territory: Collection[str], today: date) -> str | None:
    """The first field at fault."""
    if _PIN(row.pin) is None:
        return "pin"
    if not (row.surname and row.given_name):
        return "given_name" if row.surname else "surname"
    if not row.sex:
        return "sex"
    if row.birth_date is None:
        return "birth_date"
    if row.place_code not in territory:
        return "place_code"
    if row.registered_on is None or not row.birth_date <= row.registered_on <= today:
        return "registered_on"
    return None


def _contradiction(row: Row) -> str | None:
    """What in the row itself contradicts the rest of it."""
    if _SEX[row.pin[0]] != row.sex:
        return "pin-sex"
    born = _day_of(row.pin)
    if born is None or born != _number(row.birth_date):
        return "pin-birth-date"
    if row.mother_pin and not _may_be_parent(row.mother_pin, FEMALE, born):
        return "mother-pin"
    if row.father_pin and not _may_be_parent(row.father_pin, MALE, born):
        return "father-pin"
    return None


def _may_be_parent(pin: str, sex: str, born: int) -> bool:
    """Whether the PIN is of a person of that sex who was twelve full years old when the child was born.

    A number that is no PIN, or has an impossible date, is not shown to be such a person's: only somebody who looks can
    say whose it is, and a parent entered under nobody's number would be found by nobody.
    """
    if _PIN(pin) is None or _SEX[pin[0]] != sex:
        return False
    day = _day_of(pin)
    # Who was born on 29 February has, in a year without it, lived a full year when February is over.
    return day is not None and day + FULL_YEARS * _YEAR <= born


_YEAR, _MONTH = 10_000, 100
"""Days are compared as the numbers YYYYMMDD."""
_LEAP_DAY = 229
_DAYS = {
    day * _MONTH + month: month * _MONTH + day
    for month, days in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(1, days + 1)
}
"""DDMM of each day that a year may have → MMDD."""


def _day_of(pin: str) -> int | None:
    """The day of birth that a PIN tells as DDMMYYYY; None where the calendar has none."""
    written, year = divmod(int(pin[1:9]), _YEAR)
    day = _DAYS.get(written)
    if day is None or year == 0 or (day == _LEAP_DAY and not isleap(year)):
        return None
    return year * _YEAR + day


def _number(day: date | None) -> int | None:
    return None if day is None else day.year * _YEAR + day.month * _MONTH + day.day


_PIN = re.compile("[12][0-9]{13}").fullmatch
_SEX = {"1": FEMALE, "2": MALE}

REJECTED = ("pin", "surname", "given_name", "sex", "birth_date", "place_code", "registered_on")
"""Details of a rejected row, in the order of the rules."""
REVIEW = ("pin-held", "pin-sex", "pin-birth-date", "mother-pin", "father-pin", "act-number")
"""Details of a row for a person, in the order of the rules."""

_REJECTED = {detail: Verdict(Outcome.REJECTED, detail) for detail in REJECTED}
_REVIEW = {detail: Verdict(Outcome.REVIEW, detail) for detail in REVIEW}
_ACCEPTED = Verdict(Outcome.ACCEPTED)
