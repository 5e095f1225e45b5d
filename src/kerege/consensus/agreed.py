"""What a replicated engine and a store agree on: rows of `Area.META` that are no part of the ledger, as roots go."""

from msgspec import Struct

from kerege.consensus import rows
from kerege.kernel.codec import decode
from kerege.kernel.types import Hash, Height
from kerege.storage.port import Area, Store


class Agreed(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-agreed/1"):
    """The last decided block that is durable here, empty ones included, of which the ledger itself keeps nothing."""

    height: Height
    app_hash: Hash


def read_agreed(store: Store) -> Agreed | None:
    """Where engine and store stand together; None before genesis."""
    raw = store.get(Area.META, rows.AGREED)
    return None if raw is None else decode(raw, Agreed)
