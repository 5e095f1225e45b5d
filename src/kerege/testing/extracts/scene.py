"""What is at hand while a row is made, and how an ordinary birth is made of it."""

from datetime import date
from typing import Final

from kerege.testing.extracts.book import Act, Book
from kerege.testing.extracts.chance import Chance
from kerege.testing.extracts.days import place_of
from kerege.testing.extracts.names import name_child
from kerege.testing.extracts.places import territory

FIRST_BIRTH: Final = place_of(date(2000, 1, 1))
LAST_BIRTH: Final = place_of(date(2024, 12, 31))
LAST_REGISTRATION: Final = place_of(date(2025, 12, 31))
"""Before any day on which a file is imported."""

_MOTHER_FROM, _MOTHER_SPAN = 18 * 366, 25 * 365
_FATHER_FROM, _FATHER_SPAN = 20 * 366, 33 * 365
_SOON, _LATE = 45, 700
_LATE_SHARE, _OTHER_PLACE_SHARE = 0.04, 0.003
_NO_FATHER, _NO_MOTHER = 0.05, 0.01


class Scene:
    """The chance, the book and the day of one file."""

    def __init__(self, chance: Chance, book: Book, today: int | None) -> None:
        self.chance = chance
        self.book = book
        self.today = today
        """The day of the import, where rows may be registered on it and on the day after it."""
        self.territory = territory()

    def child(self, born: int | None = None) -> Act:
        """An ordinary birth: every value is possible, none contradicts another, PIN and number are new."""
        chance, book = self.chance, self.book
        if born is None:
            born = FIRST_BIRTH + chance.below(LAST_BIRTH - FIRST_BIRTH + 1)
        male = chance.draw() < 0.51  # noqa: PLR2004 - the share of boys
        name = name_child(chance, male=male)
        place = chance.pick(self.territory.places)
        office = chance.pick(self.territory.places).office if chance.happens(_OTHER_PLACE_SHARE) else place.office
        registered = min(born + chance.below(_LATE if chance.happens(_LATE_SHARE) else _SOON), LAST_REGISTRATION)
        return Act(
            pin=book.new_pin(born, male=male),
            surname=name.surname,
            given_name=name.given_name,
            patronymic=name.patronymic,
            male=male,
            born=born,
            place=place,
            mother="" if chance.happens(_NO_MOTHER) else self.mother(born),
            father="" if chance.happens(_NO_FATHER) else self.father(born),
            registered=registered,
            number=book.new_number(office, registered),
            office=office,
        )

    def mother(self, born: int) -> str:
        """A PIN of a woman who may be the mother of a child born then."""
        return self.book.new_pin(born - _MOTHER_FROM - self.chance.below(_MOTHER_SPAN), male=False)

    def father(self, born: int) -> str:
        """A PIN of a man who may be its father."""
        return self.book.new_pin(born - _FATHER_FROM - self.chance.below(_FATHER_SPAN), male=True)

    def held(self) -> Act | None:
        """Any act that an accepted row holds; None where there is none yet."""
        return self.chance.pick(self.book.acts) if self.book.acts else None
