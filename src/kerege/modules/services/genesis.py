"""What services holds before the first block: the definitions of the nation's pack."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.modules.services.keeper import Cases


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Definitions published at genesis."""

    definitions: list[bytes]
    """Canonical bytes, in order of publication."""


def load(ctx: Context, genesis: Genesis) -> None:
    """Publish each definition."""
    for raw in genesis.definitions:
        ctx.use(Cases).publish(raw)
