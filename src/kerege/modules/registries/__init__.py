"""Records as commitments, certificates apart from them, amendments that leave one public trace."""

from kerege.kernel.module import Module
from kerege.modules.registries.events import EVENTS
from kerege.modules.registries.handlers import HANDLERS
from kerege.modules.registries.invariants import INVARIANTS
from kerege.modules.registries.messages import ImportRecords
from kerege.modules.registries.projection import PROJECTIONS
from kerege.modules.registries.rules import rows_of_import
from kerege.modules.registries.state import TABLES

MODULE = Module(
    name="registries",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    declares={ImportRecords: rows_of_import},
)
