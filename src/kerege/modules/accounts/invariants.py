"""Truths about accounts."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.accounts.state import ACCOUNTS, USAGE
from kerege.modules.accounts.types import Account


def _sound(account: Account | None) -> bool:
    """An account is never removed, keeps a key, and its threshold can be met."""
    return account is not None and bool(account.keys) and account.threshold <= len(account.guardians)


def _changed_sound(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return all(_sound(now) for _, _, now in differences.get(ACCOUNTS.name, []))


def _all_sound(ctx: Context) -> bool:
    return all(_sound(row) for _, row in ctx.scan(ACCOUNTS))


def _forward(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """Sequences never go back, tokens and entries are never negative."""
    for _, before, now in differences.get(USAGE.name, []):
        if now is None or now.tokens < 0 or now.entries < 0:
            return False
        if before is not None and any(b > n for b, n in zip(before.sequences, now.sequences, strict=False)):
            return False
    return True


def _all_forward(ctx: Context) -> bool:
    return all(row.tokens >= 0 and row.entries >= 0 for _, row in ctx.scan(USAGE))


INVARIANTS = (
    Invariant(name="accounts.sound", watches=(ACCOUNTS,), cheap=_changed_sound, full=_all_sound),
    Invariant(name="accounts.sequences_forward", watches=(USAGE,), cheap=_forward, full=_all_forward),
)
