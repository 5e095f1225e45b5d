"""What authority announces. Events carry whole rows."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.misbehaviour import ConsensusAddress
from kerege.kernel.types import Code, Hash, Height, Identifier
from kerege.modules.authority.types import (
    Appointment,
    Board,
    Institution,
    MisbehaviourRecord,
    NodeKey,
    Office,
    Proposal,
    Role,
    ValidatorSet,
)

_ROW = Meta(description="The row from now on.")


class InstitutionSet(Event, frozen=True, tag="authority.InstitutionSet"):
    """An institution was founded or changed."""

    institution: Annotated[Code, Meta(description="Institution.")]
    row: Annotated[Institution, _ROW]


class OfficeSet(Event, frozen=True, tag="authority.OfficeSet"):
    """An office was opened or changed."""

    office: Annotated[Code, Meta(description="Office.")]
    row: Annotated[Office, _ROW]


class RoleSet(Event, frozen=True, tag="authority.RoleSet"):
    """A role was created or changed."""

    role: Annotated[Code, Meta(description="Role.")]
    row: Annotated[Role, _ROW]


class Appointed(Event, frozen=True, tag="authority.Appointed"):
    """An appointment was made or ended."""

    appointment: Annotated[Identifier, Meta(description="The appointment's random id.")]
    row: Annotated[Appointment, _ROW]


class BoardSet(Event, frozen=True, tag="authority.BoardSet"):
    """A board was founded or changed."""

    board: Annotated[Code, Meta(description="Board.")]
    row: Annotated[Board, _ROW]


class ProposalWritten(Event, frozen=True, tag="authority.ProposalWritten"):
    """A proposal was made, approved, withdrawn or executed."""

    proposal: Annotated[Identifier, Meta(description="The proposal's random id.")]
    row: Annotated[Proposal, _ROW]


class NodeKeyWritten(Event, frozen=True, tag="authority.NodeKeyWritten"):
    """A node's key was registered or revoked."""

    key: Annotated[Hash, Meta(description="Ed25519 public key.", extra={"plain": "a public key", "readers": "public"})]
    row: Annotated[NodeKey, _ROW]


class ValidatorsSet(Event, frozen=True, tag="authority.ValidatorsSet"):
    """It was decided who signs blocks from a height on."""

    since: Annotated[Height, Meta(description="The first block that this set signs.")]
    row: Annotated[ValidatorSet, _ROW]


class MisbehaviourRecorded(Event, frozen=True, tag="authority.MisbehaviourRecorded"):
    """A validator signed what it must not."""

    validator: Annotated[
        ConsensusAddress,
        Meta(description="The engine's address of it.", extra={"plain": "of a public key", "readers": "public"}),
    ]
    height: Annotated[Height, Meta(description="Of the block at which it was done.")]
    kind: Annotated[Code, Meta(description="What was done.")]
    row: Annotated[MisbehaviourRecord, _ROW]


EVENTS = (
    InstitutionSet,
    OfficeSet,
    RoleSet,
    Appointed,
    BoardSet,
    ProposalWritten,
    NodeKeyWritten,
    ValidatorsSet,
    MisbehaviourRecorded,
)
