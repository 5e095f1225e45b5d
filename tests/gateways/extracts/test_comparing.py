"""When two spellings are one act: what is disregarded, and what a lost letter stands for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.gateways.extracts.comparing import Act
from tests.gateways.extracts.support import row

LETTERS = "абвгдеёжзийклмнңоөпрстуүфхцчшщъыьэюя"
LOOK_ALIKES = dict(zip("асеор", "aceop", strict=True))
KYRGYZ = {"о": "ө", "у": "ү", "н": "ң", "е": "ё"}

names = st.text(LETTERS, min_size=1, max_size=12)
acts = st.builds(
    lambda surname, given: Act.of(row(surname=surname, given_name=given)),
    st.text("аөоО?aе ", min_size=1, max_size=4),
    st.text("нңHН?", min_size=1, max_size=3),
)


def _act(surname, given="Эрмек"):
    return Act.of(row(surname=surname, given_name=given))


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Өмүрбеков", "омурбеков", True),
        ("Дөң", "ДОН", True),
        ("Семёнов", "Семенов", True),
        ("СЕМЁНОВ", "семенов", True),
        ("Бекзат", "Бeкзaт", True),
        ("ОСПАНОВ", "OCПAHОВ", False),  # Latin H is no look-alike of the rules
        ("ОСПАНОВ", "OCПAНОВ", True),
        ("Т?г?лбай", "Түгөлбай", True),
        ("Түгөлбай", "Т?г?лбай", True),
        ("?м?т", "Ум?т", True),
        ("??", "??", True),
        ("?", "", False),
        ("?", "Аб", False),
        ("Аб?", "Аб", False),
        ("Нур?бек", "Нур бек", False),
        ("Асанов", "Асанова", False),
        ("Уулу", "Ыылы", False),
    ],
)
def test_spellings(left, right, same):
    assert _act(left).same(_act(right)) is same
    assert _act("Асанов", left).same(_act("Асанов", right)) is same


@given(acts, acts)
def test_the_comparison_is_symmetric_and_reflexive(left, right):
    assert left.same(right) == right.same(left)
    assert left.same(left)


@given(names, st.data())
def test_letters_may_be_lost_typed_otherwise_and_in_any_case(name, data):
    def worn(letter):
        ways = [letter, letter.upper(), "?", *KYRGYZ.get(letter, ""), *LOOK_ALIKES.get(letter, "")]
        return data.draw(st.sampled_from(ways))

    spoilt = "".join(map(worn, name))
    assert _act(name).same(_act(spoilt))


@given(names, st.integers(0, 11), st.sampled_from(LETTERS))
def test_a_lost_letter_is_one_letter(name, place, letter):
    place %= len(name)
    assert _act(name[:place] + "?" + name[place + 1 :]).same(_act(name[:place] + letter + name[place + 1 :]))
    assert not _act(name[:place] + "?" + name[place:]).same(_act(name))
    assert not _act(name[:place] + name[place + 1 :]).same(_act(name))


@given(st.sampled_from(["pin", "office", "number", "birth_date"]))
def test_all_else_is_equal_to_the_letter(field):
    act = _act("Асанов")
    other = msgspec.structs.replace(act, **{field: None if field == "birth_date" else "x"})
    assert not act.same(other)
