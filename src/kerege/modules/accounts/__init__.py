"""Accounts: addresses, keys of several kinds, lanes and sequences, rotation, recovery."""

from kerege.kernel.module import Module
from kerege.kernel.ports import SenderPort
from kerege.modules.accounts.events import EVENTS
from kerege.modules.accounts.genesis import Genesis, load
from kerege.modules.accounts.handlers import HANDLERS
from kerege.modules.accounts.invariants import INVARIANTS
from kerege.modules.accounts.keeper import Senders
from kerege.modules.accounts.projection import PROJECTIONS
from kerege.modules.accounts.schedule import SCHEDULE
from kerege.modules.accounts.state import OF_SENDER, TABLES

MODULE = Module(
    name="accounts",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    genesis=Genesis,
    load=load,
    schedule=SCHEDULE,
    sender_tables=OF_SENDER,
    ports={SenderPort: Senders},
)
