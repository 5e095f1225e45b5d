"""What bank announces."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Address, Amount, Currency, Identifier
from kerege.modules.bank.types import CurrencyRow, Freeze, Hold

_CURRENCY = Meta(description="Currency.")
_AMOUNT = Meta(description="Minor units.")
_HOLD = Meta(description="The hold's random id.")


class Moved(Event, frozen=True, tag="bank.Moved"):
    """Money moved between two accounts."""

    source: Annotated[Address, Meta(description="Account that paid.")]
    target: Annotated[Address, Meta(description="Account that received.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Amount, _AMOUNT]


class HoldPlaced(Event, frozen=True, tag="bank.HoldPlaced"):
    """Money was set aside."""

    hold: Annotated[Identifier, _HOLD]
    row: Annotated[Hold, Meta(description="The hold.")]


class HoldReleased(Event, frozen=True, tag="bank.HoldReleased"):
    """Held money went back to its owner."""

    hold: Annotated[Identifier, _HOLD]
    owner: Annotated[Address, Meta(description="Whose money it is.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Amount, _AMOUNT]


class HoldCaptured(Event, frozen=True, tag="bank.HoldCaptured"):
    """Held money went to the beneficiary; the rest back to its owner."""

    hold: Annotated[Identifier, _HOLD]
    owner: Annotated[Address, Meta(description="Who paid.")]
    beneficiary: Annotated[Address, Meta(description="Who received.")]
    currency: Annotated[Currency, _CURRENCY]
    captured: Annotated[Amount, Meta(description="Minor units captured.")]
    returned: Annotated[Amount, Meta(description="Minor units that went back.")]


class AccountFrozen(Event, frozen=True, tag="bank.AccountFrozen"):
    """An account may not move money."""

    account: Annotated[Address, Meta(description="The account.")]
    row: Annotated[Freeze, Meta(description="Ground and expiry.")]


class AccountUnfrozen(Event, frozen=True, tag="bank.AccountUnfrozen"):
    """A freeze was lifted."""

    account: Annotated[Address, Meta(description="The account.")]


class CurrencyRegistered(Event, frozen=True, tag="bank.CurrencyRegistered"):
    """A unit of account was registered."""

    currency: Annotated[Currency, _CURRENCY]
    row: Annotated[CurrencyRow, Meta(description="Decimals and issuer.")]


class Issued(Event, frozen=True, tag="bank.Issued"):
    """Units were created."""

    to: Annotated[Address, Meta(description="Account that received them.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Amount, _AMOUNT]


class Retired(Event, frozen=True, tag="bank.Retired"):
    """Units were destroyed."""

    holder: Annotated[Address, Meta(description="Account that held them.")]
    currency: Annotated[Currency, _CURRENCY]
    amount: Annotated[Amount, _AMOUNT]


EVENTS = (
    Moved,
    HoldPlaced,
    HoldReleased,
    HoldCaptured,
    AccountFrozen,
    AccountUnfrozen,
    CurrencyRegistered,
    Issued,
    Retired,
)
