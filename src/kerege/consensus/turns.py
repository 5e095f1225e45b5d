"""Turns: the transactions of one sender and lane run in the order of their sequences, whatever way they came."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from kerege.kernel.context import Context
from kerege.kernel.ports import SenderPort
from kerege.kernel.transaction import Transaction

Turn = tuple[bytes, int, int]
"""(sender, lane, sequence)."""


class HasTransaction(Protocol):
    """Anything that carries a transaction."""

    @property
    def transaction(self) -> Transaction:
        """The one it carries."""


T = TypeVar("T", bound=HasTransaction)


def turn_of(transaction: Transaction) -> Turn:
    """Whose turn a transaction is."""
    body = transaction.body
    return body.sender, body.lane, body.sequence


def in_turn(things: Iterable[T]) -> list[T]:
    """Each place stays its sender's; in a sender's own places its transactions come in the order of their sequences."""
    placed = list(things)
    places: dict[tuple[bytes, int], list[int]] = {}
    for position, thing in enumerate(placed):
        body = thing.transaction.body
        places.setdefault((body.sender, body.lane), []).append(position)
    for positions in places.values():
        if len(positions) > 1:
            own = sorted((placed[position] for position in positions), key=lambda each: each.transaction.body.sequence)
            for position, thing in zip(positions, own, strict=True):
                placed[position] = thing
    return placed


class Reached:
    """How far each sender's transactions come in a block, by the state before it and by what was put into it so far.

    `is_signed` tells of a transaction's bytes whether its sender is known to have signed them: what a stranger put into
    a parcel in another's name closes no turn for what that sender has signed.
    """

    def __init__(self, ctx: Context, is_signed: Callable[[bytes], bool]) -> None:
        self._time = ctx.time
        self._senders = ctx.port(SenderPort)
        self._is_signed = is_signed
        self._turns: dict[tuple[bytes, int], tuple[int, int]] = {}
        """Sender and lane → the turn that is reached surely, and the one that may be."""

    def by(self, transactions: Iterable[Transaction]) -> bool:
        """Put these into the block, in order, where any of them may run."""
        runs = [self._by(transaction) for transaction in transactions]
        return True in runs

    def _by(self, transaction: Transaction) -> bool:
        body = transaction.body
        whose = body.sender, body.lane
        turns = self._turns.get(whose)
        if turns is None:
            expected = self._senders.next_sequence(*whose)
            turns = self._turns[whose] = expected, expected
        surely, perhaps = turns
        turn = body.sequence
        if not surely <= turn <= perhaps or body.valid_until < self._time:
            return False
        after = turn + 1
        sure = turn == surely and self._is_signed(transaction.raw)
        self._turns[whose] = after if sure else surely, max(perhaps, after)
        return True
