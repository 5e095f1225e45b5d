"""Tables of services."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.tables import Table
from kerege.kernel.types import Code, Count, Identifier, Time
from kerege.modules.services.types import Case

DEFINITIONS = Table[tuple[str, int], bytes](
    "services.definition",
    key=(Code, Count),
    value=Annotated[bytes, Meta(max_length=256 * 1024)],
    doc="Published definitions of services: canonical bytes by code and version.",
)
CASES = Table[bytes, Case](
    "services.case",
    key=Identifier,
    value=Case,
    personal=True,
    doc="Cases: holder, what is due, until when, what stopped the clock.",
)
DUE = Table[tuple[int, bytes], bool](
    "services.due",
    key=(Time, Identifier),
    value=bool,
    derived=True,
    doc="Index: cases by a deadline that has not passed yet.",
)
QUEUE = Table[tuple[str, str, int, bytes], bool](
    "services.queue",
    key=(Code, Code, Time, Identifier),
    value=bool,
    derived=True,
    doc="Index: cases by holder (an office, or @ and the institution appealed to), state, deadline.",
)
CURSOR = Table[str, int](
    "services.cursor", key=Code, value=Time, derived=True, doc="Deadline up to which the schedule has looked."
)

TABLES = (DEFINITIONS, CASES, DUE, QUEUE, CURSOR)
