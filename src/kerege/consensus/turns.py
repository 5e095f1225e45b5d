"""Turns: the transactions of one sender and lane run in the order of their sequences, whatever way they came."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from kerege.kernel.context import Context
from kerege.kernel.errors import NotATransaction
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


def is_signed(senders: SenderPort, transaction: Transaction) -> bool:
    """Whether the sender is known to have signed it."""
    if not transaction.signed:
        return False
    witness = transaction.witness
    try:
        senders.check_sender(transaction.body.sender, witness.kind, witness.key)
    except NotATransaction:
        return False
    return True


class Reached:
    """How far each sender's transactions come in a block, by the state before it and by what was put into it so far.

    What a stranger put into a parcel in another's name closes no turn for what that sender has signed.
    """

    def __init__(self, ctx: Context) -> None:
        self._time = ctx.time
        self._senders = ctx.port(SenderPort)
        self._turns: dict[tuple[bytes, int], tuple[int, int, Transaction | None]] = {}
        """Sender and lane → the turn that is reached surely, the one that may be, and what was put in for the first of
        these: whether its sender signed it is asked when somebody comes behind it.
        """

    def by(self, transactions: Iterable[Transaction]) -> bool:
        """Put these into the block, in order, where any of them may run."""
        runs = [self._by(transaction) for transaction in transactions]
        return True in runs

    def _by(self, transaction: Transaction) -> bool:
        body = transaction.body
        whose = body.sender, body.lane
        turn, turns = body.sequence, self._turns.get(whose)
        if turns is None:
            surely = perhaps = self._senders.next_sequence(*whose)
        else:
            surely, perhaps, put_in = turns
            if put_in is not None and is_signed(self._senders, put_in):
                surely += 1
        runs = surely <= turn <= perhaps and body.valid_until >= self._time
        if runs:
            perhaps = max(perhaps, turn + 1)
        self._turns[whose] = surely, perhaps, transaction if runs and turn == surely else None
        return runs
