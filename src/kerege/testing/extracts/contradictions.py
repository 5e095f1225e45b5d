"""Rows of possible values that contradict one another: for each detail, how it comes about.

A contradiction returns False where the book has nothing yet that could be contradicted.
"""

from collections.abc import Callable

from kerege.testing.extracts.births import YOUNGEST
from kerege.testing.extracts.book import FEMALE, MALE, Act
from kerege.testing.extracts.columns import (
    BORN,
    FATHER,
    GIVEN_NAME,
    MOTHER,
    NUMBER,
    OFFICE,
    PATRONYMIC,
    PIN,
    SEX,
    SURNAME,
)
from kerege.testing.extracts.days import DIGITS, DOTTED, PLACES, years_before
from kerege.testing.extracts.names import given_name
from kerege.testing.extracts.scene import Scene
from kerege.testing.extracts.spelling import other_name

Contradiction = Callable[[Scene, Act, list[str]], bool]

_NO_DAYS = ("31022020", "00000000", "29022023", "29021900", "15132020", "99999999")
_MONTH = 30
_LATER = 2_000


def pin_held(scene: Scene, act: Act, cells: list[str]) -> bool:
    """Another child's PIN."""
    holder = scene.held()
    if holder is None:
        return False
    cells[PIN] = holder.pin
    if cells[NUMBER] == holder.number:
        cells[NUMBER], cells[OFFICE] = act.number, act.office
    return True


def nearly_repeated(scene: Scene, act: Act, cells: list[str]) -> bool:
    """An accepted act again, with one thing that makes it another, so that its PIN is another act's."""
    holder = scene.held()
    if holder is None:
        return False
    _nearly(scene, act, cells, holder)
    return True


def _nearly(scene: Scene, act: Act, cells: list[str], holder: Act) -> None:
    """All of the holder's row, with one thing of another act."""
    cells[:] = holder.cells()
    way = scene.chance.below(5)
    if way == 0:
        cells[NUMBER], cells[OFFICE] = act.number, act.office
    elif way == 1:
        other = scene.chance.pick(scene.territory.places).office
        cells[OFFICE] = other if other != holder.office else "ЗАГС"
    elif way == 2:  # noqa: PLR2004 - the third way
        cells[BORN] = DOTTED[holder.born - 1 - scene.chance.below(_MONTH)]
    else:
        place = (SURNAME, GIVEN_NAME)[way % 2]
        cells[place] = other_name(cells[place], scene.chance, worn=holder.worn)


def pin_sex(scene: Scene, act: Act, cells: list[str]) -> bool:
    """The PIN's first digit, or the word, is the other sex's."""
    if scene.chance.happens(1 / 2):
        cells[SEX] = FEMALE if act.male else MALE
    else:
        cells[PIN] = ("1" if act.male else "2") + cells[PIN][1:]
    return True


def pin_birth_date(scene: Scene, act: Act, cells: list[str]) -> bool:
    """The PIN's digits are another day, or no day at all."""
    chance, book = scene.chance, scene.book
    way = chance.below(4)
    days = 1 + (0 if chance.happens(1 / 2) else chance.below(_MONTH))
    if way == 0:
        rest = book.new_pin(act.born + days, male=act.male)
    elif way == 1:
        rest = book.odd_pin(chance.pick(_NO_DAYS), male=act.male)
    elif way == 2:  # noqa: PLR2004 - the third way
        rest = _day_and_month_exchanged(scene, act)
    else:
        cells[BORN] = DOTTED[act.born - days]
        return True
    cells[PIN] = cells[PIN][0] + rest[1:]
    return True


def _day_and_month_exchanged(scene: Scene, act: Act) -> str:
    """A PIN with another day's digits where the exchanged ones are a day, else with no day's."""
    digits = DIGITS[act.born]
    swapped = f"{digits[2:4]}.{digits[:2]}.{digits[4:]}"
    if swapped == DOTTED[act.born]:
        return scene.book.odd_pin(_NO_DAYS[0], male=act.male)
    day = PLACES.get(swapped)
    if day is None:
        return scene.book.odd_pin(swapped.replace(".", ""), male=act.male)
    return scene.book.new_pin(day, male=act.male)


def mother_pin(scene: Scene, act: Act, cells: list[str]) -> bool:
    """A man's PIN, or that of a woman under twelve at the birth."""
    cells[MOTHER] = scene.father(act.born) if scene.chance.happens(1 / 2) else _too_young(scene, act, male=False)
    return True


def father_pin(scene: Scene, act: Act, cells: list[str]) -> bool:
    """A woman's PIN, or that of a man under twelve at the birth."""
    cells[FATHER] = scene.mother(act.born) if scene.chance.happens(1 / 2) else _too_young(scene, act, male=True)
    return True


def _too_young(scene: Scene, act: Act, *, male: bool) -> str:
    """A day too young, some years, or born after the child."""
    days = scene.chance.pick((1, 1 + scene.chance.below(_LATER), scene.chance.below(3 * _LATER) + 1))
    return scene.book.new_pin(years_before(act.born, YOUNGEST) + days, male=male)


def act_number(scene: Scene, _act: Act, cells: list[str]) -> bool:
    """The number of another child's act."""
    holder = scene.held()
    if holder is None:
        return False
    cells[NUMBER], cells[OFFICE] = holder.number, holder.office
    return True


def number_of_twin(scene: Scene, act: Act, cells: list[str]) -> bool:
    """A twin under the number of the first, perhaps with the first one's name too."""
    holder = scene.held()
    if holder is None:
        return False
    cells[:] = holder.cells()
    cells[PIN] = scene.book.new_pin(holder.born, male=holder.male)
    if scene.chance.happens(1 / 2):
        cells[GIVEN_NAME] = given_name(scene.chance, male=holder.male)
        cells[PATRONYMIC] = act.patronymic
    return True


SIMPLE: dict[str, Contradiction] = {
    "pin-held": pin_held,
    "pin-sex": pin_sex,
    "pin-birth-date": pin_birth_date,
    "mother-pin": mother_pin,
    "father-pin": father_pin,
    "act-number": act_number,
}
"""By their details, in the order of which the first counts. Each may stand in one row with any behind it."""

WHOLE: dict[str, Contradiction] = {"pin-held": nearly_repeated, "act-number": number_of_twin}
"""More ways to the same details, which make all of the row anew."""
