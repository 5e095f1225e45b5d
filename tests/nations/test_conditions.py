"""Conditions are total: one answer for every condition and every value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.codec import decode, encode
from kerege.modules.services.rules import comparisons, depth_of, holds, names_in
from kerege.modules.services.types import And, AtMost, Condition, Equal, In, Less, Name, Not, NotEqual, Or

NAMES = st.sampled_from(["a", "b", "birth.date"])
TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(["0", "2", "10", "010", "2026-01-01", "2026-1-1", "x", ""]))
TERMS = st.one_of(NAMES.map(Name), TEXTS)
PAIRS = st.one_of(*(st.builds(kind, TERMS, TERMS) for kind in (Equal, NotEqual, Less, AtMost)))
LEAVES = st.one_of(st.booleans(), PAIRS, st.builds(In, TERMS, st.lists(TEXTS, min_size=1, max_size=3).map(tuple)))
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
VALUES = st.dictionaries(NAMES, TEXTS)


@pytest.mark.parametrize(
    ("left", "right", "less", "at_most"),
    [
        ("2", "10", True, True),
        ("10", "2", False, False),
        ("7", "7", False, True),
        ("007", "7", False, True),
        ("2026-01-31", "2026-02-01", True, True),
        ("2026-02-01", "2026-02-01", False, True),
        ("2026-02-01", "5", False, False),
        ("", "5", False, False),
        ("x", "y", False, False),
        ("-1", "5", False, False),
        ("²", "5", False, False),
        ("1.5", "5", False, False),
    ],
)
def test_order_of_dates_and_numbers(left: str, right: str, *, less: bool, at_most: bool) -> None:
    """What is neither is in no order, so nothing follows from it."""
    values = {"a": left, "b": right}
    assert holds(Less(Name("a"), Name("b")), values) is less
    assert holds(AtMost(Name("a"), Name("b")), values) is at_most


def test_a_name_without_value_is_the_empty_text() -> None:
    """Absent and empty are one."""
    assert holds(Equal(Name("a"), ""), {})
    assert not holds(NotEqual(Name("a"), ""), {"a": ""})


@given(CONDITIONS, VALUES)
def test_every_condition_has_one_answer(condition: Condition, values: dict[str, str]) -> None:
    """True or false, twice the same, and the opposite of its negation."""
    answer = holds(condition, values)
    assert answer is holds(condition, dict(reversed(values.items())))
    assert holds(Not(condition), values) is not answer


@given(CONDITIONS)
def test_conditions_are_canonical(condition: Condition) -> None:
    """Bytes and back; what it reads and compares is found."""
    kind: Any = Condition
    assert decode(encode(condition), kind) == condition
    assert depth_of(condition) >= 0
    assert {name for name, _ in comparisons(condition)} <= set(names_in(condition))
