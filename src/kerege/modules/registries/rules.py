"""What a message will most likely read: a pure formula."""

from typing import Any

from kerege.kernel.tables import Table
from kerege.modules.registries.messages import ImportRecords
from kerege.modules.registries.state import RECORDS, UNIQUE


def rows_of_import(_sender: bytes, message: ImportRecords) -> tuple[tuple[Table[Any, Any], Any], ...]:
    """The rows that must not stand yet, of every record and key: asked for in one call where the cache misses them."""
    keys = [key for draft in message.drafts for key in draft.keys]
    return (
        *[(RECORDS, draft.record) for draft in message.drafts],
        *[(UNIQUE, key) for key in (*keys, *message.before)],
    )
