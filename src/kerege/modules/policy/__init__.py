"""Dated parameters with legal basis and history, working days, legal terms."""

from kerege.kernel.module import Module
from kerege.kernel.ports import ParameterPort
from kerege.modules.policy.events import EVENTS
from kerege.modules.policy.genesis import Genesis, load
from kerege.modules.policy.handlers import HANDLERS
from kerege.modules.policy.invariants import INVARIANTS
from kerege.modules.policy.keeper import Policy
from kerege.modules.policy.projection import PROJECTIONS
from kerege.modules.policy.state import TABLES

MODULE = Module(
    name="policy",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    genesis=Genesis,
    load=load,
    ports={ParameterPort: Policy},
)
