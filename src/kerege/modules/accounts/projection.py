"""Event → rows of accounts."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Remove, Row
from kerege.modules.accounts.events import AccountWritten, RecoveryEnded, RecoveryWritten


def account_rows(event: AccountWritten) -> tuple[Row, ...]:
    """The account's row."""
    return (Put("accounts.account", event.account, event.row),)


def recovery_rows(event: RecoveryWritten) -> tuple[Row, ...]:
    """The recovery's row."""
    return (Put("accounts.recovery", (event.account, event.starter), event.row),)


def ended_rows(event: RecoveryEnded) -> tuple[Row, ...]:
    """The recovery is gone."""
    return (Remove("accounts.recovery", (event.account, event.starter)),)


PROJECTIONS: dict[type[Event], Projection] = {
    AccountWritten: account_rows,
    RecoveryWritten: recovery_rows,
    RecoveryEnded: ended_rows,
}
