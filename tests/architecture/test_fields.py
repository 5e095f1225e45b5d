"""The reader of fields opens what is nested and takes the nearest word on why a field is plain."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Message
from kerege.kernel.types import Address, Commitment, Day
from tools.fields import DEFAULTS, fields_of
from tools.pages import table


class Inner(Message, frozen=True, tag="test.Inner"):
    word: Annotated[str, Meta(description="A word.", extra={"plain": "public list", "readers": "everyone"})]
    born: Day


class Outer(Message, frozen=True, tag="test.Outer"):
    to: Annotated[Address, Meta(description="Who gets it.")]
    roots: list[Commitment]
    inner: Inner | None
    free: str
    pairs: tuple[tuple[str, Address], ...]
    said: Annotated[Day, Meta(description="Opening day.", extra={"plain": "of an office"})]


def test_fields_are_opened_and_explained():
    found = {field.path: field for field in fields_of(Outer)}
    assert list(found) == ["to", "roots[]", "inner.word", "inner.born", "free", "pairs[][0]", "pairs[][1]", "said"]
    assert found["to"].reason == DEFAULTS["address"]
    assert found["to"].description == "Who gets it."
    assert found["roots[]"].reason == DEFAULTS["hash"]
    assert found["inner.word"].reason == "public list"
    assert found["said"].reason == "of an office"


def test_free_text_and_days_have_no_default():
    found = {field.path: field.reason for field in fields_of(Outer)}
    assert found["free"] == ""
    assert found["inner.born"] == ""


def test_a_cell_cannot_break_its_table():
    assert table(("a",), [("x | y\nz",)]) == "| a |\n| --- |\n| x \\| y z |\n"
