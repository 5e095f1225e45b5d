"""Tables of policy."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Code, Count, Day
from kerege.modules.policy.types import CalendarDay, Revision

REVISIONS = Table[tuple[str, int], Revision](
    "policy.revision",
    key=(Code, Count),
    value=Revision,
    doc="Values of parameters in order of enactment: nothing is ever overwritten.",
)
ENACTED = Table[tuple[str, int], int](
    "policy.enacted", key=(Code, Count), value=int, doc="When each revision was enacted, in block time."
)
CALENDAR = Table[int, CalendarDay](
    "policy.calendar", key=Day, value=CalendarDay, doc="Days that differ from the weekly rule."
)

TABLES = (REVISIONS, ENACTED, CALENDAR)
