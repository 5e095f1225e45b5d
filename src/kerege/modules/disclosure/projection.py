"""Event → rows of disclosure."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Row
from kerege.modules.disclosure import events
from kerege.modules.disclosure.rules import countdown


def look_rows(event: events.AccessGranted | events.AccessDenied) -> tuple[Row, ...]:
    """The look and its places in the indexes."""
    row = event.row
    return (
        Put("disclosure.look", event.access, row),
        Put("disclosure.look_at", (row.at, event.access), value=True),
        Put("disclosure.look_of", (row.case, row.at, event.access), value=True),
        Put("disclosure.look_for", (row.case, countdown(row.at), event.access), value=True),
        Put("disclosure.look_by", (row.officer, countdown(row.at), event.access), value=True),
        *(Put("disclosure.look_with", (r, countdown(row.at), event.access), value=True) for r in row.references),
    )


def job_rows(event: events.JobStarted) -> tuple[Row, ...]:
    """The run."""
    return (Put("disclosure.job", event.job, event.row),)


def erased_rows(event: events.Erased) -> tuple[Row, ...]:
    """The tombstone."""
    return (Put("disclosure.tombstone", event.tombstone, event.at),)


def consent_rows(event: events.ConsentWritten) -> tuple[Row, ...]:
    """The consent."""
    return (Put("disclosure.consent", event.consent, event.row),)


PROJECTIONS: dict[type[Event], Projection] = {
    events.AccessGranted: look_rows,
    events.AccessDenied: look_rows,
    events.JobStarted: job_rows,
    events.Erased: erased_rows,
    events.ConsentWritten: consent_rows,
}
