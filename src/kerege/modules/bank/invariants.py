"""Truths about money."""

from typing import Any

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.kernel.tables import Table
from kerege.modules.bank.state import BALANCES, EXPIRIES, FREEZE_EXPIRIES, FREEZES, HELD, HOLDS, SUPPLY

_ACCOUNT = 20
"""Bytes of an address."""


def _currency_at(table: Table[Any, Any]) -> int:
    """Where the currency begins in an encoded key: after the table's prefix and, but for the supply, the address."""
    return len(table.prefix) + (0 if table is SUPPLY else _ACCOUNT)


AMOUNTS = tuple((table.name, _currency_at(table), sign) for table, sign in ((BALANCES, 1), (HELD, 1), (SUPPLY, -1)))
"""Tables of amounts: name, where the currency begins in a key, and how a change counts."""


def _conserved(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """Balances and what is held change together by what the supply changes."""
    total: dict[bytes, int] = {}
    for name, at, sign in AMOUNTS:
        for key, before, now in differences.get(name, ()):
            currency = key[at:]
            total[currency] = total.get(currency, 0) + sign * ((now or 0) - (before or 0))
    return not any(total.values())


def _supply_equals_sum(ctx: Context) -> bool:
    """The supply of every currency is the sum of all balances and all that is held."""
    sums: dict[str, int] = {}
    for table in (BALANCES, HELD):
        for (_, currency), amount in ctx.scan(table):
            sums[currency] = sums.get(currency, 0) + amount
    return all(sums.pop(currency, 0) == supply for currency, supply in ctx.scan(SUPPLY)) and not any(sums.values())


def _holds_change_together(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """What is held changes by what the holds change."""
    total: dict[bytes, int] = {}
    for _, before, now in differences.get(HOLDS.name, []):
        for row, sign in ((before, -1), (now, 1)):
            if row is not None:
                key = HELD.encode_key((row.owner, row.currency))
                total[key] = total.get(key, 0) + sign * row.amount
    for key, before, now in differences.get(HELD.name, []):
        total[key] = total.get(key, 0) - (now or 0) + (before or 0)
    return not any(total.values())


def _holds_covered(ctx: Context) -> bool:
    """What is held of every account is the sum of its holds."""
    sums: dict[tuple[bytes, str], int] = {}
    for _, row in ctx.scan(HOLDS):
        key = (row.owner, row.currency)
        sums[key] = sums.get(key, 0) + row.amount
    return all(sums.pop(key, 0) == amount for key, amount in ctx.scan(HELD)) and not sums


INDEXES: tuple[tuple[Table[Any, Any], Table[Any, Any]], ...] = ((HOLDS, EXPIRIES), (FREEZES, FREEZE_EXPIRIES))
"""What expires, and the index by when."""


def _entered(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """What the holds and freezes changed, their indexes changed."""
    left: dict[bytes, int] = {}
    for table, index in INDEXES:
        for key, before, now in differences.get(table.name, []):
            for row, sign in ((before, -1), (now, 1)):
                if row is not None:
                    place = index.encode_key((row.expires, table.decode_key(key)))
                    left[place] = left.get(place, 0) + sign
        for key, before, now in differences.get(index.name, []):
            left[key] = left.get(key, 0) - (now is not None) + (before is not None)
    return not any(left.values())


def _all_entered(ctx: Context) -> bool:
    """Every hold and every freeze stands in its index under its expiry, and nothing else does."""
    return all(
        sorted((row.expires, key) for key, row in ctx.scan(table)) == [key for key, _ in ctx.scan(index)]
        for table, index in INDEXES
    )


INVARIANTS = (
    Invariant(
        name="bank.supply_equals_sum_of_balances",
        watches=(BALANCES, HELD, SUPPLY),
        cheap=_conserved,
        full=_supply_equals_sum,
    ),
    Invariant(name="bank.holds_are_covered", watches=(HELD, HOLDS), cheap=_holds_change_together, full=_holds_covered),
    Invariant(
        name="bank.expiries_are_due",
        watches=(HOLDS, EXPIRIES, FREEZES, FREEZE_EXPIRIES),
        cheap=_entered,
        full=_all_entered,
    ),
)
