"""Refusals of bank."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Address, Amount, Currency, Identifier


class UnknownCurrency(Refused, code="bank.1"):
    """No such currency."""

    currency: str


class CurrencyExists(Refused, code="bank.2"):
    """The currency is registered already."""

    currency: Currency


class Frozen(Refused, code="bank.3"):
    """The account may not move money now."""

    account: Address
    expires: int


class InsufficientFunds(Refused, code="bank.4"):
    """The account holds less than the amount asked for."""

    account: Address
    currency: Currency
    available: Amount
    asked: Amount


class IdentifierTaken(Refused, code="bank.5"):
    """The random id is in use: draw another."""

    identifier: Identifier


class UnknownHold(Refused, code="bank.6"):
    """No hold stands under this id."""

    hold: Identifier


class NotBeneficiary(Refused, code="bank.7"):
    """Only the beneficiary captures a hold; it releases it before it expires, and anybody after."""

    hold: Identifier


class HoldExpired(Refused, code="bank.8"):
    """The hold has expired: it can only be released."""

    hold: Identifier
    expires: int


class CaptureTooLarge(Refused, code="bank.9"):
    """More is captured than is on hold."""

    hold: Identifier
    held: Amount
    asked: Amount


class BadExpiry(Refused, code="bank.10"):
    """A hold or freeze ends later than now, and within the bound."""

    expires: int
    limit: int


class NotFrozen(Refused, code="bank.11"):
    """The account is not frozen."""

    account: Address


class NotIssuer(Refused, code="bank.12"):
    """Supply of this currency is created and destroyed on behalf of another authority."""

    currency: Currency
    issuer: str


class SameAccount(Refused, code="bank.13"):
    """Money moves between two different accounts."""

    account: Address


class NotOrderer(Refused, code="bank.14"):
    """Another office ordered the freeze in force: it, or a judge, replaces or lifts it."""

    account: Address
    office: str


class NotIssuersOwn(Refused, code="bank.15"):
    """Units are retired from an institution's or an official's account, never from a person's."""

    account: Address
