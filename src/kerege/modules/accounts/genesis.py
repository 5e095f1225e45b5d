"""Accounts that are open before the first block."""

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.modules.accounts.keeper import Accounts
from kerege.modules.accounts.types import AccountKind, KeyBytes, KeyKind


class Founding(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An account open from the start."""

    kind: AccountKind
    """What it is for."""
    key_kind: KeyKind
    """Kind of its key."""
    key: KeyBytes
    """Its public key."""


class Genesis(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Accounts open from the start."""

    accounts: list[Founding]
    """In the order of opening."""


def load(ctx: Context, genesis: Genesis) -> None:
    """Open each account."""
    accounts = ctx.use(Accounts)
    for founding in genesis.accounts:
        accounts.open(founding.kind, founding.key_kind, founding.key, sponsor=None, opener="")
