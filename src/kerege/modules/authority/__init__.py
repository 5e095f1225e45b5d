"""Institutions, offices by territory, roles, dated appointments, boards that act by m of n, who signs blocks."""

from kerege.kernel.module import Module
from kerege.kernel.ports import RolePort, ValidatorPort
from kerege.modules.authority.events import EVENTS
from kerege.modules.authority.genesis import Genesis, ReplicatedGenesis, load
from kerege.modules.authority.handlers import HANDLERS
from kerege.modules.authority.invariants import INVARIANTS
from kerege.modules.authority.keeper import Authority, Nodes
from kerege.modules.authority.projection import PROJECTIONS
from kerege.modules.authority.state import TABLES

MODULE = Module(
    name="authority",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    genesis=Genesis,
    genesis_more=(ReplicatedGenesis,),
    load=load,
    ports={RolePort: Authority, ValidatorPort: Nodes},
)
