"""What happens to money because time passes: bounded per block."""

from kerege.kernel.context import Context
from kerege.kernel.module import Schedule
from kerege.modules.bank.keeper import Bank, BankView

PER_BLOCK = 500
"""Holds released in one block."""


def run_due(ctx: Context) -> None:
    """Expired holds go back to their owners."""
    ctx.use(Bank).release_expired(PER_BLOCK)


def due(ctx: Context) -> int | None:
    """When the next hold expires."""
    return ctx.use(BankView).next_expiry()


SCHEDULE = Schedule(run=run_due, due=due)
