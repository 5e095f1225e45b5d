"""What one sender may have waiting: a share of a pool, so that nobody's flood takes the place of the others."""

from kerege.kernel.errors import TooManyOutOfTurn, TooManyWaiting
from kerege.kernel.transaction import Transaction

OF_A_POOL = 4
"""One sender may fill a pool's bytes to one part in so many."""


class Shares:
    """How much of each sender waits, and how much of one may: the first of a sender whatever its size."""

    def __init__(self, number: int, size: int, retry_after: int, each: int = 0) -> None:
        self._number = number
        self._size = size
        self._retry_after = retry_after
        self._each = each
        """What a transaction counts for beside its bytes."""
        self._held: dict[bytes, tuple[int, int]] = {}
        """Sender → transactions that wait, and what they count for."""

    def is_full(self, transaction: Transaction) -> bool:
        """Whether this one would be more than its sender's share."""
        held = self._held.get(transaction.body.sender)
        if held is None:
            return False
        return held[0] >= self._number or held[1] + len(transaction.raw) + self._each > self._size

    def check(self, transaction: Transaction) -> None:
        """Raise `TooManyWaiting` where it would be more than its sender's share."""
        if self.is_full(transaction):
            sender = transaction.body.sender
            waiting, size = self._held[sender]
            raise TooManyWaiting(
                sender=sender,
                waiting=waiting,
                size=size,
                limit=self._number,
                limit_size=self._size,
                retry_after=self._retry_after,
            )

    def check_out_of_turn(self, transaction: Transaction, expected: int) -> None:
        """Raise `TooManyOutOfTurn` where this is the share of what has no turn yet; `expected`: whose turn it is."""
        if self.is_full(transaction):
            body = transaction.body
            raise TooManyOutOfTurn(
                sender=body.sender,
                lane=body.lane,
                sequence=body.sequence,
                expected=expected,
                waiting=self._held[body.sender][0],
                limit=self._number,
                retry_after=self._retry_after,
            )

    def take(self, transaction: Transaction) -> None:
        """It waits from now on; raises `TooManyWaiting` where it would be more than its sender's share."""
        sender, size = transaction.body.sender, len(transaction.raw) + self._each
        held = self._held.get(sender)
        if held is None:
            self._held[sender] = 1, size
            return
        self.check(transaction)
        self._held[sender] = held[0] + 1, held[1] + size

    def add(self, transaction: Transaction) -> None:
        """It waits, be it more than the share."""
        sender = transaction.body.sender
        number, size = self._held.get(sender, (0, 0))
        self._held[sender] = number + 1, size + len(transaction.raw) + self._each

    def remove(self, transaction: Transaction) -> None:
        """It waits no longer."""
        sender = transaction.body.sender
        number, size = self._held.pop(sender)
        if number > 1:
            self._held[sender] = number - 1, size - len(transaction.raw) - self._each
