"""Currencies, balances, holds, freezes; supply only through the supply keeper."""

from kerege.kernel.module import Module
from kerege.kernel.ports import BalancePort
from kerege.modules.bank.events import EVENTS
from kerege.modules.bank.genesis import Genesis, load
from kerege.modules.bank.handlers import HANDLERS
from kerege.modules.bank.invariants import INVARIANTS
from kerege.modules.bank.keeper import BankView
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.projection import PROJECTIONS
from kerege.modules.bank.rules import rows_of_transfer
from kerege.modules.bank.schedule import SCHEDULE
from kerege.modules.bank.state import TABLES

MODULE = Module(
    name="bank",
    handlers=HANDLERS,
    tables=TABLES,
    events=EVENTS,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    genesis=Genesis,
    load=load,
    declares={Transfer: rows_of_transfer},
    schedule=SCHEDULE,
    ports={BalancePort: BankView},
)
