"""What a row of births says in the words of the birth service: the values of a record, as they stand in the old act.

A value is never changed, completed or guessed: a slot that the old registry says nothing about stays empty.
"""

from datetime import date
from functools import lru_cache

from kerege.gateways.extracts.row import DAYS, Row

REGISTRY = "birth"
SERVICE = "birth"
REVIEW_SERVICE = "birth-import-review"

_PARENT = ("role", "standing", "identifier_scheme", "identifier_value")
CODES = (
    *("child.surname", "child.given_names", "child.patronymic", "child.sex", "child.pin"),
    *("birth.date", "birth.place_country", "birth.place_territory", "birth.place_text"),
    *(f"{slot}.{code}" for slot in ("parent1", "parent2") for code in _PARENT),
    *("act.office", "act.year", "act.number", "act.date"),
)
"""Codes of the slots that a row may fill."""


def unique_parts(row: Row) -> tuple[tuple[str, ...], tuple[str, str]]:
    """What the uniqueness keys are made of, act number first: as for a live registration where it is written YYYY/N."""
    year, number = row.act
    act = ("act", row.office, year, number) if year else ("act-as-written", row.office, number)
    return act, ("pin", row.pin)


def texts_of(row: Row) -> tuple[str, ...]:
    """The canonical value of each slot of `CODES`, empty where the row does not fill it."""
    return (
        *(row.surname, row.given_name, row.patronymic, row.sex, row.pin),
        *(_iso(row.birth_date), "KG", row.place_code, row.place_name),
        *_parent("mother", row.mother_pin),
        *_parent("father", row.father_pin),
        *(row.office, *row.act, _iso(row.registered_on)),
    )


def values_of(row: Row) -> dict[str, str]:
    """Field code → canonical value, of the slots that the row may fill."""
    return dict(zip(CODES, texts_of(row), strict=True))


def _parent(role: str, pin: str) -> tuple[str, str, str, str]:
    return (role, "person", "kg-pin", pin) if pin else ("", "", "", "")


@lru_cache(DAYS)
def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
