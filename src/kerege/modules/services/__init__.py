"""Public services as data: definitions, cases, steps, deadlines, decisions, appeals."""

from kerege.kernel.module import Module
from kerege.modules.services.events import EVENTS
from kerege.modules.services.genesis import Genesis, load
from kerege.modules.services.handlers import HANDLERS
from kerege.modules.services.invariants import INVARIANTS
from kerege.modules.services.projection import PROJECTIONS
from kerege.modules.services.schedule import SCHEDULE
from kerege.modules.services.state import TABLES

MODULE = Module(
    name="services",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    genesis=Genesis,
    load=load,
    schedule=SCHEDULE,
)
