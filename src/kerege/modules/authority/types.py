"""Words of authority: institutions, offices, roles, appointments, boards and proposals."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Address, Code, Count, Flag, Hash, Height, Identifier, Time

Text = Annotated[str, Meta(max_length=64, extra={"form": "code"})]
"""A code, or empty for none."""

MessageBytes = Annotated[
    bytes,
    Meta(max_length=200_000, extra={"form": "message", "plain": "what the board decides, public", "readers": "public"}),
]
"""Canonical bytes of a message."""

NodeKeyBytes = Annotated[bytes, Meta(min_length=32, max_length=32, extra={"form": "key"})]
"""A 32-byte Ed25519 public key."""


class Institution(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A body of the state."""

    parent: Text
    """The body it belongs to; empty for none."""
    roles: list[Code]
    """Roles to which it appoints."""


class Office(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An office of an institution, serving a territory, dated."""

    kind: Code
    """Sort of office: zags, tson, maternity, …"""
    institution: Code
    """The body it belongs to."""
    territory: Text
    """Unit of the state classifier that it serves; empty abroad."""
    since: Time
    """From when it stands."""
    until: Time | None
    """Until when; None: open-ended."""


class Role(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A named entitlement."""

    kinds: list[Code]
    """Sorts of office at which it is held; empty: any."""


class Appointment(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That an account holds a role at an office, from a day to a day."""

    account: Address
    """The official's account."""
    office: Code
    """The office."""
    role: Code
    """The role."""
    since: Time
    """From when."""
    until: Time | None
    """Until when; None: until ended."""
    ended: Time | None
    """When it was ended before its time."""


class Board(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A body that acts by m of n: what it approves is dispatched on its behalf."""

    members: list[Address]
    """Accounts, sorted."""
    threshold: Count
    """How many of them must approve."""


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    EXECUTED = "executed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Proposal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Messages that a board may send."""

    board: Code
    """The board."""
    proposer: Address
    """The member who proposed."""
    messages: list[MessageBytes]
    """Canonical bytes, dispatched together and in order."""
    expires: Time
    """After this it can no longer be approved."""
    approvals: list[Address]
    """Members that approved, in order."""
    status: ProposalStatus
    """Where it stands."""


class NodeKeyKind(StrEnum):
    """What a node's key signs."""

    GATEWAY = "gateway"
    CHECKPOINT = "checkpoint"
    CONSENSUS = "consensus"


class NodeKey(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A key of a node or validator, registered with proof of possession."""

    kind: NodeKeyKind
    """What it signs."""
    institution: Code
    """Who runs the node."""
    since: Time
    """From when it counts."""
    until: Time | None
    """Until when."""


Power = Annotated[int, Meta(ge=1, le=1_000_000, extra={"form": "count"})]
"""Weight of a validator's vote: bounded so that no set comes near the engine's own limit of 2⁶⁰."""


class Validator(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An institution that signs blocks, with the keys of its node."""

    institution: Code
    """The institution; one has one seat."""
    consensus_key: Annotated[NodeKeyBytes, Meta(extra={"plain": "a public key", "readers": "public"})]
    """Ed25519 key that signs blocks."""
    checkpoint_key: Annotated[NodeKeyBytes, Meta(extra={"plain": "a public key", "readers": "public"})]
    """Ed25519 key that signs checkpoints of the log."""
    power: Power
    """Weight of its vote."""


class ValidatorSet(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Who signs blocks from a height on."""

    validators: list[Validator]
    """By institution, none twice, never none."""
    hash: Hash
    """As an engine computes it and writes it into its headers."""
    before: Height | None
    """Height from which the set before it signed; None: the founding set."""


class MisbehaviourRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What became of a validator's misbehaviour."""

    institution: Text
    """Whose validator it was; empty where no institution had a validator of this address."""
    time: Time
    """When it was done."""
    reported: Height
    """The block with which the engine told it."""
    suspended: Flag
    """Whether the validator left the set for it; else too little power would have remained, or it had left before."""


class Acting(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """In which office, by which role and appointment somebody acts."""

    office: Code
    """Office."""
    role: Code
    """Role held there."""
    appointment: Identifier
    """Appointment in force at block time."""
