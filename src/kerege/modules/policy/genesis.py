"""Rules in force before the first block: the parameters and the calendar of the nation's pack."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.kernel.types import Code, Day
from kerege.modules.policy.keeper import Rulebook
from kerege.modules.policy.types import CalendarDay, Revision


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Rules of the nation's pack."""

    parameters: list[tuple[Code, Revision]]
    """In order of enactment."""
    calendar: list[tuple[Day, CalendarDay]]
    """Days that differ from the weekly rule."""


def load(ctx: Context, genesis: Genesis) -> None:
    """Enact them in order."""
    rulebook = ctx.use(Rulebook)
    for name, revision in genesis.parameters:
        rulebook.set_parameter(name, revision)
    for day, row in genesis.calendar:
        rulebook.set_calendar_day(day, row)
