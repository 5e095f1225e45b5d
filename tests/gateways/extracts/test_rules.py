"""Each rule at its edges, alone and in its order."""

from datetime import date

import pytest

from kerege.gateways.extracts.comparing import MemoryKnown
from kerege.gateways.extracts.rules import REJECTED, REVIEW
from tests.gateways.extracts.support import TODAY, judged, row

ACCEPTED = ("accepted", "")


def _alone(**changed):
    ((outcome, detail),) = judged([row(**changed)])
    return f"{outcome} {detail}".rstrip()


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"pin": ""}, "pin"),
        ({"pin": "2051220200003"}, "pin"),
        ({"pin": "205122020000311"}, "pin"),
        ({"pin": "30512202000031"}, "pin"),
        ({"pin": "2051220200003a"}, "pin"),
        ({"pin": "2051220200003\u0661"}, "pin"),
        ({"pin": "2\uff10512202000031"}, "pin"),
        ({"pin": "20512202000031\n"}, "pin"),
        ({"surname": ""}, "surname"),
        ({"given_name": ""}, "given_name"),
        ({"sex": ""}, "sex"),
        ({"birth_date": None}, "birth_date"),
        ({"place_code": ""}, "place_code"),
        ({"place_code": "41799000000000"}, "place_code"),
        ({"registered_on": None}, "registered_on"),
        ({"registered_on": date(2020, 12, 4)}, "registered_on"),
        ({"registered_on": date(2026, 11, 22)}, "registered_on"),
        ({"birth_date": date(2026, 11, 22), "registered_on": date(2026, 11, 22)}, "registered_on"),
    ],
)
def test_what_cannot_be_an_act_is_rejected_for_the_field_at_fault(changed, detail):
    assert _alone(**changed) == f"rejected {detail}"


def test_the_first_field_at_fault_is_told():
    spoilt = {
        "pin": "1",
        "surname": "",
        "given_name": "",
        "sex": "",
        "birth_date": None,
        "place_code": "",
        "registered_on": None,
    }
    assert tuple(spoilt) == REJECTED
    for place, field in enumerate(REJECTED):
        assert _alone(**dict(list(spoilt.items())[place:])) == f"rejected {field}"


@pytest.mark.parametrize(
    "changed",
    [
        {"registered_on": date(2020, 12, 5)},
        {"registered_on": TODAY},
        {"patronymic": ""},
        {"mother_pin": "", "father_pin": ""},
        {"father_pin": ""},
        {"surname": "Нурбек уулу", "patronymic": ""},
        {"surname": "Улан тегин"},
        {"given_name": "Нурбек Айбек"},
        {"place_name": ""},
        {"office": ""},
        {"act_number": ""},
    ],
)
def test_no_defects(changed):
    assert _alone(**changed) == "accepted"


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"pin": "10512202000031"}, "pin-sex"),
        ({"sex": "female"}, "pin-sex"),
        ({"pin": "20612202000031"}, "pin-birth-date"),
        ({"pin": "23102202000031"}, "pin-birth-date"),
        ({"pin": "20012202000031"}, "pin-birth-date"),
        ({"mother_pin": "20312199700037"}, "mother-pin"),
        ({"mother_pin": "10512200800001"}, ""),
        ({"mother_pin": "10612200800001"}, "mother-pin"),
        ({"mother_pin": "10101202300001"}, "mother-pin"),
        ({"mother_pin": "1031219970003"}, "mother-pin"),
        ({"mother_pin": "?"}, "mother-pin"),
        ({"mother_pin": "13102199700037"}, "mother-pin"),
        ({"father_pin": "12007197900017"}, "father-pin"),
        ({"father_pin": "20512200800001"}, ""),
        ({"father_pin": "20612200800001"}, "father-pin"),
        ({"father_pin": "29912197900017"}, "father-pin"),
        ({"father_pin": "20101999900001"}, "father-pin"),
        ({"father_pin": "23112999900001"}, "father-pin"),
    ],
)
def test_values_that_contradict_one_another_go_to_a_person(changed, detail):
    assert _alone(**changed) == (f"review {detail}" if detail else "accepted")


def test_full_years_of_a_parent_born_on_29_february():
    """In 1900 there was no 29 February: twelve years after 1888 are full when February is over."""
    mother = "12902188800001"
    for born, outcome in ((date(1900, 2, 28), "review mother-pin"), (date(1900, 3, 1), "accepted")):
        pin = f"2{born:%d%m%Y}00031"
        assert _alone(pin=pin, birth_date=born, registered_on=born, mother_pin=mother, father_pin="") == outcome
    for born, outcome in ((date(2012, 2, 28), "review mother-pin"), (date(2012, 2, 29), "accepted")):
        pin = f"2{born:%d%m%Y}00031"
        old = {"birth_date": born, "registered_on": born, "mother_pin": "12902200000001", "father_pin": ""}
        assert _alone(pin=pin, **old) == outcome


def test_a_child_of_the_first_years_of_the_calendar_breaks_nothing():
    first = date(1, 1, 1)
    changed = {"birth_date": first, "registered_on": first, "mother_pin": "", "father_pin": "20101000100001"}
    assert _alone(pin="20101000100001", **changed) == "review father-pin"


def test_reviews_come_in_their_order():
    held = row(1)
    spoilt = {
        "pin-held": {"pin": held.pin, "act_number": "2020/9"},
        "pin-sex": {"pin": "10512202000099"},
        "pin-birth-date": {"pin": "20612202000099"},
        "mother-pin": {"mother_pin": "2"},
        "father-pin": {"father_pin": "1"},
        "act-number": {"act_number": held.act_number},
    }
    assert tuple(spoilt) == REVIEW
    good = {"pin": "20512202000099"}
    all_of = {"sex": "male", **good}
    for place, detail in reversed(list(enumerate(REVIEW))):
        all_of |= spoilt[detail]
        if detail == "pin-held":
            all_of["sex"] = "female"
        assert judged([held, row(2, **all_of)])[1] == ("review", detail), place


def test_the_same_act_again_is_a_duplicate_of_the_accepted_row():
    rows = [row(1), row(2), row(3, given_name="ОМУРБЕК"), row(4, surname="М?мбeтoв", given_name="?м?рбек")]
    assert judged(rows) == [ACCEPTED, *[("duplicate", "row 1")] * 3]


def test_what_may_differ_in_a_duplicate_and_what_may_not():
    for changed in ({"patronymic": ""}, {"sex": "female"}, {"mother_pin": "x"}, {"registered_on": date(2021, 1, 1)}):
        assert judged([row(1), row(2, **changed)])[1] == ("duplicate", "row 1"), changed
    for changed in (
        {"office": "ЗАГС-711201"},
        {"act_number": "2020/01"},
        {"surname": "Мамбетова"},
        {"given_name": "Өмүр"},
        {"birth_date": date(2020, 12, 6)},
    ):
        assert judged([row(1), row(2, **changed)])[1] == ("review", "pin-held"), changed


def test_a_rejected_row_is_no_duplicate():
    assert judged([row(1), row(2, place_code="")])[1] == ("rejected", "place_code")


def test_only_accepted_rows_hold_a_pin_or_an_act_number():
    wrong = row(1, mother_pin="2")
    refused = row(2, surname="")
    assert judged([wrong, refused, row(3), row(4)]) == [
        ("review", "mother-pin"),
        ("rejected", "surname"),
        ACCEPTED,
        ("duplicate", "row 3"),
    ]


def test_a_row_of_an_earlier_file_is_told_as_file():
    known = MemoryKnown()
    assert judged([row(1), row(2)], known) == [ACCEPTED, ("duplicate", "row 1")]
    assert judged([row(1), row(2, act_number="2020/2")], known) == [("duplicate", "file"), ("review", "pin-held")]
    other = row(3, pin="20512202000032")
    assert judged([other], known) == [("review", "act-number")]


def test_twins_and_namesakes_are_no_defect():
    twin = row(2, pin="20512202000032", given_name="Эрмек", act_number="2020/2")
    namesake = row(3, pin="20512202000033", mother_pin="10312199800037", act_number="2020/3")
    elsewhere = row(4, pin="20512202000034", office="ЗАГС-711201")
    assert judged([row(1), twin, namesake, elsewhere]) == [ACCEPTED] * 4


def test_of_two_acts_without_a_number_the_second_goes_to_a_person():
    rows = [row(1, act_number=""), row(2, pin="20512202000032", act_number="")]
    assert judged(rows) == [ACCEPTED, ("review", "act-number")]
