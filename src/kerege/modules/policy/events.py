"""What policy announces."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Code, Count, Day, Time
from kerege.modules.policy.types import CalendarDay, Revision


class ParameterSet(Event, frozen=True, tag="policy.ParameterSet"):
    """A value of a parameter was enacted."""

    name: Annotated[Code, Meta(description="Name of the parameter.")]
    number: Annotated[Count, Meta(description="Number of the revision, from 1.")]
    enacted: Annotated[Time, Meta(description="Block time.")]
    row: Annotated[Revision, Meta(description="The revision.")]


class CalendarDaySet(Event, frozen=True, tag="policy.CalendarDaySet"):
    """A day differs from the weekly rule."""

    day: Annotated[Day, Meta(description="Local date.", extra={"plain": "a public holiday", "readers": "public"})]
    row: Annotated[CalendarDay, Meta(description="The row from now on.")]


EVENTS = (ParameterSet, CalendarDaySet)
