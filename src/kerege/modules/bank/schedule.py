"""What happens to money because time passes: bounded per block."""

from kerege.kernel.context import Context
from kerege.kernel.module import Schedule
from kerege.modules.bank.keeper import Bank, BankView

PER_BLOCK = 500
"""Holds released, and freezes ended, in one block: so many of each."""


def run_due(ctx: Context) -> None:
    """Expired holds go back to their owners, expired freezes end."""
    ctx.use(Bank).expire(PER_BLOCK)


def due(ctx: Context) -> int | None:
    """When the next hold or freeze expires."""
    return ctx.use(BankView).next_expiry()


SCHEDULE = Schedule(run=run_due, due=due)
