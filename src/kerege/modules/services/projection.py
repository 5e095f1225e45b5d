"""Event → rows of services."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Row
from kerege.modules.services import events


def definition_rows(event: events.DefinitionPublished) -> tuple[Row, ...]:
    """The definition."""
    return (Put("services.definition", (event.service, event.version), event.definition),)


def case_rows(event: events.CaseWritten) -> tuple[Row, ...]:
    """The case's row."""
    return (Put("services.case", event.case, event.row),)


def nothing(_event: Event) -> tuple[Row, ...]:
    """Told for who listens; the row comes with `CaseWritten`."""
    return ()


PROJECTIONS: dict[type[Event], Projection] = {
    events.DefinitionPublished: definition_rows,
    events.CaseWritten: case_rows,
    events.StepTaken: nothing,
    events.CaseOverdue: nothing,
    events.CaseEnded: nothing,
    events.ClockStopped: nothing,
    events.FeePaid: nothing,
}
