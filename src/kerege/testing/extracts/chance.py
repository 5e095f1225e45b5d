"""Chance that a seed decides, the same on every Python: only `Random.random` is promised never to change."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Chance:
    """Draws from one stream."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed).random
        """A number from 0 to 1, 1 excluded."""

    def below(self, bound: int) -> int:
        """A number from 0, below the bound."""
        return int(self.draw() * bound)

    def happens(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.draw() < share

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[int(self.draw() * len(choices))]

    def shuffled(self, cards: Sequence[T]) -> list[T]:
        """The cards in an order of chance."""
        mixed = list(cards)
        for place in range(len(mixed) - 1, 0, -1):
            other = self.below(place + 1)
            mixed[place], mixed[other] = mixed[other], mixed[place]
        return mixed


class Deck(Generic[T]):
    """Cards dealt until none is left, then shuffled anew: every card comes up, in a small file too."""

    def __init__(self, weights: dict[T, int], chance: Chance) -> None:
        self._cards = [card for card, weight in weights.items() for _ in range(weight)]
        self._chance = chance
        self._left: list[T] = []

    def deal(self) -> Iterator[T]:
        """Cards one after the other, for whoever cannot use the first."""
        while True:
            if not self._left:
                self._left = self._chance.shuffled(self._cards)
            yield self._left.pop()
