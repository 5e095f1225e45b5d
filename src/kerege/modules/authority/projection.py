"""Event → rows of authority."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Row
from kerege.modules.authority import events


def institution_rows(event: events.InstitutionSet) -> tuple[Row, ...]:
    """The institution's row."""
    return (Put("authority.institution", event.institution, event.row),)


def office_rows(event: events.OfficeSet) -> tuple[Row, ...]:
    """The office's row."""
    return (Put("authority.office", event.office, event.row),)


def role_rows(event: events.RoleSet) -> tuple[Row, ...]:
    """The role's row."""
    return (Put("authority.role", event.role, event.row),)


def appointment_rows(event: events.Appointed) -> tuple[Row, ...]:
    """The appointment's row."""
    return (Put("authority.appointment", event.appointment, event.row),)


def board_rows(event: events.BoardSet) -> tuple[Row, ...]:
    """The board's row."""
    return (Put("authority.board", event.board, event.row),)


def proposal_rows(event: events.ProposalWritten) -> tuple[Row, ...]:
    """The proposal's row."""
    return (Put("authority.proposal", event.proposal, event.row),)


def node_key_rows(event: events.NodeKeyWritten) -> tuple[Row, ...]:
    """The key's row."""
    return (Put("authority.node_key", event.key, event.row),)


def validators_rows(event: events.ValidatorsSet) -> tuple[Row, ...]:
    """The set's row."""
    return (Put("authority.validators", event.since, event.row),)


def misbehaviour_rows(event: events.MisbehaviourRecorded) -> tuple[Row, ...]:
    """The record's row."""
    return (Put("authority.misbehaviour", (event.validator, event.height, event.kind), event.row),)


PROJECTIONS: dict[type[Event], Projection] = {
    events.InstitutionSet: institution_rows,
    events.OfficeSet: office_rows,
    events.RoleSet: role_rows,
    events.Appointed: appointment_rows,
    events.BoardSet: board_rows,
    events.ProposalWritten: proposal_rows,
    events.NodeKeyWritten: node_key_rows,
    events.ValidatorsSet: validators_rows,
    events.MisbehaviourRecorded: misbehaviour_rows,
}
