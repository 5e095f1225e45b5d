"""What can be asked of bank."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, any_account, authority, role
from kerege.kernel.types import Address, Code, Commitment, Currency, Identifier, Positive, Time
from kerege.modules.bank.types import Decimals

COURT = ("judge",)
"""Roles that replace or lift a freeze that another office ordered."""

_CURRENCY = Meta(description="ISO 4217 code, or the code of a registered token.")
_AMOUNT = Meta(description="Minor units of the currency.")
_HOLD = Meta(description="The hold's random id.")


class Transfer(Message, frozen=True, tag="bank.Transfer"):
    """Move money of the sender to another account."""

    SENDERS: ClassVar[Senders] = any_account

    to: Annotated[Address, Meta(description="Account that receives the money.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Positive, _AMOUNT]


class PlaceHold(Message, frozen=True, tag="bank.PlaceHold"):
    """Set money of the sender aside for a beneficiary."""

    SENDERS: ClassVar[Senders] = any_account

    hold: Annotated[Identifier, Meta(description="Random id of the hold.")]
    beneficiary: Annotated[Address, Meta(description="Account that may capture it.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Positive, _AMOUNT]
    expires: Annotated[Time, Meta(description="After this it goes back by itself.")]


class ReleaseHold(Message, frozen=True, tag="bank.ReleaseHold"):
    """Give held money back to its owner."""

    SENDERS: ClassVar[Senders] = any_account

    hold: Annotated[Identifier, _HOLD]


class CaptureHold(Message, frozen=True, tag="bank.CaptureHold"):
    """The beneficiary takes held money, all or a part; the rest goes back."""

    SENDERS: ClassVar[Senders] = any_account

    hold: Annotated[Identifier, _HOLD]
    amount: Annotated[Positive, _AMOUNT]


class FreezeAccount(Message, frozen=True, tag="bank.FreezeAccount"):
    """Forbid an account to move money, on a ground and until a time; replaces an order of the same office."""

    SENDERS: ClassVar[Senders] = role("judge", "court-clerk", "market-supervisor")

    office: Annotated[Code, Meta(description="Office; the sender's appointment there is checked.")]
    account: Annotated[Address, Meta(description="Account to freeze.")]
    basis: Annotated[Code, Meta(description="Public kind of the ground: court, aml, sanctions, …")]
    ground: Annotated[Commitment, Meta(description="Commitment to the order and its ground.")]
    expires: Annotated[Time, Meta(description="Until when.")]


class UnfreezeAccount(Message, frozen=True, tag="bank.UnfreezeAccount"):
    """Lift a freeze before its time: the office that ordered it, or a judge."""

    SENDERS: ClassVar[Senders] = role("judge", "court-clerk", "market-supervisor")

    office: Annotated[Code, Meta(description="Office; the sender's appointment there is checked.")]
    account: Annotated[Address, Meta(description="Frozen account.")]


class RegisterCurrency(Message, frozen=True, tag="bank.RegisterCurrency"):
    """Register a unit of account with its issuer."""

    SENDERS: ClassVar[Senders] = authority("government")

    currency: Annotated[Currency, _CURRENCY]
    decimals: Annotated[Decimals, Meta(description="Decimals of a unit, at most 8.")]
    issuer: Annotated[Code, Meta(description="Board on whose behalf supply is created and destroyed.")]


class Issue(Message, frozen=True, tag="bank.Issue"):
    """Create units of a currency for an account, on behalf of its issuer."""

    SENDERS: ClassVar[Senders] = authority("central-bank", "government")

    to: Annotated[Address, Meta(description="Account that receives them.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Positive, _AMOUNT]


class Retire(Message, frozen=True, tag="bank.Retire"):
    """Destroy units that an account holds, on behalf of the currency's issuer."""

    SENDERS: ClassVar[Senders] = authority("central-bank", "government")

    holder: Annotated[Address, Meta(description="Account that holds them: an institution's or an official's.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Positive, _AMOUNT]
