"""What can be asked of authority."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, any_account, authority, authority_of, role
from kerege.kernel.types import Address, Code, Count, Hash, Identifier, Time
from kerege.modules.authority.types import MessageBytes, NodeKeyBytes, NodeKeyKind, Text, Validator

_APPOINTMENT = Meta(description="The appointment's random id.")


class SetInstitution(Message, frozen=True, tag="authority.SetInstitution"):
    """Found an institution, or change to which roles it appoints."""

    SENDERS: ClassVar[Senders] = authority("government")

    institution: Annotated[Code, Meta(description="Code of the institution.")]
    parent: Annotated[Text, Meta(description="The body it belongs to; empty for none.")]
    roles: Annotated[list[Code], Meta(max_length=64, description="Roles to which it appoints.")]


class SetOffice(Message, frozen=True, tag="authority.SetOffice"):
    """Open an office, or change what it serves and until when."""

    SENDERS: ClassVar[Senders] = authority("government")

    office: Annotated[Code, Meta(description="Code of the office.")]
    kind: Annotated[Code, Meta(description="Sort of office.")]
    institution: Annotated[Code, Meta(description="The body it belongs to.")]
    territory: Annotated[Text, Meta(description="Unit of the state classifier; empty abroad.")]
    since: Annotated[Time, Meta(description="From when it stands.")]
    until: Annotated[Time | None, Meta(description="Until when; none: open-ended.")]


class SetRole(Message, frozen=True, tag="authority.SetRole"):
    """Create a role, or change at which kinds of office it is held."""

    SENDERS: ClassVar[Senders] = authority("government")

    role: Annotated[Code, Meta(description="Name of the role.")]
    kinds: Annotated[list[Code], Meta(max_length=32, description="Sorts of office; empty: any.")]


class Appoint(Message, frozen=True, tag="authority.Appoint"):
    """Appoint an account to a role at an office of the sender's institution."""

    SENDERS: ClassVar[Senders] = role("personnel-officer") | authority("government")

    appointment: Annotated[Identifier, _APPOINTMENT]
    account: Annotated[Address, Meta(description="The official's account.")]
    office: Annotated[Code, Meta(description="Office.")]
    role: Annotated[Code, Meta(description="Role.")]
    since: Annotated[Time, Meta(description="From when, not before this block.")]
    until: Annotated[Time | None, Meta(description="Until when; none: until ended.")]


class EndAppointment(Message, frozen=True, tag="authority.EndAppointment"):
    """End an appointment before its time."""

    SENDERS: ClassVar[Senders] = role("personnel-officer") | authority("government")

    appointment: Annotated[Identifier, _APPOINTMENT]


class SetBoard(Message, frozen=True, tag="authority.SetBoard"):
    """Found a board, or change its members and threshold."""

    SENDERS: ClassVar[Senders] = authority("government")

    board: Annotated[Code, Meta(description="Name of the board: the authority on whose behalf it acts.")]
    members: Annotated[list[Address], Meta(max_length=64, description="Accounts, sorted, none twice.")]
    threshold: Annotated[Count, Meta(description="How many must approve.")]


class Propose(Message, frozen=True, tag="authority.Propose"):
    """Put messages to a board; the proposer's own approval counts."""

    SENDERS: ClassVar[Senders] = any_account
    WEIGHT: ClassVar[int] = 20

    proposal: Annotated[Identifier, Meta(description="Random id of the proposal.")]
    board: Annotated[Code, Meta(description="The board.")]
    messages: Annotated[list[MessageBytes], Meta(min_length=1, max_length=16, description="Canonical bytes.")]
    expires: Annotated[Time, Meta(description="After this it can no longer be approved.")]


class Approve(Message, frozen=True, tag="authority.Approve"):
    """Approve a proposal; the last approval needed runs it. A message that refuses refuses this approval."""

    SENDERS: ClassVar[Senders] = any_account
    WEIGHT: ClassVar[int] = 20

    proposal: Annotated[Identifier, Meta(description="The proposal.")]
    content: Annotated[
        Hash,
        Meta(description="SHA-256 of what is approved, board and expiry included: `kerege show proposal` tells it."),
    ]


class WithdrawProposal(Message, frozen=True, tag="authority.WithdrawProposal"):
    """The proposer takes an open proposal back."""

    SENDERS: ClassVar[Senders] = any_account

    proposal: Annotated[Identifier, Meta(description="The proposal.")]


class RegisterNodeKey(Message, frozen=True, tag="authority.RegisterNodeKey"):
    """Register a key of an institution's node, with proof that its holder has the private half."""

    SENDERS: ClassVar[Senders] = role("system-operator") | authority("government")

    institution: Annotated[Code, Meta(description="Who runs the node.")]
    kind: Annotated[NodeKeyKind, Meta(description="What the key signs.")]
    key: Annotated[
        NodeKeyBytes, Meta(description="Ed25519 public key.", extra={"plain": "a public key", "readers": "public"})
    ]
    possession: Annotated[
        bytes,
        Meta(
            min_length=64,
            max_length=64,
            description="Signature over ledger id, kind, institution and key.",
            extra={"plain": "a public proof", "readers": "public"},
        ),
    ]
    until: Annotated[Time | None, Meta(description="Until when it counts; none: until revoked.")]


class RevokeNodeKey(Message, frozen=True, tag="authority.RevokeNodeKey"):
    """A node's key counts no more."""

    SENDERS: ClassVar[Senders] = role("system-operator") | authority("government")

    key: Annotated[
        NodeKeyBytes, Meta(description="Ed25519 public key.", extra={"plain": "a public key", "readers": "public"})
    ]


class SetValidators(Message, frozen=True, tag="authority.SetValidators"):
    """Name the institutions that sign blocks, from the second block after this one."""

    SENDERS: ClassVar[Senders] = authority_of("authority.consensus_board")

    validators: Annotated[list[Validator], Meta(max_length=64, description="All of them, each with keys and power.")]
    replaces: Annotated[
        Hash,
        Meta(
            description="Hash of the set that this one replaces, as `kerege show validators` tells it.",
            extra={"plain": "of public keys", "readers": "public"},
        ),
    ]
