"""What happens to the messages of authority: authorise, check, change."""

from msgspec.structs import replace

from kerege.kernel import crypto
from kerege.kernel.context import Context, Handler
from kerege.kernel.errors import NotEntitled
from kerege.kernel.messages import Message, tag_of
from kerege.modules.accounts.keeper import AccountView
from kerege.modules.authority import errors, messages
from kerege.modules.authority.keeper import Authorities, Nodes
from kerege.modules.authority.rules import check_period, possession_payload, proposal_content
from kerege.modules.authority.types import (
    Appointment,
    Board,
    Institution,
    NodeKey,
    Office,
    Proposal,
    ProposalStatus,
    Role,
)


def set_institution(ctx: Context, message: messages.SetInstitution) -> None:
    """Found or change an institution."""
    ctx.use(Authorities).set_institution(message.institution, Institution(message.parent, message.roles))


def set_office(ctx: Context, message: messages.SetOffice) -> None:
    """Open or change an office."""
    row = Office(message.kind, message.institution, message.territory, message.since, message.until)
    ctx.use(Authorities).set_office(message.office, row)


def set_role(ctx: Context, message: messages.SetRole) -> None:
    """Create or change a role."""
    ctx.use(Authorities).set_role(message.role, Role(message.kinds))


def _authorise_personnel(ctx: Context, message: Message, office: str, role: str) -> None:
    if ctx.authority is None:
        ctx.use(Authorities).check_appoints(ctx.sender, message.SENDERS.roles, office, role)


def appoint(ctx: Context, message: messages.Appoint) -> None:
    """Appoint an account."""
    _authorise_personnel(ctx, message, message.office, message.role)

    ctx.use(AccountView).open_account(message.account)
    if message.since < ctx.time:
        raise errors.BadPeriod(since=message.since, until=ctx.time)

    row = Appointment(message.account, message.office, message.role, message.since, message.until, None)
    ctx.use(Authorities).appoint(message.appointment, row)


def end_appointment(ctx: Context, message: messages.EndAppointment) -> None:
    """End an appointment."""
    row = ctx.use(Authorities).appointment(message.appointment)
    _authorise_personnel(ctx, message, row.office, row.role)

    ctx.use(Authorities).end_appointment(message.appointment)


def set_board(ctx: Context, message: messages.SetBoard) -> None:
    """Found or change a board."""
    for member in message.members:
        ctx.use(AccountView).open_account(member)

    ctx.use(Authorities).set_board(message.board, Board(message.members, message.threshold))


def propose(ctx: Context, message: messages.Propose) -> None:
    """Put messages to a board."""
    authorities = ctx.use(Authorities)
    board = authorities.check_member(message.board, ctx.sender)

    authorities.check_proposal_free(message.proposal)
    check_period(ctx.time, message.expires)
    for raw in message.messages:
        _check_speaks(ctx, ctx.decode_message(raw), message.board)

    row = Proposal(message.board, ctx.sender, message.messages, message.expires, [ctx.sender], ProposalStatus.OPEN)
    _settle(ctx, message.proposal, board, row)


def _check_speaks(ctx: Context, message: Message, board: str) -> None:
    """Raise `NotEntitled` unless the message names the board as its sender.

    What any account may send is nobody's business to propose: it would be the act of the member who happens to
    give the last approval, with that member's money.
    """
    if not ctx.may_say(board, message):
        raise NotEntitled(message=tag_of(message), needed=str(message.SENDERS))


def approve(ctx: Context, message: messages.Approve) -> None:
    """Approve a proposal."""
    authorities = ctx.use(Authorities)
    row = authorities.proposal(message.proposal)
    board = authorities.check_member(row.board, ctx.sender)

    if message.content != proposal_content(row.board, row.messages, row.expires):
        raise errors.OtherProposal(proposal=message.proposal)
    if ctx.sender in row.approvals:
        raise errors.ApprovedAlready(proposal=message.proposal)

    _settle(ctx, message.proposal, board, replace(row, approvals=[*row.approvals, ctx.sender]))


def _settle(ctx: Context, identifier: bytes, board: Board, row: Proposal) -> None:
    """Keep the approval; with enough of them that count, run the messages on the board's behalf."""
    accounts = ctx.use(AccountView)
    enough = sum(m in board.members and accounts.is_open(m) for m in row.approvals) >= board.threshold
    status = ProposalStatus.EXECUTED if enough else ProposalStatus.OPEN
    ctx.use(Authorities).write_proposal(identifier, replace(row, status=status))
    if enough:
        for raw in row.messages:
            ctx.dispatch(ctx.decode_message(raw), row.board)


def withdraw_proposal(ctx: Context, message: messages.WithdrawProposal) -> None:
    """Take a proposal back."""
    row = ctx.use(Authorities).proposal(message.proposal)
    if row.proposer != ctx.sender:
        raise errors.NotMember(board=row.board, sender=ctx.sender)

    ctx.use(Authorities).write_proposal(message.proposal, replace(row, status=ProposalStatus.WITHDRAWN))


def _authorise_operator(ctx: Context, message: Message, institution: str) -> None:
    acts_for = ctx.use(Authorities).acts_for
    if ctx.authority is None and not acts_for(ctx.sender, message.SENDERS.roles, institution):
        raise errors.NotOperator(institution=institution)


def register_node_key(ctx: Context, message: messages.RegisterNodeKey) -> None:
    """Register a node's key."""
    ctx.use(Authorities).institution(message.institution)
    _authorise_operator(ctx, message, message.institution)

    crypto.check_key(crypto.ED25519, message.key)
    check_period(ctx.time, message.until)
    payload = possession_payload(ctx.ledger, message.kind, message.institution, message.key)
    if not crypto.ed25519_verify(message.key, payload, message.possession):
        raise errors.NoPossession(institution=message.institution)

    row = NodeKey(message.kind, message.institution, ctx.time, message.until)
    ctx.use(Nodes).register_node_key(message.key, row)


def revoke_node_key(ctx: Context, message: messages.RevokeNodeKey) -> None:
    """End a node's key."""
    _authorise_operator(ctx, message, ctx.use(Authorities).node_key(message.key).institution)

    ctx.use(Nodes).revoke_node_key(message.key)


def set_validators(ctx: Context, message: messages.SetValidators) -> None:
    """Name who signs blocks."""
    ctx.use(Nodes).set_validators(message.validators, message.replaces)


HANDLERS: dict[type[Message], Handler] = {
    messages.SetInstitution: set_institution,
    messages.SetOffice: set_office,
    messages.SetRole: set_role,
    messages.Appoint: appoint,
    messages.EndAppointment: end_appointment,
    messages.SetBoard: set_board,
    messages.Propose: propose,
    messages.Approve: approve,
    messages.WithdrawProposal: withdraw_proposal,
    messages.RegisterNodeKey: register_node_key,
    messages.RevokeNodeKey: revoke_node_key,
    messages.SetValidators: set_validators,
}
