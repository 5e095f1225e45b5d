"""Refusals of authority."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Address, Code, Count, Hash, Identifier


class NotActingAt(Refused, code="authority.1"):
    """The sender holds none of these roles at this office now."""

    office: str
    roles: str


class UnknownOffice(Refused, code="authority.2"):
    """No office stands under this code now."""

    office: str


class UnknownInstitution(Refused, code="authority.3"):
    """No institution stands under this code."""

    institution: str


class UnknownRole(Refused, code="authority.4"):
    """No role of this name, or it is not held at this kind of office."""

    role: str
    office: str


class IdentifierTaken(Refused, code="authority.5"):
    """The random id is in use: draw another."""

    identifier: Identifier


class UnknownAppointment(Refused, code="authority.6"):
    """No appointment in force stands under this id."""

    appointment: Identifier


class BadPeriod(Refused, code="authority.7"):
    """The end lies before the beginning, or the beginning in the past."""

    since: int
    until: int


class MayNotAppoint(Refused, code="authority.8"):
    """The sender's institution does not appoint to this role, or not at this office."""

    role: Code
    office: str


class UnknownBoard(Refused, code="authority.9"):
    """No board of this name."""

    board: str


class NotMember(Refused, code="authority.10"):
    """The sender is no member of the board, or did not make the proposal."""

    board: str
    sender: Address


class UnknownProposal(Refused, code="authority.11"):
    """No proposal stands under this id."""

    proposal: Identifier


class ProposalNotOpen(Refused, code="authority.12"):
    """The proposal was executed or withdrawn, or has expired."""

    proposal: Identifier
    status: str


class ApprovedAlready(Refused, code="authority.13"):
    """The member has approved already."""

    proposal: Identifier


class BadBoard(Refused, code="authority.14"):
    """A board has sorted members, none twice, and a threshold between 1 and their number."""

    members: int
    threshold: int


class NoPossession(Refused, code="authority.15"):
    """The key's signature over its own registration does not verify."""

    institution: str


class NodeKeyKnown(Refused, code="authority.16"):
    """The key is registered already, or was: a node draws a new one."""

    institution: str


class UnknownNodeKey(Refused, code="authority.17"):
    """The key is not registered, or counts no more."""

    key: Hash


class NotOperator(Refused, code="authority.18"):
    """The sender operates nodes of another institution."""

    institution: str


class OtherProposal(Refused, code="authority.19"):
    """The proposal holds other messages than those that were approved."""

    proposal: Identifier


class OneOperator(Refused, code="authority.20"):
    """This ledger was founded without validators: its one operator is not replaced by a message."""


class NoValidator(Refused, code="authority.21"):
    """A set of no validators signs nothing."""


class SetReplaced(Refused, code="authority.22"):
    """The set that was to be replaced is no longer the newest: somebody changed it, or a validator was suspended."""

    replaces: Hash
    newest: Hash


class SeatTaken(Refused, code="authority.23"):
    """An institution has one seat, so that the failure of one is the failure of one."""

    institution: Code


class KeyOfNoSeat(Refused, code="authority.24"):
    """The key is not registered by the institution for this use without an end, or counts no more."""

    institution: Code
    use: str
    key: Hash


class TooMuchPower(Refused, code="authority.25"):
    """Where four or more sign, none may hold a third: alone it could stop all the others."""

    institution: Code
    power: Count
    total: Count


class TooMuchAtOnce(Refused, code="authority.26"):
    """More than a third of the power would leave, or newcomers would hold a third of it.

    Those who stay must be able to go on without a newcomer whose node does not run yet, and who trusts the set before
    must find it again in the next.
    """

    leaving: Count
    before: Count
    coming: Count
    after: Count


class KeySeated(Refused, code="authority.27"):
    """A validator's key is not revoked while it has a seat: the consensus board names a set without it first."""

    institution: Code
    key: Hash
