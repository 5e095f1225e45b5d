"""What happens to accounts because time passes: bounded per block."""

from kerege.kernel.context import Context
from kerege.kernel.module import Schedule
from kerege.modules.accounts.keeper import Accounts, AccountView

PER_BLOCK = 100
"""Recoveries handled in one block."""


def run_due(ctx: Context) -> None:
    """Recoveries whose time has come take effect."""
    ctx.use(Accounts).run_recoveries(PER_BLOCK)


def due(ctx: Context) -> int | None:
    """When the next recovery takes effect."""
    return ctx.use(AccountView).next_ready()


SCHEDULE = Schedule(run=run_due, due=due)
