"""Event → rows of bank."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Add, Projection, Put, Remove, Row
from kerege.modules.bank import events


def moved_rows(event: events.Moved) -> tuple[Row, ...]:
    """Out of one balance, into another."""
    return (
        Add("bank.balance", (event.source, event.currency), -event.amount),
        Add("bank.balance", (event.target, event.currency), event.amount),
    )


def placed_rows(event: events.HoldPlaced) -> tuple[Row, ...]:
    """From the balance to what is held."""
    key = (event.row.owner, event.row.currency)
    return (
        Add("bank.balance", key, -event.row.amount),
        Add("bank.held", key, event.row.amount),
        Put("bank.hold", event.hold, event.row),
    )


def released_rows(event: events.HoldReleased) -> tuple[Row, ...]:
    """Back to the balance."""
    key = (event.owner, event.currency)
    return (
        Add("bank.balance", key, event.amount),
        Add("bank.held", key, -event.amount),
        Remove("bank.hold", event.hold),
    )


def captured_rows(event: events.HoldCaptured) -> tuple[Row, ...]:
    """To the beneficiary, the rest back."""
    key = (event.owner, event.currency)
    rows: tuple[Row, ...] = (
        Add("bank.balance", (event.beneficiary, event.currency), event.captured),
        Add("bank.held", key, -(event.captured + event.returned)),
        Remove("bank.hold", event.hold),
    )
    return (*rows, Add("bank.balance", key, event.returned)) if event.returned else rows


def frozen_rows(event: events.AccountFrozen) -> tuple[Row, ...]:
    """The freeze."""
    return (Put("bank.freeze", event.account, event.row),)


def unfrozen_rows(event: events.AccountUnfrozen) -> tuple[Row, ...]:
    """The freeze is gone."""
    return (Remove("bank.freeze", event.account),)


def currency_rows(event: events.CurrencyRegistered) -> tuple[Row, ...]:
    """The currency, with no unit of it yet."""
    return (Put("bank.currency", event.currency, event.row), Put("bank.supply", event.currency, 0))


def issued_rows(event: events.Issued) -> tuple[Row, ...]:
    """More supply, a larger balance."""
    return (
        Add("bank.supply", event.currency, event.amount),
        Add("bank.balance", (event.to, event.currency), event.amount),
    )


def retired_rows(event: events.Retired) -> tuple[Row, ...]:
    """Less supply, a smaller balance."""
    return (
        Add("bank.supply", event.currency, -event.amount),
        Add("bank.balance", (event.holder, event.currency), -event.amount),
    )


PROJECTIONS: dict[type[Event], Projection] = {
    events.Moved: moved_rows,
    events.HoldPlaced: placed_rows,
    events.HoldReleased: released_rows,
    events.HoldCaptured: captured_rows,
    events.AccountFrozen: frozen_rows,
    events.AccountUnfrozen: unfrozen_rows,
    events.CurrencyRegistered: currency_rows,
    events.Issued: issued_rows,
    events.Retired: retired_rows,
}
