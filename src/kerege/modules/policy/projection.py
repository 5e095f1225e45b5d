"""Event → rows of policy."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Row
from kerege.modules.policy.events import CalendarDaySet, ParameterSet


def parameter_rows(event: ParameterSet) -> tuple[Row, ...]:
    """The revision and when it was enacted."""
    key = (event.name, event.number)
    return (Put("policy.revision", key, event.row), Put("policy.enacted", key, event.enacted))


def calendar_rows(event: CalendarDaySet) -> tuple[Row, ...]:
    """The day."""
    return (Put("policy.calendar", event.day, event.row),)


PROJECTIONS: dict[type[Event], Projection] = {ParameterSet: parameter_rows, CalendarDaySet: calendar_rows}
