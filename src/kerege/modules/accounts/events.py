"""What accounts announces. Events carry whole rows."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Address
from kerege.modules.accounts.types import Account, Recovery


class AccountWritten(Event, frozen=True, tag="accounts.AccountWritten"):
    """An account was opened, closed, or changed its keys or guardians."""

    account: Annotated[Address, Meta(description="The account.")]
    row: Annotated[Account, Meta(description="The row from now on.")]


class RecoveryWritten(Event, frozen=True, tag="accounts.RecoveryWritten"):
    """A recovery began or was approved: time to object."""

    account: Annotated[Address, Meta(description="The account.")]
    starter: Annotated[Address, Meta(description="Who began it.")]
    row: Annotated[Recovery, Meta(description="The row from now on.")]


class RecoveryEnded(Event, frozen=True, tag="accounts.RecoveryEnded"):
    """A recovery took effect, was cancelled, ran out without approvals, or another one took effect."""

    account: Annotated[Address, Meta(description="The account.")]
    starter: Annotated[Address, Meta(description="Who began it.")]
    done: Annotated[
        bool, Meta(description="Whether it took effect.", extra={"plain": "an outcome", "readers": "public"})
    ]


EVENTS = (AccountWritten, RecoveryWritten, RecoveryEnded)
