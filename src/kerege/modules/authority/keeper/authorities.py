"""Who may act where, and who decides that."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel.context import Context, Keeper
from kerege.modules.authority import errors
from kerege.modules.authority.events import (
    Appointed,
    BoardSet,
    InstitutionSet,
    OfficeSet,
    ProposalWritten,
    RoleSet,
)
from kerege.modules.authority.rules import appointment_in_force, check_board, check_period, in_force, office_stands
from kerege.modules.authority.state import (
    APPOINTMENTS,
    APPOINTMENTS_OF,
    BOARDS,
    INSTITUTIONS,
    NODE_KEYS,
    OFFICES,
    PROPOSALS,
    ROLES,
)
from kerege.modules.authority.types import (
    Acting,
    Appointment,
    Board,
    Institution,
    NodeKey,
    Office,
    Proposal,
    ProposalStatus,
    Role,
)

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound


class Authority(Keeper):
    """Answers who may act where; changes nothing."""

    MODULE = "authority"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._institutions: Bound[str, Institution] = self._table(INSTITUTIONS)
        self._offices: Bound[str, Office] = self._table(OFFICES)
        self._roles: Bound[str, Role] = self._table(ROLES)
        self._appointments: Bound[bytes, Appointment] = self._table(APPOINTMENTS)
        self._appointments_of: Bound[tuple[bytes, bytes], bool] = self._table(APPOINTMENTS_OF)
        self._boards: Bound[str, Board] = self._table(BOARDS)
        self._proposals: Bound[bytes, Proposal] = self._table(PROPOSALS)
        self._node_keys: Bound[bytes, NodeKey] = self._table(NODE_KEYS)

    def holds(self, address: bytes, role: str) -> bool:
        """Whether an appointment in force gives the account the role, at whatever office (`RolePort`)."""
        return any(row.role == role for _, row in self._held(address))

    def holds_at(self, address: bytes, role: str, office: str) -> bool:
        """Whether an appointment in force gives the account the role at this office (`RolePort`)."""
        return any(row.role == role and row.office == office for _, row in self._held(address))

    def find_acting(self, address: bytes, roles: tuple[str, ...], office: str) -> Acting | None:
        """The appointment by which the account acts at the office in one of the roles, or None."""
        for identifier, row in self._held(address):
            if row.office == office and row.role in roles:
                return Acting(office, row.role, identifier)
        return None

    def acting_as_any(self, address: bytes, roles: tuple[str, ...], office: str) -> Acting:
        """The same, but raises `NotActingAt` where there is none."""
        found = self.find_acting(address, roles, office)
        if found is None:
            raise errors.NotActingAt(office=office, roles=", ".join(roles))
        return found

    def acting_at(self, address: bytes, office: str) -> Acting:
        """The appointment by which the account acts at the office in whatever role; raises `NotActingAt`."""
        for identifier, row in self._held(address):
            if row.office == office:
                return Acting(office, row.role, identifier)
        raise errors.NotActingAt(office=office, roles="")

    def office(self, code: str) -> Office:
        """The office that stands under this code now; raises `UnknownOffice`."""
        found = self._offices.find(code) if code else None
        if found is None or not office_stands(found, self._ctx.time):
            raise errors.UnknownOffice(office=code)
        return found

    def institution(self, code: str) -> Institution:
        """The institution of this code; raises `UnknownInstitution`."""
        found = self._institutions.find(code) if code else None
        if found is None:
            raise errors.UnknownInstitution(institution=code)
        return found

    def board(self, code: str) -> Board:
        """The board of this name; raises `UnknownBoard`."""
        found = self._boards.find(code)
        if found is None:
            raise errors.UnknownBoard(board=code)
        return found

    def proposal(self, identifier: bytes) -> Proposal:
        """The proposal of an id while it can be approved; raises `UnknownProposal` or `ProposalNotOpen`."""
        found = self._proposals.find(identifier)
        if found is None:
            raise errors.UnknownProposal(proposal=identifier)
        if found.status is not ProposalStatus.OPEN or self._ctx.time > found.expires:
            status = found.status if found.status is not ProposalStatus.OPEN else ProposalStatus.EXPIRED
            raise errors.ProposalNotOpen(proposal=identifier, status=status.value)
        return found

    def appointment(self, identifier: bytes) -> Appointment:
        """The appointment in force under an id; raises `UnknownAppointment`."""
        found = self._appointments.find(identifier)
        if found is None or found.ended is not None:
            raise errors.UnknownAppointment(appointment=identifier)
        return found

    def find_node_key(self, key: bytes) -> NodeKey | None:
        """A registered key of a node that counts now, or None."""
        found = self._node_keys.find(key)
        return None if found is None or not in_force(found.since, found.until, self._ctx.time) else found

    def node_key(self, key: bytes) -> NodeKey:
        """The same, but raises `UnknownNodeKey` where there is none."""
        found = self.find_node_key(key)
        if found is None:
            raise errors.UnknownNodeKey(key=key)
        return found

    def check_member(self, code: str, address: bytes) -> Board:
        """The board, if the account is a member; raises `UnknownBoard` or `NotMember`."""
        board = self.board(code)
        if address not in board.members:
            raise errors.NotMember(board=code, sender=address)
        return board

    def acts_for(self, address: bytes, roles: tuple[str, ...], institution: str) -> bool:
        """Whether the account holds one of the roles at an office of the institution."""
        held = (self._offices.get(row.office) for _, row in self._held(address) if row.role in roles)
        return any(office.institution == institution for office in held)

    def check_appoints(self, address: bytes, roles: tuple[str, ...], office: str, role: str) -> None:
        """Raise `MayNotAppoint` unless the office's institution appoints to the role, and the account acts for it."""
        target = self.office(office).institution
        if role not in self.institution(target).roles or not self.acts_for(address, roles, target):
            raise errors.MayNotAppoint(role=role, office=office)

    def _held(self, address: bytes) -> list[tuple[bytes, Appointment]]:
        """Appointments in force of an account, at offices that stand."""
        held = []
        for (_, identifier), _true in self._appointments_of.scan(address):
            row = self._appointments.get(identifier)
            if appointment_in_force(row, self._ctx.time):
                office = self._offices.find(row.office)
                if office is not None and office_stands(office, self._ctx.time):
                    held.append((identifier, row))
        return held


class Authorities(Authority):
    """Founds institutions, appoints, keeps boards and proposals."""

    def set_institution(self, code: str, row: Institution) -> None:
        """Found or change an institution."""
        if row.parent:
            self.institution(row.parent)
        self._institutions.put(code, row)
        self._announce(InstitutionSet(code, row))

    def set_office(self, code: str, row: Office) -> None:
        """Open or change an office; raises `UnknownInstitution` or `BadPeriod`."""
        self.institution(row.institution)
        check_period(row.since, row.until)
        self._offices.put(code, row)
        self._announce(OfficeSet(code, row))

    def set_role(self, code: str, row: Role) -> None:
        """Create or change a role."""
        self._roles.put(code, row)
        self._announce(RoleSet(code, row))

    def appoint(self, identifier: bytes, row: Appointment) -> None:
        """Appoint; raises `IdentifierTaken`, `UnknownRole`, `UnknownOffice` or `BadPeriod`."""
        if self._appointments.find(identifier) is not None:
            raise errors.IdentifierTaken(identifier=identifier)
        check_period(row.since, row.until)
        role, office = self._roles.find(row.role), self.office(row.office)
        if role is None or (role.kinds and office.kind not in role.kinds):
            raise errors.UnknownRole(role=row.role, office=row.office)
        self._appointments_of.put((row.account, identifier), True)  # noqa: FBT003 - the index holds nothing else
        self._write_appointment(identifier, row)

    def end_appointment(self, identifier: bytes) -> None:
        """End an appointment in force; raises `UnknownAppointment`."""
        row = self.appointment(identifier)
        self._appointments_of.delete((row.account, identifier))
        self._write_appointment(identifier, replace(row, ended=self._ctx.time))

    def set_board(self, code: str, row: Board) -> None:
        """Found or change a board; raises `BadBoard`."""
        check_board(row.members, row.threshold)
        self._boards.put(code, row)
        self._announce(BoardSet(code, row))

    def write_proposal(self, identifier: bytes, row: Proposal) -> None:
        """Keep a proposal as it stands."""
        self._proposals.put(identifier, row)
        self._announce(ProposalWritten(identifier, row))

    def check_proposal_free(self, identifier: bytes) -> None:
        """Raise `IdentifierTaken` where the id is in use."""
        if self._proposals.find(identifier) is not None:
            raise errors.IdentifierTaken(identifier=identifier)

    def _write_appointment(self, identifier: bytes, row: Appointment) -> None:
        self._appointments.put(identifier, row)
        self._announce(Appointed(identifier, row))
