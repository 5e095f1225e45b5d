"""Chunks are sealed and entered side by side, in order, and none follows one that was not entered."""

from collections.abc import Callable
from threading import Event

import pytest

from kerege.gateways.extracts.keeping import Keeping
from kerege.gateways.extracts.row import Row

Step = Callable[[], int]


def row(number: int) -> Row:
    empty = dict.fromkeys(name for name in Row.__struct_fields__ if name not in ("number", "raw", "damaged", "cells"))
    return Row(**(empty | {"number": number}))  # type: ignore[arg-type]


class Told:
    """What was entered and what was told, in order."""

    def __init__(self) -> None:
        self.entered: list[int] = []
        self.kept: list[int] = []

    def keeping(self) -> Keeping:
        return Keeping(lambda rows, _: self.kept.append(rows[0].number))

    def begin(self, keeping: Keeping, number: int, seal: Step | None = None) -> None:
        keeping.begin(seal or (lambda: number), self.entered.append, [row(number)], [])


def test_chunks_are_entered_and_told_in_their_order() -> None:
    told = Told()
    with told.keeping() as keeping:
        for number in range(5):
            told.begin(keeping, number)
            assert keeping.first_row() == max(0, number - 1)
        keeping.settle()
    assert told.entered == told.kept == list(range(5))


def test_a_chunk_is_sealed_while_the_one_before_is_entered() -> None:
    told, sealed = Told(), Event()

    def seal() -> int:
        sealed.set()
        return 2

    with told.keeping() as keeping:
        keeping.begin(lambda: 0, lambda _: told.entered.append(int(sealed.wait(20))), [row(0)], [])
        told.begin(keeping, 1, seal)
        keeping.settle()
    assert told.entered == [1, 2]


@pytest.mark.parametrize("broken", ["seal", "enter"])
def test_none_is_entered_after_one_that_was_not(broken: str) -> None:
    told = Told()

    def fail_in(step: str) -> int:
        if broken == step:
            raise ZeroDivisionError
        return 1

    def keep_three() -> None:
        with told.keeping() as keeping:
            told.begin(keeping, 0)
            keeping.begin(lambda: fail_in("seal"), lambda _: told.entered.append(fail_in("enter")), [row(1)], [])
            told.begin(keeping, 2)
            keeping.settle()

    with pytest.raises(ZeroDivisionError):
        keep_three()
    assert told.entered == told.kept == [0]
