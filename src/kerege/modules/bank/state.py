"""Tables of bank."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Amount, Code, Currency, Identifier, Time
from kerege.modules.bank.types import CurrencyRow, Freeze, Hold

CURRENCIES = Table[str, CurrencyRow]("bank.currency", key=Currency, value=CurrencyRow, doc="Units of account.")
BALANCES = Table[tuple[bytes, str], int](
    "bank.balance", key=(Address, Currency), value=Amount, doc="Money an account holds, without what is on hold."
)
HELD = Table[tuple[bytes, str], int](
    "bank.held", key=(Address, Currency), value=Amount, doc="Money of an account that is on hold, in all."
)
SUPPLY = Table[str, int]("bank.supply", key=Currency, value=Amount, doc="All units of a currency.")
HOLDS = Table[bytes, Hold]("bank.hold", key=Identifier, value=Hold, doc="Holds by their random id.")
FREEZES = Table[bytes, Freeze](
    "bank.freeze",
    key=Address,
    value=Freeze,
    few=True,
    doc="Accounts that may not move money, with ground and expiry.",
)
EXPIRIES = Table[tuple[int, bytes], bool](
    "bank.expiry", key=(Time, Identifier), value=bool, derived=True, doc="Index: holds by when they expire."
)

FREEZE_EXPIRIES = Table[tuple[int, bytes], bool](
    "bank.freeze_expiry", key=(Time, Address), value=bool, derived=True, doc="Index: freezes by when they expire."
)
CURSOR = Table[str, int](
    "bank.cursor", key=Code, value=Time, derived=True, doc="Expiry up to which the schedule has looked, per index."
)

TABLES = (CURRENCIES, BALANCES, HELD, SUPPLY, HOLDS, FREEZES, EXPIRIES, FREEZE_EXPIRIES, CURSOR)
