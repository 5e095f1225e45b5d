"""Persons and bodies under sector pseudonyms, links to accounts, guardianship."""

from kerege.kernel.module import Module
from kerege.modules.identity.events import EVENTS
from kerege.modules.identity.handlers import HANDLERS
from kerege.modules.identity.invariants import INVARIANTS
from kerege.modules.identity.projection import PROJECTIONS
from kerege.modules.identity.state import TABLES

MODULE = Module(
    name="identity", handlers=HANDLERS, tables=TABLES, events=EVENTS, projections=PROJECTIONS, invariants=INVARIANTS
)
