"""Chunks are sealed and entered side by side, in order, once they are durable, and none follows one that was not."""

from collections.abc import Callable
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

    def keeping(self) -> Keeping:
        return Keeping(self.make_durable, lambda rows, _: self.kept.append(rows[0].number))

    def make_durable(self) -> None:
        self.durable = len(self.sealed)

    def begin(self, keeping: Keeping, number: int, seal: Step | None = None) -> None:
        keeping.begin(lambda: number, seal or self.seal, self.enter, [row(number)], [])

    def seal(self, number: int) -> int:
        self.sealed.append(number)
        return number

    def enter(self, number: int) -> None:
        assert number in self.sealed[: self.durable]
        self.entered.append(number)


def test_chunks_are_entered_and_told_in_their_order() -> None:
    told = Told()
    with told.keeping() as keeping:
        for number in range(2 * TOGETHER + 1):
            told.begin(keeping, number)
            assert keeping.first_row() == max(0, number // TOGETHER - 1) * TOGETHER
        keeping.settle()
    assert told.entered == told.kept == list(range(2 * TOGETHER + 1))


def test_a_chunk_is_sealed_while_the_one_before_is_entered() -> None:
    told, sealed = Told(), Event()

    def seal(number: int) -> int:
        sealed.set()
        return told.seal(number)

    with told.keeping() as keeping:
        keeping.begin(lambda: 0, told.seal, lambda _: told.entered.append(int(sealed.wait(20))), [row(0)], [])
        for number in range(1, TOGETHER):
            told.begin(keeping, number)
        told.begin(keeping, TOGETHER, seal)
        keeping.settle()
    assert told.entered == [1, *range(1, TOGETHER + 1)]


@pytest.mark.parametrize("broken", ["admit", "seal", "enter"])
def test_none_is_entered_after_one_that_was_not(broken: str) -> None:
    told = Told()

    def fail_in(step: str, *_: object) -> None:
        if broken == step:
            raise ZeroDivisionError

    def keep() -> None:
        with told.keeping() as keeping:
            for number in range(TOGETHER):
                told.begin(keeping, number)
            admit, seal, enter = (partial(fail_in, step) for step in ("admit", "seal", "enter"))
            keeping.begin(admit, seal, enter, [row(TOGETHER)], [])
            for number in range(TOGETHER + 1, 3 * TOGETHER):
                told.begin(keeping, number)
            keeping.settle()

    with pytest.raises(ZeroDivisionError):
        keep()
    assert told.entered == told.kept == list(range(TOGETHER))


def test_nothing_is_entered_that_cannot_be_made_durable() -> None:
    told = Told()

    def fail() -> None:
        raise ZeroDivisionError

    def keep() -> None:
        with Keeping(fail, lambda rows, _: told.kept.append(rows[0].number)) as keeping:
            told.begin(keeping, 0)
            keeping.settle()

    with pytest.raises(ZeroDivisionError):
        keep()
    assert (told.sealed, told.entered, told.kept) == ([0], [], [])
