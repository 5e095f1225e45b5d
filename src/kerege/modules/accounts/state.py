"""Tables of accounts."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Time
from kerege.modules.accounts.types import Account, Recovery, Usage

ACCOUNTS = Table[bytes, Account]("accounts.account", key=Address, value=Account, doc="Opened accounts with their keys.")
USAGE = Table[bytes, Usage](
    "accounts.usage", key=Address, value=Usage, derived=True, doc="Sequences, rate bucket and entries created."
)
RECOVERIES = Table[tuple[bytes, bytes], Recovery](
    "accounts.recovery", key=(Address, Address), value=Recovery, doc="Recoveries under way, by account and who began."
)
READY = Table[tuple[int, bytes, bytes], bool](
    "accounts.ready",
    key=(Time, Address, Address),
    value=bool,
    derived=True,
    doc="Index: recoveries by when they take effect (time, account, who began).",
)

OF_SENDER = (ACCOUNTS, USAGE)
"""Read for every transaction, by its sender."""

TABLES = (ACCOUNTS, USAGE, RECOVERIES, READY)
