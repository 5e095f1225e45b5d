"""What happens to the messages of accounts: authorise, check, change."""

import itertools

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.kernel.ports import RolePort
from kerege.modules.accounts import messages
from kerege.modules.accounts.errors import BadThreshold, MayNotOpen
from kerege.modules.accounts.keeper import Accounts
from kerege.modules.accounts.types import AccountKind


def _authorise_office(ctx: Context, needed: tuple[str, ...], office: str) -> None:
    roles = ctx.port(RolePort)
    if not any(roles.holds_at(ctx.sender, name, office) for name in needed):
        raise MayNotOpen(sender=ctx.sender)


def open(ctx: Context, message: messages.Open) -> None:  # noqa: A001 - a handler has its message's name
    """Open an account at an office."""
    needed = message.SENDERS.roles if message.kind is AccountKind.PERSON else messages.OPERATORS
    _authorise_office(ctx, needed, message.office)

    sponsor = ctx.sender if message.sponsored else None

    ctx.use(Accounts).open(message.kind, message.key_kind, message.key, sponsor=sponsor, opener=message.office)


def sponsor(ctx: Context, message: messages.Sponsor) -> None:
    """Open an account at an agency's expense."""
    if ctx.use(Accounts).open_account(ctx.sender).kind is not AccountKind.INSTITUTION:
        raise MayNotOpen(sender=ctx.sender)

    ctx.use(Accounts).open(AccountKind.PERSON, message.key_kind, message.key, sponsor=ctx.sender, opener="")


def add_key(ctx: Context, message: messages.AddKey) -> None:
    """Add a key to the sender's account."""
    ctx.use(Accounts).add_key(ctx.sender, message.key_kind, message.key)


def remove_key(ctx: Context, message: messages.RemoveKey) -> None:
    """Remove a key of the sender's account."""
    ctx.use(Accounts).remove_key(ctx.sender, message.key)


def rotate_key(ctx: Context, message: messages.RotateKey) -> None:
    """Replace a key of the sender's account."""
    ctx.use(Accounts).rotate_key(ctx.sender, message.old, message.key_kind, message.key)


def set_guardians(ctx: Context, message: messages.SetGuardians) -> None:
    """Name guardians of the sender's account."""
    guardians, count = message.guardians, len(message.guardians)
    ordered = all(a < b for a, b in itertools.pairwise(guardians))
    if not ordered or ctx.sender in guardians or not (1 <= message.threshold <= count or count == message.threshold):
        raise BadThreshold(threshold=message.threshold, guardians=count)
    for guardian in guardians:
        ctx.use(Accounts).open_account(guardian)

    ctx.use(Accounts).set_guardians(ctx.sender, guardians, message.threshold)


def start_recovery(ctx: Context, message: messages.StartRecovery) -> None:
    """The opening office starts a recovery."""
    _authorise_office(ctx, message.SENDERS.roles, message.office)
    ctx.use(Accounts).check_opener(message.account, message.office)

    key = ctx.use(Accounts).new_key(message.key_kind, message.key)

    ctx.use(Accounts).start_recovery(message.account, ctx.sender, key, message.office, [])


def ask_recovery(ctx: Context, message: messages.AskRecovery) -> None:
    """A guardian starts a recovery."""
    ctx.use(Accounts).check_guardian(message.account, ctx.sender)

    key = ctx.use(Accounts).new_key(message.key_kind, message.key)

    ctx.use(Accounts).start_recovery(message.account, ctx.sender, key, "", [ctx.sender])


def approve_recovery(ctx: Context, message: messages.ApproveRecovery) -> None:
    """A guardian approves a recovery."""
    ctx.use(Accounts).check_guardian(message.account, ctx.sender)

    ctx.use(Accounts).approve_recovery(message.account, ctx.sender, message.key)


def cancel_recovery(ctx: Context, _message: messages.CancelRecovery) -> None:
    """The holder objects to every recovery under way."""
    ctx.use(Accounts).cancel_recoveries(ctx.sender)


def close_account(ctx: Context, _message: messages.CloseAccount) -> None:
    """Close the sender's account."""
    ctx.use(Accounts).close(ctx.sender)


HANDLERS: dict[type[Message], Handler] = {
    messages.Open: open,
    messages.Sponsor: sponsor,
    messages.AddKey: add_key,
    messages.RemoveKey: remove_key,
    messages.RotateKey: rotate_key,
    messages.SetGuardians: set_guardians,
    messages.StartRecovery: start_recovery,
    messages.AskRecovery: ask_recovery,
    messages.ApproveRecovery: approve_recovery,
    messages.CancelRecovery: cancel_recovery,
    messages.CloseAccount: close_account,
}
