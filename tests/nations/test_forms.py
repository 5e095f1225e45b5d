"""Forms: all faults at once, in the order of the form, whatever the values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.dossiers.forms import COUNTRIES, Fault, Wrong, find_faults
from kerege.kernel.days import parse_iso
from kerege.node.pack import Pack, nation_folder, read_pack, world_of

PACK: Pack = read_pack(nation_folder("kg"))
BIRTH = PACK.service("birth").definition
TODAY = parse_iso("2026-11-16")
WORLD = world_of(PACK, "birth", TODAY)
PLAIN = next(example.values for example in PACK.service("birth").examples if example.name == "plain")


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("birth.date", "2026-11-17", Wrong.FUTURE),
        ("birth.date", "2026-02-29", Wrong.BAD_DATE),
        ("birth.date", "10.11.2026", Wrong.BAD_DATE),
        ("birth.date", "1849-12-31", Wrong.TOO_EARLY),
        ("birth.date", "２０２６-11-10", Wrong.BAD_DATE),
        ("birth.plurality", "II", Wrong.BAD_NUMBER),
        ("birth.plurality", "01", Wrong.BAD_NUMBER),
        ("birth.plurality", "-1", Wrong.BAD_NUMBER),
        ("birth.place_territory", "41708203", Wrong.NOT_A_TERRITORY),
        ("birth.place_country", "XX", Wrong.NOT_A_COUNTRY),
        ("parent1.citizenship", "kg", Wrong.NOT_A_COUNTRY),
        ("child.sex", "F", Wrong.NOT_A_CHOICE),
        ("child.given_names", "\u202eнатлус", Wrong.CONTROL),
        ("child.given_names", "Нурсултан\u0000", Wrong.CONTROL),
        ("child.given_names", "и\u0306", Wrong.NOT_NFC),
        ("child.given_names", "Н" * 121, Wrong.TOO_LONG),
        ("child.given_names", "", Wrong.MISSING),
        ("child.pin", "21011202600018x", Wrong.TOO_LONG),
        ("child.pin", "2101120260001", Wrong.BAD_PIN),
        ("child.pin", "31011202600018", Wrong.BAD_PIN),
        ("child.pin", "23213202600018", Wrong.BAD_PIN),
        ("child.pin", "21011202７00018", Wrong.BAD_PIN),
        ("act.office", "ЗАГС-1", Wrong.NOT_AN_OFFICE),
        ("birth.event", "0" * 32, Wrong.NOT_ASKED),
        ("parent1.evidence", "A" * 64, Wrong.BAD_BYTES),
        ("evidence.number", "; DROP TABLE", Wrong.BAD_IDENTIFIER),
    ],
)
def test_a_wrong_value_is_named_with_its_field(field: str, value: str, wrong: Wrong) -> None:
    """Never the value."""
    faults = find_faults(BIRTH, {**PLAIN, field: value}, WORLD)
    assert [(fault.field, fault.wrong) for fault in faults if fault.field == field] == [(field, wrong)]


def test_an_unknown_field_is_a_fault() -> None:
    """The form is closed."""
    assert find_faults(BIRTH, {**PLAIN, "child.tribe": "x"}, WORLD) == (Fault("child.tribe", Wrong.UNKNOWN_FIELD),)


def test_a_missing_patronymic_is_no_defect() -> None:
    """Never."""
    values = {code: value for code, value in PLAIN.items() if not code.startswith("child.patronymic")}
    assert find_faults(BIRTH, values, WORLD) == ()


def test_a_form_of_name_that_is_not_allowed_today() -> None:
    """The list is a dated parameter."""
    narrowed = {**WORLD.allowed, "registries.birth.surname_forms": ("father-name",)}
    world = type(WORLD)(**{**{name: getattr(WORLD, name) for name in WORLD.__struct_fields__}, "allowed": narrowed})
    assert find_faults(BIRTH, PLAIN, world) == (Fault("child.surname_form", Wrong.NOT_ALLOWED_TODAY),)


@settings(max_examples=60)
@given(
    st.dictionaries(st.one_of(st.sampled_from(sorted(PLAIN)), st.text(max_size=20)), st.text(max_size=40), max_size=6)
)
def test_any_values_are_judged_without_an_exception(changes: dict[str, str]) -> None:
    """And every fault has its text in three languages."""
    for fault in find_faults(BIRTH, {**PLAIN, **changes}, WORLD):
        for language in PACK.nation.languages:
            assert PACK.text(language, f"faults.{fault.wrong.value}")


def test_every_kind_of_fault_has_its_text() -> None:
    """So that no screen shows a code."""
    for wrong in Wrong:
        assert PACK.text("ky", f"faults.{wrong.value}")


def test_countries_are_those_of_iso_3166() -> None:
    """249 codes assigned."""
    assert len(COUNTRIES) == 249
    assert {"KG", "RU", "KZ", "TR", "KR", "DE"} <= COUNTRIES
