"""What a row of births says in the words of the birth service: the values of a record, as they stand in the old act.

A value is never changed, completed or guessed: a slot that the old registry says nothing about stays empty.
"""

import re
from datetime import date

from kerege.gateways.extracts.row import Row

REGISTRY = "birth"
SERVICE = "birth"
REVIEW_SERVICE = "birth-import-review"

_NUMBERED = re.compile(r"([1-9][0-9]{3})/([1-9][0-9]{0,8})").fullmatch


def act_of(row: Row) -> tuple[str, str]:
    """(year, number) of an act written YYYY/N; anything else stands whole as the number, without a year."""
    found = _NUMBERED(row.act_number)
    return (found[1], found[2]) if found else ("", row.act_number)


def unique_parts(row: Row) -> tuple[tuple[str, ...], tuple[str, str]]:
    """What the uniqueness keys are made of, act number first: as for a live registration where it is written YYYY/N."""
    year, number = act_of(row)
    act = ("act", row.office, year, number) if year else ("act-as-written", row.office, number)
    return act, ("pin", row.pin)


def values_of(row: Row) -> dict[str, str]:
    """Field code → canonical value, of the slots that the row fills."""
    year, number = act_of(row)
    return {
        "child.surname": row.surname,
        "child.given_names": row.given_name,
        "child.patronymic": row.patronymic,
        "child.sex": row.sex,
        "child.pin": row.pin,
        "birth.date": _iso(row.birth_date),
        "birth.place_country": "KG",
        "birth.place_territory": row.place_code,
        "birth.place_text": row.place_name,
        **_parent("parent1", "mother", row.mother_pin),
        **_parent("parent2", "father", row.father_pin),
        "act.office": row.office,
        "act.year": year,
        "act.number": number,
        "act.date": _iso(row.registered_on),
    }


def _parent(slot: str, role: str, pin: str) -> dict[str, str]:
    if not pin:
        return {}
    return {
        f"{slot}.role": role,
        f"{slot}.standing": "person",
        f"{slot}.identifier_scheme": "kg-pin",
        f"{slot}.identifier_value": pin,
    }


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
