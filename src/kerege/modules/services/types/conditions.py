"""When a field is asked, when an action is open: a condition, as data, with one answer for every input.

A subset of JSON-logic (`var`, `==`, `!=`, `<`, `<=`, `in`, `and`, `or`, `not`) over named texts; what it
means is `holds` of `rules`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Code

MAXIMUM_DEPTH = 4
"""Levels of `and`, `or`, `not` in one condition: what a person can still read."""

MAXIMUM_PARTS = 16
"""Parts of one `and` or `or`."""

Text = Annotated[str, Meta(max_length=64)]
"""A text to compare with: a code, a date `YYYY-MM-DD`, a whole number, or nothing."""


class Name(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="var"):
    """The value that the case has under this name: a field's code, or a public fact `case.…`."""

    name: Code


Term = Name | Text


class Equal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="=="):
    """Both are the same text."""

    left: Term
    right: Term


class NotEqual(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="!="):
    """They are different texts."""

    left: Term
    right: Term


class Less(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="<"):
    """Two dates or two whole numbers, the left one earlier or smaller; anything else is false."""

    left: Term
    right: Term


class AtMost(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="<="):
    """Two dates or two whole numbers, the left one not later or larger; anything else is false."""

    left: Term
    right: Term


class In(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="in"):
    """The term is one of these texts."""

    term: Term
    options: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=64)]


class And(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="and"):
    """All parts hold."""

    parts: Annotated[tuple["Condition", ...], Meta(min_length=1, max_length=MAXIMUM_PARTS)]


class Or(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="or"):
    """At least one part holds."""

    parts: Annotated[tuple["Condition", ...], Meta(min_length=1, max_length=MAXIMUM_PARTS)]


class Not(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="not"):
    """The part does not hold."""

    part: "Condition"


Condition = bool | Equal | NotEqual | Less | AtMost | In | And | Or | Not
"""True and false stand for always and never."""
