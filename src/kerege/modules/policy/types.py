"""Words of policy: dated parameters with their legal basis, the calendar of working days."""

from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Code, Flag, PublicDay, Time

LegalText = Annotated[
    str, Meta(max_length=300, extra={"form": "law", "plain": "names a law, public", "readers": "public"})
]
"""Name of an act, number of an article, or an address."""

Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, extra={"plain": "a rule, public", "readers": "public"})]
Word = Annotated[str, Meta(max_length=200, extra={"plain": "a rule, public", "readers": "public"})]
Words = Annotated[list[Word], Meta(max_length=256, extra={"plain": "a rule, public", "readers": "public"})]
Value = Flag | Number | Word | Words
"""What a parameter may be."""


class LegalBasis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The article that justifies a rule, or the admission that nobody has looked it up."""

    act: LegalText
    """Name of the act."""
    article: LegalText
    """Article."""
    url: LegalText
    """Where it was read."""
    read_on: PublicDay | None
    """The day on which a person read it."""
    unverified: Flag
    """True: shown as such to every user."""


class Revision(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A value of a parameter from a time on, as enacted at a time."""

    value: Value
    """The value."""
    since: Time
    """From when it is in force."""
    until: Time | None
    """Until when; None: until another follows."""
    basis: list[LegalBasis]
    """Why."""


class CalendarDay(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A day on which offices work or rest against the weekly rule."""

    works: Flag
    """Whether they work."""
    code: Code
    """Which holiday or moved day it is."""
    basis: list[LegalBasis]
    """Why."""
