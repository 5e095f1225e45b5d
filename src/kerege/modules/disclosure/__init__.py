"""Lawful access to personal data: asked for and answered on the ledger before any key is released."""

from kerege.kernel.module import Module
from kerege.modules.disclosure.events import EVENTS
from kerege.modules.disclosure.handlers import HANDLERS
from kerege.modules.disclosure.invariants import INVARIANTS
from kerege.modules.disclosure.projection import PROJECTIONS
from kerege.modules.disclosure.state import TABLES

MODULE = Module(
    name="disclosure", handlers=HANDLERS, tables=TABLES, events=EVENTS, projections=PROJECTIONS, invariants=INVARIANTS
)
