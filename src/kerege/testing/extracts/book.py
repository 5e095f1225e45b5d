"""The generator's own book: which PINs and act numbers were given out, and a sample of the acts that hold them.

Numbers are given out in order and never twice, so no list of them is needed to know that a new one is free. Of the
acts a sample is kept, each with the same chance, from which later rows take one to repeat or to contradict.
"""

from array import array
from typing import NamedTuple

from msgspec import Struct

from kerege.testing.extracts.chance import Chance
from kerege.testing.extracts.days import DIGITS, DOTTED, YEARS
from kerege.testing.extracts.places import Place

MALE, FEMALE = "Э", "А"
KEPT = 50_000
"""Acts in the sample, about 500 bytes each."""
_FAULTY_KEPT = 500
_SPREAD, _FIRST_SERIALS, _GAPS = 37, 50, 4
"""Serials of a day begin somewhere and leave some out, so that they do not all look alike."""


class Act(Struct, kw_only=True, gc=False):
    """One birth as it happened, without any fault."""

    pin: str
    surname: str
    given_name: str
    patronymic: str
    male: bool
    born: int
    place: Place
    mother: str
    father: str
    registered: int
    number: str
    office: str
    worn: bool = False
    """Its row has `?` where letters are lost."""
    file: int = 0
    row: int = 0

    def cells(self) -> list[str]:
        """The act as a row without damage, in the order of the columns."""
        return [
            self.pin,
            self.surname,
            self.given_name,
            self.patronymic,
            MALE if self.male else FEMALE,
            DOTTED[self.born],
            self.place.code,
            self.place.name,
            self.mother,
            self.father,
            DOTTED[self.registered],
            self.number,
            self.office,
        ]


class Faulty(NamedTuple):
    """A row that was rejected or is reviewed, and the act that it should have said: it holds nothing."""

    act: Act
    cells: list[str]
    outcome: str
    detail: str


class Book:
    """Of all files made so far, one after the other. A file that is made with it is entered while it is made."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.faulty: dict[str, list[Faulty]] = {"review": [], "rejected": []}
        self.file = 0
        self._held = 0
        self._serials = array("I", (place * _SPREAD % _FIRST_SERIALS for place in range(len(DIGITS))))
        self._odd_serial = 0
        self._numbers: dict[tuple[str, int], int] = {}

    def begin_file(self) -> None:
        """Rows from now on are of a new file."""
        self.file += 1

    def new_pin(self, born: int, *, male: bool) -> str:
        """A PIN that nobody has, nor has one with the other sex in it."""
        serial = self._serials[born] = self._serials[born] + 1 + born % _GAPS
        return f"{'2' if male else '1'}{DIGITS[born]}{serial:05}"

    def odd_pin(self, digits: str, *, male: bool) -> str:
        """A PIN that nobody has, with digits that are no date."""
        self._odd_serial += 1
        return f"{'2' if male else '1'}{digits}{self._odd_serial % 100_000:05}"

    def new_number(self, office: str, registered: int) -> str:
        """The next act number of an office in the year of a registration."""
        key = (office, YEARS[registered])
        number = self._numbers[key] = self._numbers.get(key, 0) + 1
        return f"{key[1]}/{number}"

    def hold(self, act: Act, row: int, chance: Chance) -> None:
        """Enter the act of an accepted row: from now on it holds its PIN and its number."""
        act.file, act.row = self.file, row
        self._held += 1
        if len(self.acts) < KEPT:
            self.acts.append(act)
        elif (place := chance.below(self._held)) < KEPT:
            self.acts[place] = act

    def remember(self, faulty: Faulty, chance: Chance) -> None:
        """Keep a row that holds nothing, to be written again or corrected."""
        kept = self.faulty[faulty.outcome]
        if len(kept) < _FAULTY_KEPT:
            kept.append(faulty)
        else:
            kept[chance.below(_FAULTY_KEPT)] = faulty

    def forget(self, outcome: str, chance: Chance) -> Faulty | None:
        """Take out one of the rows that hold nothing; None where there is none."""
        kept = self.faulty[outcome]
        if not kept:
            return None
        place = chance.below(len(kept))
        kept[place], kept[-1] = kept[-1], kept[place]
        return kept.pop()
