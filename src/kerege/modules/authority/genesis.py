"""Institutions, offices, roles, appointments, boards and validators before the first block."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.kernel.types import Code, Hash, Identifier
from kerege.modules.authority.keeper import Authorities, Nodes
from kerege.modules.authority.types import Appointment, Board, Institution, Office, Role, Validator


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The authorities of the nation's pack."""

    institutions: list[tuple[Code, Institution]]
    """Parents before children."""
    roles: list[tuple[Code, Role]]
    """Roles by name."""
    offices: list[tuple[Code, Office]]
    """Offices by code."""
    appointments: list[tuple[Identifier, Appointment]]
    """Founding appointments."""
    boards: list[tuple[Code, Board]]
    """Boards with their members; `government` changes the rest."""


class ReplicatedGenesis(Genesis, frozen=True):
    """The same for a ledger whose blocks several institutions sign."""

    validators: list[Validator]
    """Who signs from the first block on. Their keys are registered with them: the genesis is trusted as a whole."""
    gateways: list[tuple[Code, Hash]]
    """Institutions whose nodes carry transactions in parcels, each with its key."""


def load(ctx: Context, genesis: Genesis) -> None:
    """Write them in order."""
    authorities = ctx.use(Authorities)
    for code, institution in genesis.institutions:
        authorities.set_institution(code, institution)
    for code, role in genesis.roles:
        authorities.set_role(code, role)
    for code, office in genesis.offices:
        authorities.set_office(code, office)
    for identifier, appointment in genesis.appointments:
        authorities.appoint(identifier, appointment)
    for code, board in genesis.boards:
        authorities.set_board(code, board)
    if isinstance(genesis, ReplicatedGenesis):
        ctx.use(Nodes).found_validators(genesis.validators)
        ctx.use(Nodes).found_gateways(genesis.gateways)
