"""Currencies and balances before the first block."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.kernel.types import Address, Currency, Positive
from kerege.modules.bank.keeper import Supply
from kerege.modules.bank.types import CurrencyRow


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Money of the nation's pack."""

    currencies: list[tuple[Currency, CurrencyRow]]
    """Units of account."""
    balances: list[tuple[Address, Currency, Positive]]
    """Units that exist from the start."""


def load(ctx: Context, genesis: Genesis) -> None:
    """Register currencies and create the balances."""
    supply = ctx.use(Supply)
    for code, row in genesis.currencies:
        supply.register_currency(code, row)
    for account, currency, amount in genesis.balances:
        supply.create(account, currency, amount)
