"""Refusals of accounts."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Address


class AccountExists(Refused, code="accounts.1"):
    """An account is open under this key's address."""

    account: Address


class UnknownAccount(Refused, code="accounts.2"):
    """No open account stands under this address."""

    account: Address


class MayNotOpen(Refused, code="accounts.3"):
    """Only an office whose role opens accounts of this kind, or a sponsoring institution, opens accounts."""

    sender: Address


class KeyHeld(Refused, code="accounts.4"):
    """The account has this key already."""

    account: Address


class KeyNotHeld(Refused, code="accounts.5"):
    """The account does not have this key."""

    account: Address


class LastKey(Refused, code="accounts.6"):
    """An account keeps at least one key: replace it, or close the account."""

    account: Address


class TooManyKeys(Refused, code="accounts.7"):
    """An account has a bounded number of keys and guardians."""

    limit: int


class RecoveryUnderWay(Refused, code="accounts.8"):
    """The sender began a recovery of this account already: it ends by itself."""

    account: Address


class NoRecovery(Refused, code="accounts.9"):
    """No recovery of this account is under way."""

    account: Address


class NotGuardian(Refused, code="accounts.10"):
    """The sender is no guardian of the account."""

    account: Address


class ApprovedAlready(Refused, code="accounts.11"):
    """The guardian has approved this recovery already."""

    account: Address


class BadThreshold(Refused, code="accounts.12"):
    """The threshold lies between 1 and the number of guardians, without guardians it is 0."""

    threshold: int
    guardians: int


class NotOpener(Refused, code="accounts.13"):
    """Another office opened the account: it, or a guardian, starts a recovery."""

    account: Address
    opener: str


class OtherKey(Refused, code="accounts.14"):
    """No recovery under way is for the key approved."""

    account: Address
