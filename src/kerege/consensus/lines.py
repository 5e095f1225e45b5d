"""Lines: what waits of each sender and lane, and how far of it can run one after another.

*In line* is the first that waits for each turn from the state's next one on, up to the first turn for which nothing
waits. All else is *out of turn*: beyond such a gap, or for a turn that another one waits for. It can run in no block as
things stand, so that little of it may wait, and not for long.

Only what its sender has signed is counted: what a stranger says in another's name takes nobody's place.
"""

from kerege.consensus.shares import OF_A_POOL, Shares
from kerege.kernel.transaction import Transaction

MAXIMUM_OF_ONE = 4_096
"""Transactions of one sender that may wait: what a network runs in about a second."""
OUT_OF_TURN = 64
"""Of one sender that may wait out of turn: neighbours in a line may come by different ways."""
OUT_OF_TURN_BYTES = 256 * 1024


class _Line:
    """One sender's and lane's."""

    __slots__ = ("reach", "turns")

    def __init__(self, expected: int) -> None:
        self.turns: dict[int, list[Transaction]] = {}
        """Sequence → what waits for it, oldest first."""
        self.reach = expected
        """The first turn for which nothing waits."""


class Lines:
    """The lines of one pool. `expected` is always the lane's next sequence by the state as it stands."""

    def __init__(self, pool_bytes: int, retry_after: int, out_of_turn: int = OUT_OF_TURN) -> None:
        self._shares = Shares(MAXIMUM_OF_ONE, pool_bytes // OF_A_POOL, retry_after)
        self._apart = Shares(out_of_turn, OUT_OF_TURN_BYTES, retry_after)
        self._out: set[bytes] = set()
        """Bytes of what waits out of turn."""
        self._lines: dict[tuple[bytes, int], _Line] = {}
        self._counted: set[bytes] = set()

    def is_counted(self, raw: bytes) -> bool:
        """Whether these bytes wait, known to be signed by their sender."""
        return raw in self._counted

    def check_share(self, transaction: Transaction) -> None:
        """Raise `TooManyWaiting` where as much of its sender waits as may."""
        self._shares.check(transaction)

    def check(self, transaction: Transaction, expected: int) -> None:
        """Raise `TooManyWaiting`, or `TooManyOutOfTurn` where it is out of turn and as many of those wait as may."""
        self._shares.check(transaction)
        reach = self._reach(transaction, expected)
        if transaction.body.sequence != reach:
            self._apart.check_out_of_turn(transaction, reach)

    def may_run(self, transaction: Transaction, expected: int) -> bool:
        """Whether its turn is the state's next, or comes after those that wait."""
        return expected <= transaction.body.sequence <= self._reach(transaction, expected)

    def add(self, transaction: Transaction, expected: int) -> None:
        """It waits."""
        body = transaction.body
        line = self._lines.get((body.sender, body.lane))
        if line is None:
            line = self._lines[body.sender, body.lane] = _Line(expected)
        self._counted.add(transaction.raw)
        self._shares.add(transaction)
        turn = self._advance(line, expected)
        line.turns.setdefault(body.sequence, []).append(transaction)
        if body.sequence == turn:
            line.reach += 1
            self._advance(line, expected)
        else:
            self._put_out(transaction)

    def remove(self, transaction: Transaction) -> None:
        """It waits no longer; nothing where it was not counted."""
        if transaction.raw not in self._counted:
            return
        self._counted.remove(transaction.raw)
        self._shares.remove(transaction)
        body = transaction.body
        line = self._lines[body.sender, body.lane]
        held = line.turns[body.sequence] = [
            other for other in line.turns[body.sequence] if other.raw != transaction.raw
        ]
        if not held:
            del line.turns[body.sequence]
        if transaction.raw in self._out:
            self._take_in(transaction)
        elif held:
            self._take_in(held[0])
        else:
            self._fall_back(line, body.sequence)
        if not line.turns:
            del self._lines[body.sender, body.lane]

    def _reach(self, transaction: Transaction, expected: int) -> int:
        line = self._lines.get((transaction.body.sender, transaction.body.lane))
        return expected if line is None else self._advance(line, expected)

    def _advance(self, line: _Line, expected: int) -> int:
        """The first turn for which nothing waits: what comes before it is in line."""
        line.reach = max(line.reach, expected)
        while held := line.turns.get(line.reach):
            self._take_in(held[0])
            line.reach += 1
        return line.reach

    def _fall_back(self, line: _Line, sequence: int) -> None:
        """The line is broken here, as far as is known: what comes behind is out of turn."""
        for turn in range(sequence + 1, line.reach):
            for transaction in line.turns.get(turn, ()):
                self._put_out(transaction)
        line.reach = min(line.reach, sequence)

    def _put_out(self, transaction: Transaction) -> None:
        if transaction.raw not in self._out:
            self._out.add(transaction.raw)
            self._apart.add(transaction)

    def _take_in(self, transaction: Transaction) -> None:
        if transaction.raw in self._out:
            self._out.remove(transaction.raw)
            self._apart.remove(transaction)
