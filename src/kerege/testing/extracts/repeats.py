"""Rows that say an accepted act again: same PIN, office, number and day, and names in any spelling of the same."""

from collections.abc import Callable

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
    PLACE,
    PLACE_NAME,
    REGISTERED,
    SEX,
    SURNAME,
)
from kerege.testing.extracts.days import DOTTED
from kerege.testing.extracts.scene import LAST_REGISTRATION, Scene
from kerege.testing.extracts.spelling import lose_letters, same_name

_SPACES = ("", " ", "\u00a0", "  \u00a0")

Change = Callable[[Scene, Act, list[str]], None]


def exactly(scene: Scene, act: Act, cells: list[str]) -> None:
    """Letter for letter as it happened."""


def respelled(scene: Scene, act: Act, cells: list[str]) -> None:
    """Names in another spelling."""
    cells[SURNAME] = same_name(act.surname, scene.chance)
    if scene.chance.happens(1 / 2):
        cells[GIVEN_NAME] = same_name(act.given_name, scene.chance)


def given_name_respelled(scene: Scene, act: Act, cells: list[str]) -> None:
    """Only the given name in another spelling."""
    cells[GIVEN_NAME] = same_name(act.given_name, scene.chance)


def lost(scene: Scene, act: Act, cells: list[str]) -> None:
    """Letters of both names lost."""
    cells[SURNAME] = lose_letters(act.surname, scene.chance)
    cells[GIVEN_NAME] = lose_letters(act.given_name, scene.chance)


def spaced(scene: Scene, _act: Act, cells: list[str]) -> None:
    """Spaces and no-break spaces around what is compared."""
    for place in (PIN, SURNAME, GIVEN_NAME, BORN, NUMBER, OFFICE):
        cells[place] = f"{scene.chance.pick(_SPACES)}{cells[place]}{scene.chance.pick(_SPACES)}"


def other_patronymic(_scene: Scene, act: Act, cells: list[str]) -> None:
    """Another patronymic, or none: it does not belong to what is compared."""
    cells[PATRONYMIC] = "" if act.patronymic else "Бакыт уулу" if act.male else "Бакыт кызы"


def other_sex(_scene: Scene, act: Act, cells: list[str]) -> None:
    """The other sex, so that it contradicts the PIN: the same act all the same."""
    cells[SEX] = FEMALE if act.male else MALE


def other_parents(scene: Scene, act: Act, cells: list[str]) -> None:
    """Other parents, or a mother with a man's PIN: the same act all the same."""
    cells[MOTHER] = scene.chance.pick(("", scene.mother(act.born), scene.father(act.born)))
    cells[FATHER] = scene.chance.pick(("", scene.father(act.born), scene.mother(act.born)))


def other_place(scene: Scene, _act: Act, cells: list[str]) -> None:
    """Another place of birth."""
    place = scene.chance.pick(scene.territory.places)
    cells[PLACE], cells[PLACE_NAME] = place.code, place.name


def registered_otherwise(scene: Scene, act: Act, cells: list[str]) -> None:
    """Another possible day of registration."""
    cells[REGISTERED] = DOTTED[act.born + scene.chance.below(LAST_REGISTRATION - act.born + 1)]


REPEATS: dict[Change, int] = {
    exactly: 4,
    respelled: 6,
    given_name_respelled: 2,
    lost: 2,
    spaced: 1,
    other_patronymic: 1,
    other_sex: 1,
    other_parents: 1,
    other_place: 1,
    registered_otherwise: 1,
}
"""How often each comes up, of all of them."""
