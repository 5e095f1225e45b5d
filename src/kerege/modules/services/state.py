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
CASES = Table[bytes, Case]("services.case", key=Identifier, value=Case, personal=True, doc="Cases of requests.")
DUE = Table[tuple[int, bytes], bool](
    "services.due", key=(Time, Identifier), value=bool, derived=True, doc="Index: open cases by deadline."
)
OVERDUE = Table[bytes, int](
    "services.overdue",
    key=Identifier,
    value=Time,
    derived=True,
    doc="Cases announced as overdue, with the deadline missed.",
)
CURSOR = Table[str, int](
    "services.cursor", key=Code, value=Time, derived=True, doc="Deadline up to which the schedule has looked."
)

TABLES = (DEFINITIONS, CASES, DUE, OVERDUE, CURSOR)
