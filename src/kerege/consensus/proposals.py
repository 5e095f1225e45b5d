"""Which transactions go into a block, and in which order: what a proposer chooses, and what the others accept.

Priority is a matter of law, not of fees: classes of messages stand in the dated parameter `kernel.proposal_classes`,
and nobody can pay for a better one. What the engine carries goes in whole or not at all, its bytes as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kerege.consensus.entries import Entry
from kerege.consensus.pool import Pool
from kerege.consensus.turns import Reached, in_turn
from kerege.kernel.context import Context
from kerege.kernel.errors import NotATransaction
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.ports import ParameterPort
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Transaction

CLASSES = "kernel.proposal_classes"
"""Parameter: rows `message=class`, class 0 first; a name that ends in a dot stands for all messages of a module."""
OTHERWISE = 5
"""Class of messages that the parameter does not name."""
LAG = 2_000
"""Milliseconds by which block time may lag behind the proposer's clock before transactions wait for the next block.

After an idle time the first block carries the time at which the idleness began; the one after it has the right time.
One empty block is enough: where blocks take longer than this, time always lags, and nothing would ever run.
"""
MAXIMUM_BYTES = 2 * 1024 * 1024
"""Of a block, encoded: about a second's work of a network; the engine's own bound may lie higher."""
PASSES = 2
"""Over what waits, for one proposal."""
_VARINT_BITS = 7


class Classes:
    """A table of classes; which one a kind of message has is looked up once."""

    def __init__(self, table: Mapping[str, int]) -> None:
        self.table = table
        self._of: dict[type[Message], int] = {}

    def of(self, transaction: Transaction) -> int:
        """The class of a transaction: the last of its messages'."""
        last = 0
        for message in transaction.body.messages:
            found = self._of.get(type(message))
            last = max(last, self._look_up(type(message)) if found is None else found)
        return last

    def _look_up(self, kind: type[Message]) -> int:
        tag = tag_of(kind)
        module = tag.partition(".")[0] + "."
        found = self._of[kind] = self.table.get(tag, self.table.get(module, OTHERWISE))
        return found


def classes_at(ctx: Context) -> dict[str, int]:
    """The table in force; what was enacted by mistake is none, for it must not stop every proposer at once."""
    rows = ctx.port(ParameterPort).find(CLASSES, ctx.time)
    told = (str(row).partition("=") for row in (rows if isinstance(rows, list | tuple) else ()))
    return {name: int(value) for name, _, value in told if value.isdecimal()}


class Proposals:
    """Proposals of one machine. Reads the newest state; changes nothing."""

    def __init__(self, machine: Machine, pool: Pool, now: Callable[[], int]) -> None:
        self._machine = machine
        self._pool = pool
        self._now = now
        self._classes = Classes({})

    def prepare(self, raws: Sequence[bytes], time: int, maximum_bytes: int) -> list[bytes]:
        """The pool's bytes, unchanged: what cannot run and what is repeated left out, first classes first, up to bytes
        and weight.

        A sender's own order is kept among single ones: what waits behind one of a later class waits with it. A parcel
        has the last of its transactions' classes. Nothing takes a place before its turn: what is behind something that
        stands later comes after that, and what is behind nothing that waits stays in the pool. Empty where `time` lags,
        unless the block before was for that.
        """
        if self._now() - time > LAG and not self._pool.passed_over:
            return []
        chosen: list[bytes] = []
        brought = set[bytes]()
        size, weight = 0, 0
        for entry in self._in_turn(self._in_order(self._alive(raws, time), time), time):
            if not _brings_new(brought, [transaction.raw for transaction in entry.transactions]):
                continue
            size += _encoded(len(entry.raw))
            weight += entry.weight
            if size > min(maximum_bytes, MAXIMUM_BYTES) or weight > MAXIMUM_BLOCK_WEIGHT:
                break
            chosen.append(entry.raw)
        return chosen

    def sound(self, raws: Sequence[bytes]) -> list[Entry] | None:
        """The block opened; None where no honest proposer may have made it: each brings something, within the budget.

        From the bytes alone. What is expired, badly signed or out of sequence by now is left out when it is executed.
        """
        entries, brought, size, weight = list[Entry](), set[bytes](), 0, 0
        for raw in raws:
            try:
                entry = self._pool.entry(raw)
            except NotATransaction:
                return None
            size += _encoded(len(raw))
            weight += entry.weight
            new = _brings_new(brought, [transaction.raw for transaction in entry.transactions])
            if not new or size > MAXIMUM_BYTES or weight > MAXIMUM_BLOCK_WEIGHT:
                return None
            entries.append(entry)
        return entries

    def _alive(self, raws: Sequence[bytes], time: int) -> Iterator[Entry]:
        """What can bring a transaction into a block of this time."""
        for raw in raws:
            try:
                entry = self._pool.entry(raw)
            except NotATransaction:
                continue
            if entry.until >= time and not entry.worthless:
                yield entry

    def _in_turn(self, entries: list[Entry], time: int) -> Iterator[Entry]:
        """Those of which something runs after those before; twice, for what stands before what it is behind."""
        reached = Reached(self._machine.context(time))
        for _ in range(PASSES):
            behind = list[Entry]()
            for entry in entries:
                if reached.by(entry.transactions):
                    yield entry
                else:
                    behind.append(entry)
            entries = behind

    def _in_order(self, entries: Iterator[Entry], time: int) -> list[Entry]:
        classes = self._classes_at(time)
        placed: list[tuple[int, int, Entry]] = []
        singles: list[tuple[int, Entry]] = []
        for position, entry in enumerate(entries):
            if entry.parcel is None:
                singles.append((position, entry))
            else:
                placed.append((_rank(classes, entry), position, entry))
        reached: dict[tuple[bytes, int], int] = {}
        for (position, _), entry in zip(singles, in_turn(entry for _, entry in singles), strict=True):
            body = entry.transaction.body
            sender = (body.sender, body.lane)
            reached[sender] = max(reached.get(sender, 0), _rank(classes, entry))
            placed.append((reached[sender], position, entry))
        return [entry for *_, entry in sorted(placed, key=lambda each: each[:2])]

    def _classes_at(self, time: int) -> Classes:
        """The table in force; the same object while it does not change, so that entries remember their class."""
        found = classes_at(self._machine.context(time))
        if found != self._classes.table:
            self._classes = Classes(found)
        return self._classes


def _rank(classes: Classes, entry: Entry) -> int:
    """The class of an entry: the last of its transactions'."""
    if entry.ranked_by is not classes:
        entry.rank = max(map(classes.of, entry.transactions))
        entry.ranked_by = classes
    return entry.rank


def _brings_new(brought: set[bytes], raws: list[bytes]) -> bool:
    """Whether any of these was not brought before; counts them as brought."""
    before = len(brought)
    brought.update(raws)
    return len(brought) > before


def _encoded(length: int) -> int:
    """Bytes of a transaction in the engine's block: one for the field, the length as a varint, itself."""
    return 1 + max(1, -(-length.bit_length() // _VARINT_BITS)) + length
