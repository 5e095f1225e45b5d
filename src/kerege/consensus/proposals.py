"""Which transactions go into a block, and in which order: what a proposer chooses, and what the others accept.

Priority is a matter of law, not of fees: classes of messages stand in the dated parameter `kernel.proposal_classes`,
and nobody can pay for a better one.
"""

from collections.abc import Callable, Iterator, Sequence

from kerege.kernel.errors import NotATransaction
from kerege.kernel.machine import Machine
from kerege.kernel.messages import tag_of
from kerege.kernel.ports import ParameterPort
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Transaction

CLASSES = "kernel.proposal_classes"
"""Parameter: rows `message=class`, class 0 first; a name that ends in a dot stands for all messages of a module."""
OTHERWISE = 5
"""Class of messages that the parameter does not name."""
LAG = 3_000
"""Milliseconds by which block time may lag behind the proposer's clock before transactions wait for the next block.

After an idle time the first block carries the time at which the idleness began; the one after it has the right time.
"""
_VARINT_BITS = 7


class Proposals:
    """Proposals of one machine. Reads the newest state; changes nothing."""

    def __init__(self, machine: Machine, now: Callable[[], int]) -> None:
        self._machine = machine
        self._now = now

    def prepare(self, raws: Sequence[bytes], time: int, maximum_bytes: int) -> list[bytes]:
        """The pool's bytes, unchanged: duplicates and expired left out, first classes first, up to bytes and weight.

        A sender's own order is kept: what waits behind one of a later class waits with it. Empty while `time` lags.
        """
        if self._now() - time > LAG:
            return []
        chosen: list[bytes] = []
        size, weight = 0, 0
        for transaction in self._in_order(self._known(raws, time), time):
            size += _encoded(len(transaction.raw))
            weight += transaction.weight
            if size > maximum_bytes or weight > MAXIMUM_BLOCK_WEIGHT:
                break
            chosen.append(transaction.raw)
        return chosen

    def is_sound(self, raws: Sequence[bytes]) -> bool:
        """Whether an honest proposer may have made this block: each a transaction, none twice, within the budget.

        From the bytes alone. What is expired, badly signed or out of sequence by now is left out when it is executed.
        """
        seen, weight = set[bytes](), 0
        for raw in raws:
            try:
                transaction = self._machine.decode(raw)
            except NotATransaction:
                return False
            weight += transaction.weight
            if transaction.id in seen or weight > MAXIMUM_BLOCK_WEIGHT:
                return False
            seen.add(transaction.id)
        return True

    def _known(self, raws: Sequence[bytes], time: int) -> Iterator[Transaction]:
        """What can be a transaction in a block of this time, each once."""
        seen = set[bytes]()
        for raw in raws:
            try:
                transaction = self._machine.decode(raw)
            except NotATransaction:
                continue
            if transaction.id not in seen and transaction.body.valid_until >= time:
                seen.add(transaction.id)
                yield transaction

    def _in_order(self, transactions: Iterator[Transaction], time: int) -> list[Transaction]:
        classes = self._classes(time)
        reached: dict[tuple[bytes, int], int] = {}
        placed: list[tuple[int, Transaction]] = []
        for transaction in transactions:
            body = transaction.body
            sender = (body.sender, body.lane)
            own = max(_class_of(classes, tag_of(message)) for message in body.messages)
            reached[sender] = max(reached.get(sender, 0), own)
            placed.append((reached[sender], transaction))
        return [transaction for _, transaction in sorted(placed, key=lambda pair: pair[0])]

    def _classes(self, time: int) -> dict[str, int]:
        rows = self._machine.context().port(ParameterPort).find(CLASSES, time) or ()
        told = (str(row).partition("=") for row in rows)
        return {name: int(value) for name, _, value in told if value.isdecimal()}


def _class_of(classes: dict[str, int], tag: str) -> int:
    module = tag.partition(".")[0] + "."
    return classes.get(tag, classes.get(module, OTHERWISE))


def _encoded(length: int) -> int:
    """Bytes of a transaction in the engine's block: one for the field, the length as a varint, itself."""
    return 1 + max(1, -(-length.bit_length() // _VARINT_BITS)) + length
