"""What happens to the messages of bank: authorise, check, change."""

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.modules.accounts.keeper import AccountView
from kerege.modules.accounts.types import AccountKind
from kerege.modules.authority.keeper import Authority
from kerege.modules.authority.types import Acting
from kerege.modules.bank import errors, messages
from kerege.modules.bank.keeper import Bank, Supply
from kerege.modules.bank.types import CurrencyRow, Freeze, Hold


def transfer(ctx: Context, message: messages.Transfer) -> None:
    """Move money of the sender."""
    ctx.use(Bank).move(ctx.sender, message.to, message.currency, message.amount)


def place_hold(ctx: Context, message: messages.PlaceHold) -> None:
    """Set money of the sender aside."""
    row = Hold(ctx.sender, message.beneficiary, message.currency, message.amount, message.expires)
    ctx.use(Bank).place_hold(message.hold, row)


def release_hold(ctx: Context, message: messages.ReleaseHold) -> None:
    """Give held money back."""
    row = ctx.use(Bank).hold(message.hold)
    if ctx.sender != row.beneficiary and row.expires > ctx.time:
        raise errors.NotBeneficiary(hold=message.hold)

    ctx.use(Bank).release(message.hold)


def capture_hold(ctx: Context, message: messages.CaptureHold) -> None:
    """Take held money."""
    if ctx.sender != ctx.use(Bank).hold(message.hold).beneficiary:
        raise errors.NotBeneficiary(hold=message.hold)

    ctx.use(Bank).capture(message.hold, message.amount)


def _authorise_order(ctx: Context, message: messages.FreezeAccount | messages.UnfreezeAccount) -> Acting:
    """Acting at the office; over another office's freeze only as a court."""
    authority = ctx.use(Authority)
    freeze = ctx.use(Bank).freeze(message.account)
    if freeze is None or freeze.office == message.office:
        return authority.acting_as_any(ctx.sender, message.SENDERS.roles, message.office)
    acting = authority.find_acting(ctx.sender, messages.COURT, message.office)
    if acting is None:
        raise errors.NotOrderer(account=message.account, office=freeze.office)
    return acting


def freeze_account(ctx: Context, message: messages.FreezeAccount) -> None:
    """Freeze an account."""
    acting = _authorise_order(ctx, message)

    row = Freeze(message.ground, message.basis, message.office, acting.appointment, ctx.time, message.expires)
    ctx.use(Bank).set_freeze(message.account, row)


def unfreeze_account(ctx: Context, message: messages.UnfreezeAccount) -> None:
    """Lift a freeze."""
    _authorise_order(ctx, message)

    ctx.use(Bank).lift_freeze(message.account)


def register_currency(ctx: Context, message: messages.RegisterCurrency) -> None:
    """Register a currency."""
    ctx.use(Supply).register_currency(message.currency, CurrencyRow(message.decimals, message.issuer))


def _authorise_issuer(ctx: Context, currency: str) -> None:
    issuer = ctx.use(Supply).currency(currency).issuer
    if ctx.authority != issuer:
        raise errors.NotIssuer(currency=currency, issuer=issuer)


def issue(ctx: Context, message: messages.Issue) -> None:
    """Create units."""
    _authorise_issuer(ctx, message.currency)

    ctx.use(Supply).create(message.to, message.currency, message.amount)


def retire(ctx: Context, message: messages.Retire) -> None:
    """Destroy units."""
    _authorise_issuer(ctx, message.currency)
    holder = ctx.use(AccountView).find(message.holder)
    if holder is None or holder.kind is AccountKind.PERSON:
        raise errors.NotIssuersOwn(account=message.holder)

    ctx.use(Supply).destroy(message.holder, message.currency, message.amount)


HANDLERS: dict[type[Message], Handler] = {
    messages.Transfer: transfer,
    messages.PlaceHold: place_hold,
    messages.ReleaseHold: release_hold,
    messages.CaptureHold: capture_hold,
    messages.FreezeAccount: freeze_account,
    messages.UnfreezeAccount: unfreeze_account,
    messages.RegisterCurrency: register_currency,
    messages.Issue: issue,
    messages.Retire: retire,
}
