"""Chunks are sealed and entered side by side, in order, once they are durable, and none follows one that was not."""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

import pytest

from kerege.gateways.extracts.keeping import TOGETHER, Keeping
from kerege.gateways.extracts.row import Row

Step = Callable[[int], int]


def row(number: int) -> Row:
    empty = dict.fromkeys(name for name in Row.__struct_fields__ if name not in ("number", "raw", "damaged", "cells"))
    return Row(**(empty | {"number": number}))  # type: ignore[arg-type]


class Told:
    """What was entered and what was told, in order."""

    def __init__(self) -> None:
        self.sealed: list[int] = []
        self.durable = 0
        """So many of those that are sealed."""
        self.entered: list[int] = []
        self.kept: list[int] = []

    def keeping(self) -> Keeping[int]:
        return Keeping(self.make_durable, self.enter, self.keep)

    def make_durable(self) -> None:
        self.durable = len(self.sealed)

    def begin(self, keeping: Keeping[int], number: int, seal: Step | None = None) -> None:
        keeping.begin(lambda: number, seal or self.seal, [row(number)], [])

    def seal(self, number: int) -> int:
        self.sealed.append(number)
        return number

    def enter(self, numbers: Sequence[int]) -> None:
        assert set(numbers) <= set(self.sealed[: self.durable])
        self.entered += numbers

    def keep(self, rows: Sequence[Row], _: object) -> None:
        self.kept.append(rows[0].number)


def test_chunks_are_entered_and_told_in_their_order() -> None:
    told = Told()
    with told.keeping() as keeping:
        for number in range(2 * TOGETHER + 1):
            told.begin(keeping, number)
            assert keeping.first_row() == max(0, number // TOGETHER - 1) * TOGETHER
        keeping.settle()
    assert told.entered == told.kept == list(range(2 * TOGETHER + 1))


def test_a_chunk_is_sealed_while_the_ones_before_are_entered() -> None:
    told, sealed, waited = Told(), Event(), []

    def seal(number: int) -> int:
        sealed.set()
        return told.seal(number)

    def enter(numbers: Sequence[int]) -> None:
        waited.append(sealed.wait(20))
        told.enter(numbers)

    with Keeping(told.make_durable, enter, lambda *_: None) as keeping:
        for number in range(TOGETHER):
            told.begin(keeping, number)
        told.begin(keeping, TOGETHER, seal)
        keeping.settle()
    assert waited == [True, True]
    assert told.entered == list(range(TOGETHER + 1))


@pytest.mark.parametrize("broken", ["admit", "seal", "enter"])
def test_none_is_entered_after_one_that_was_not(broken: str) -> None:
    """The ones that are entered together with it are not either."""
    told = Told()

    def do(step: str, number: int) -> int:
        if (broken, TOGETHER + 1) == (step, number):
            raise ZeroDivisionError
        return number

    def enter(numbers: Sequence[int]) -> None:
        for number in numbers:
            do("enter", number)
        told.enter(numbers)

    def keep() -> None:
        with Keeping(told.make_durable, enter, told.keep) as keeping:
            for number in range(3 * TOGETHER):
                admit, seal = partial(do, "admit", number), lambda number: told.seal(do("seal", number))
                keeping.begin(admit, seal, [row(number)], [])
            keeping.settle()

    with pytest.raises(ZeroDivisionError):
        keep()
    assert told.entered == told.kept == list(range(TOGETHER))


def test_nothing_is_entered_that_cannot_be_made_durable() -> None:
    told = Told()

    def fail() -> None:
        raise ZeroDivisionError

    def keep() -> None:
        with Keeping(fail, told.enter, told.keep) as keeping:
            told.begin(keeping, 0)
            keeping.settle()

    with pytest.raises(ZeroDivisionError):
        keep()
    assert (told.sealed, told.entered, told.kept) == ([0], [], [])
