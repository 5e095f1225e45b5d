"""Truths about authority."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.authority.rules import set_hash
from kerege.modules.authority.state import (
    APPOINTMENTS,
    APPOINTMENTS_OF,
    BOARDS,
    NODE_KEYS,
    VALIDATORS,
    VALIDATORS_NEWEST,
)
from kerege.modules.authority.types import Board, ValidatorSet


def _board_sound(board: Board | None) -> bool:
    """A board is never removed, and its threshold can be met."""
    return board is not None and 1 <= board.threshold <= len(board.members)


def _boards(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return all(_board_sound(now) for _, _, now in differences.get(BOARDS.name, []))


def _all_boards(ctx: Context) -> bool:
    return all(_board_sound(row) for _, row in ctx.scan(BOARDS))


def _appointments(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """An appointment is never removed, and what was ended stays ended."""
    changed = differences.get(APPOINTMENTS.name, [])
    return all(now is not None and (before is None or before.ended is None) for _, before, now in changed)


def _index_whole(ctx: Context) -> bool:
    """The index holds just the appointments that were not ended."""
    rows = sorted((row.account, key) for key, row in ctx.scan(APPOINTMENTS) if row.ended is None)
    return rows == [key for key, _ in ctx.scan(APPOINTMENTS_OF)]


def _set_sound(row: ValidatorSet | None) -> bool:
    """A set is never removed nor empty, and its hash is its own."""
    return row is not None and bool(row.validators) and row.hash == set_hash(row.validators)


def _sets(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    return all(_set_sound(now) for _, _, now in differences.get(VALIDATORS.name, []))


def _all_sets(ctx: Context) -> bool:
    """All of them; the newest is the last one, and its keys count."""
    sets = list(ctx.scan(VALIDATORS))
    newest = [since for _, since in ctx.scan(VALIDATORS_NEWEST)]
    if newest != [since for since, _ in sets[-1:]]:
        return False
    live = {key for key, row in ctx.scan(NODE_KEYS) if row.until is None}
    seated = [key for _, row in sets[-1:] for v in row.validators for key in (v.consensus_key, v.checkpoint_key)]
    return all(_set_sound(row) for _, row in sets) and all(key in live for key in seated)


INVARIANTS = (
    Invariant(name="authority.boards_can_act", watches=(BOARDS,), cheap=_boards, full=_all_boards),
    Invariant(name="authority.appointments_stay", watches=(APPOINTMENTS,), cheap=_appointments, full=_index_whole),
    Invariant(name="authority.somebody_signs", watches=(VALIDATORS,), cheap=_sets, full=_all_sets),
)
