"""What can be asked of policy."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, authority
from kerege.kernel.types import Code, Day, Time
from kerege.modules.policy.types import LegalBasis, Value

_BASIS = Meta(min_length=1, max_length=8, description="Why: act, article, address, day of reading; or unverified.")


class SetParameter(Message, frozen=True, tag="policy.SetParameter"):
    """Enact a value of a parameter from a time on, now or later."""

    SENDERS: ClassVar[Senders] = authority("government")

    name: Annotated[Code, Meta(description="Name of the parameter.")]
    value: Annotated[Value, Meta(description="The value.", extra={"plain": "a rule of the state", "readers": "public"})]
    since: Annotated[Time, Meta(description="From when it is in force, not before this block.")]
    until: Annotated[Time | None, Meta(description="Until when; none: until another follows.")]
    basis: Annotated[list[LegalBasis], _BASIS]


class SetCalendarDay(Message, frozen=True, tag="policy.SetCalendarDay"):
    """Declare a coming day a holiday or a working day, against the weekly rule."""

    SENDERS: ClassVar[Senders] = authority("government")

    day: Annotated[
        Day, Meta(description="Local date, after today.", extra={"plain": "a public holiday", "readers": "public"})
    ]
    works: Annotated[
        bool, Meta(description="Whether offices work.", extra={"plain": "a public holiday", "readers": "public"})
    ]
    code: Annotated[Code, Meta(description="Which holiday or moved day it is.")]
    basis: Annotated[list[LegalBasis], _BASIS]
