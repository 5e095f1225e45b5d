"""Blocks on their way to the disk: sealed and written in order, and none upon one that failed."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from kerege.consensus.underway import UnderWay
from kerege.kernel.block import Block
from tests.kernel import toy
from tests.kernel.bench import Bench, address

PAY = toy.Pay(address("bob"), "KGS", 1)


class Overtaken:
    """The hashing of a block that ends just after it was asked for; that of the next block ends before it is."""

    def __init__(self, own: "Future[list[bytes]]", following: "Future[list[bytes]]") -> None:
        self.both = [own, following]
        self.asked = False

    def done(self) -> bool:
        asked, self.asked = self.asked, True
        wait(self.both)
        return asked


class Way:
    """Two executed blocks of a toy ledger under way."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.written: list[int] = []
        self.settled: list[int] = []
        self.go = threading.Event()
        self.failure: BaseException | None = None
        self.under_way = UnderWay(self.bench.machine, self.write, lambda: None)
        machine = self.bench.machine
        for _ in range(2):
            prepared = machine.prepare([self.bench.tx("alice", PAY)])
            executed = machine.execute(machine.last[0] + 1, self.bench.now + 1, prepared)
            self.under_way.enter(executed, self.settle)
        self.steps = list(self.under_way._steps)

    def settle(self, block: Block | None) -> None:
        assert block is not None
        self.settled.append(block.head.height)

    def write(self, block: Block) -> None:
        self.go.wait()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.written.append(block.head.height)

    def hash_all(self) -> None:
        wait([step.hashed for step in self.steps if step.hashed is not None])


@pytest.fixture
def way() -> Iterator[Way]:
    way = Way()
    yield way
    way.go.set()
    way.under_way.close()


def test_a_block_that_is_hashed_while_one_looks_is_not_sealed_before_the_one_before_it(way):
    first, second = way.steps
    first.hashed = Overtaken(first.hashed, second.hashed)
    way.go.set()
    way.under_way.advance()
    assert [step.block is None for step in way.steps] == [True, True]
    way.under_way.advance()
    assert [step.block.head.height for step in way.steps] == [1, 2]
    assert second.block.before is first.block.head
    wait([step.written for step in way.steps])
    way.under_way.advance()
    assert way.written == way.settled == [1, 2]


def test_nothing_is_written_upon_a_block_that_was_not(way):
    """Whatever went wrong with it: a second block waits for the disk by then."""
    way.hash_all()
    way.under_way.advance()
    assert all(step.written is not None for step in way.steps)
    way.failure = MemoryError("no room for a batch")
    way.go.set()
    wait([step.written for step in way.steps])
    for _ in range(2):
        with pytest.raises(MemoryError):
            way.under_way.advance()
    assert way.written == way.settled == []
