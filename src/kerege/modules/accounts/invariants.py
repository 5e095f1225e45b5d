"""Truths about accounts."""

from operator import gt

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.accounts.state import ACCOUNTS, READY, RECOVERIES, USAGE
from kerege.modules.accounts.types import Account, Recovery


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
        if before is not None and any(map(gt, before.sequences, now.sequences)):
            return False
    return True


def _all_forward(ctx: Context) -> bool:
    return all(row.tokens >= 0 and row.entries >= 0 for _, row in ctx.scan(USAGE))


def _place(key: tuple[bytes, bytes], recovery: Recovery) -> bytes:
    return READY.encode_key((recovery.ready, *key))


def _entered(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """What the recoveries changed, the index changed."""
    left: dict[bytes, int] = {}
    for key, before, now in differences.get(RECOVERIES.name, []):
        for row, sign in ((before, -1), (now, 1)):
            if row is not None:
                place = _place(RECOVERIES.decode_key(key), row)
                left[place] = left.get(place, 0) + sign
    for key, before, now in differences.get(READY.name, []):
        left[key] = left.get(key, 0) - (now is not None) + (before is not None)
    return not any(left.values())


def _all_entered(ctx: Context) -> bool:
    places = sorted(_place(key, row) for key, row in ctx.scan(RECOVERIES))
    return places == [READY.encode_key(key) for key, _ in ctx.scan(READY)]


INVARIANTS = (
    Invariant(name="accounts.sound", watches=(ACCOUNTS,), cheap=_changed_sound, full=_all_sound),
    Invariant(name="accounts.sequences_forward", watches=(USAGE,), cheap=_forward, full=_all_forward),
    Invariant(name="accounts.recoveries_are_due", watches=(RECOVERIES, READY), cheap=_entered, full=_all_entered),
)
