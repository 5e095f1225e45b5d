"""What happens to the messages of policy; `SENDERS` authorises, the keeper checks."""

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.modules.policy.keeper import Rulebook
from kerege.modules.policy.messages import SetCalendarDay, SetParameter
from kerege.modules.policy.types import CalendarDay, Revision


def set_parameter(ctx: Context, message: SetParameter) -> None:
    """Enact a value."""
    row = Revision(message.value, message.since, message.until, message.basis)
    ctx.use(Rulebook).set_parameter(message.name, row)


def set_calendar_day(ctx: Context, message: SetCalendarDay) -> None:
    """Declare a day."""
    ctx.use(Rulebook).set_calendar_day(message.day, CalendarDay(message.works, message.code, message.basis))


HANDLERS: dict[type[Message], Handler] = {SetParameter: set_parameter, SetCalendarDay: set_calendar_day}
