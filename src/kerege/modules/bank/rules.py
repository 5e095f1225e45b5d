"""What a transfer reads: a pure formula."""

from typing import Any

from kerege.kernel.tables import Table
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.state import BALANCES, FREEZES


def rows_of_transfer(sender: bytes, message: Transfer) -> tuple[tuple[Table[Any, Any], Any], ...]:
    """Both balances and both freezes: fetched ahead in one call where the cache misses them."""
    return (
        (BALANCES, (sender, message.currency)),
        (BALANCES, (message.to, message.currency)),
        (FREEZES, sender),
        (FREEZES, message.to),
    )
