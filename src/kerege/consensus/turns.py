"""Turns: the transactions of one sender and lane run in the order of their sequences, whatever way they came."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

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
