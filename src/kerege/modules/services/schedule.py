"""What happens to cases because time passes: bounded per block."""

from kerege.kernel.context import Context
from kerege.kernel.module import Schedule
from kerege.modules.services.keeper import Cases, CaseView

PER_BLOCK = 200
"""Cases handled in one block."""


def run_due(ctx: Context) -> None:
    """Announce overdue cases, end stops, let requests lapse."""
    ctx.use(Cases).run_due(PER_BLOCK)


def due(ctx: Context) -> int | None:
    """The earliest deadline."""
    return ctx.use(CaseView).first_due()


SCHEDULE = Schedule(run=run_due, due=due)
