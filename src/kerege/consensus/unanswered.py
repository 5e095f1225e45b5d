"""What a node keeps of transactions without an answer: by bytes, id and turn, and what each sender has of them.

No thread is safe here: whoever uses it guards it.
"""

from collections.abc import Iterable

from kerege.consensus.embedded import Answer, Submission
from kerege.consensus.lines import MAXIMUM_OF_ONE
from kerege.consensus.shares import OF_A_POOL, Shares
from kerege.consensus.turns import Turn, turn_of
from kerege.kernel.transaction import Transaction

RETRY_AFTER = 1_000
"""Milliseconds after which what met a busy engine, or a full share, may be sent again."""
HELD_OF_ONE = 512
"""Transactions of one sender that may wait for those before them: what its clients sent side by side."""

Place = tuple[Submission, int]
"""A position of a submission."""


class Item:
    """A transaction without an answer, with those who wait for one."""

    __slots__ = (
        "accepting",
        "alone",
        "apart",
        "flying",
        "held_at",
        "held_since",
        "kept",
        "rank",
        "transaction",
        "waiters",
    )

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.waiters: list[Place] = []
        self.accepting: list[Place] = []
        """Who waits only until it is kept."""
        self.kept = False
        """Whether it is in the outbox."""
        self.flying = False
        """Whether the engine was, or is just about to be, given it."""
        self.rank = 0
        """Its class of law, or that of the one before it of its sender where that comes later."""
        self.alone = False
        """Whether the engine refused the parcel that it was in."""
        self.apart = False
        """Whether it counts for what its sender has waiting out of turn."""
        self.held_since: float | None = None
        """Since when it waits for the one before it."""
        self.held_at = -1
        """Height of the state in which that one was missing; -1 where it was not looked for."""

    @property
    def pending(self) -> Answer:
        """That it is accepted only."""
        return Answer(self.transaction.id, None, 0, 0, None)


class Unanswered:
    """All of them, until they are removed."""

    def __init__(self, maximum_bytes: int) -> None:
        """`maximum_bytes`: of all together, of which one sender has a share."""
        share = maximum_bytes // OF_A_POOL
        self._shares = Shares(MAXIMUM_OF_ONE, share, RETRY_AFTER)
        self._apart = Shares(HELD_OF_ONE, share // OF_A_POOL, RETRY_AFTER)
        self._items: dict[bytes, Item] = {}
        """By their bytes."""
        self._same_id: dict[bytes, list[Item]] = {}
        self._turns: dict[Turn, Item] = {}
        self.size = 0
        """Bytes of all."""
        self.flying = 0
        """Bytes of those that the engine has."""

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: Item) -> bool:
        return self._items.get(item.transaction.raw) is item

    def all(self) -> Iterable[Item]:
        """In the order in which they came; nothing may come or go meanwhile."""
        return self._items.values()

    def find(self, raw: bytes) -> Item | None:
        """What is kept of these bytes."""
        return self._items.get(raw)

    def of_id(self, identifier: bytes) -> list[Item]:
        """Those with a transaction's id: they differ in who signed, or how."""
        return list(self._same_id.get(identifier, ()))

    def check_share(self, transaction: Transaction) -> None:
        """Raise `TooManyWaiting` where it would be more than its sender's share."""
        self._shares.check(transaction)

    def add(self, transaction: Transaction) -> Item:
        """Keep one that is not kept yet."""
        item = self._items[transaction.raw] = Item(transaction)
        self._same_id.setdefault(transaction.id, []).append(item)
        self._turns.setdefault(turn_of(transaction), item)
        self._shares.add(transaction)
        self.size += len(transaction.raw)
        return item

    def remove(self, item: Item) -> bool:
        """Keep it no longer; False where it was not kept any more."""
        transaction = item.transaction
        if self._items.pop(transaction.raw, None) is None:
            return False
        self.land(item)
        self._take_turn(item)
        self._shares.remove(transaction)
        self.size -= len(transaction.raw)
        same = self._same_id[transaction.id]
        same.remove(item)
        if not same:
            del self._same_id[transaction.id]
        if self._turns.get(turn_of(transaction)) is item:
            del self._turns[turn_of(transaction)]
        return True

    # Turns

    def before(self, item: Item) -> Item | None:
        """The one for the turn before."""
        sender, lane, sequence = turn_of(item.transaction)
        return self._turns.get((sender, lane, sequence - 1))

    def has_rival(self, item: Item) -> bool:
        """Whether the engine has another one for the same turn."""
        other = self._turns.get(turn_of(item.transaction))
        return other is not None and other is not item and other.flying

    def fly(self, item: Item) -> None:
        """The engine is given it."""
        self._turns[turn_of(item.transaction)] = item
        self._take_turn(item)
        if not item.flying:
            item.flying, item.held_since, item.held_at = True, None, -1
            self.flying += len(item.transaction.raw)

    def land(self, item: Item) -> None:
        """The engine has it no longer."""
        if item.flying:
            item.flying = False
            self.flying -= len(item.transaction.raw)

    def check_out_of_turn(self, item: Item, expected: int) -> None:
        """Raise `TooManyOutOfTurn` where as many of its sender wait so as may, and this one is none of them."""
        if not item.apart:
            self._apart.check_out_of_turn(item.transaction, expected)

    def put_apart(self, item: Item) -> None:
        """It waits out of turn."""
        if not item.apart:
            item.apart = True
            self._apart.add(item.transaction)

    def _take_turn(self, item: Item) -> None:
        """It is not out of turn, or not here, any longer."""
        if item.apart:
            item.apart = False
            self._apart.remove(item.transaction)
