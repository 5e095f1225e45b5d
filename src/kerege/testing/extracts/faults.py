"""Rows that cannot be acts of birth: for each detail, what may be written in its cell."""

from collections.abc import Callable

from kerege.testing.extracts.book import Act
from kerege.testing.extracts.columns import BORN, GIVEN_NAME, PIN, PLACE, REGISTERED, SEX, SURNAME
from kerege.testing.extracts.days import DOTTED, PLACES
from kerege.testing.extracts.scene import Scene

Fault = Callable[[Scene, Act, list[str]], None]

_SPACES = ("", " ", "\u00a0", " \u00a0 ", "   ")
_NO_SEXES = ("?", "", "-", "муж", "жен", "1", "2", "ЭА", "Н", " ")
_NO_DAYS = (
    "31.02.2020",
    "30.02.2020",
    "29.02.2023",
    "29.02.1900",
    "31.04.2021",
    "31.11.2019",
    "00.05.2020",
    "32.01.2022",
    "15.13.2020",
    "15.00.2020",
    "01.01.0000",
    "",
    "??.05.2020",
    "2020 ж.",
)
_NO_PLACES = ("", "?", "41799000000000", "00000000000000", "Ош", "708203")
_FIRST_FUTURE, _FUTURE = 2031, 900
_BEFORE = 400


def pin(scene: Scene, act: Act, cells: list[str]) -> None:
    """A digit too few or too many, a letter among them, a first digit of no sex, or none."""
    digits = act.pin
    cells[PIN] = scene.chance.pick(
        (
            digits[:-1],
            digits[1:],
            digits + "0",
            digits[:5] + "О" + digits[6:],
            digits[:-1] + "?",
            digits[:6] + " " + digits[6:],
            scene.chance.pick("03456789") + digits[1:],
            f"{digits[0]}-{digits[1:]}",
            "-" + digits[1:],
            "",
        )
    )


def surname(scene: Scene, _act: Act, cells: list[str]) -> None:
    """Nothing but spaces."""
    cells[SURNAME] = scene.chance.pick(_SPACES)


def given_name(scene: Scene, _act: Act, cells: list[str]) -> None:
    """Nothing but spaces."""
    cells[GIVEN_NAME] = scene.chance.pick(_SPACES)


def sex(scene: Scene, _act: Act, cells: list[str]) -> None:
    """None of the four letters."""
    cells[SEX] = scene.chance.pick(_NO_SEXES)


def birth_date(scene: Scene, _act: Act, cells: list[str]) -> None:
    """No day of the calendar."""
    cells[BORN] = scene.chance.pick(_NO_DAYS)


def place_code(scene: Scene, act: Act, cells: list[str]) -> None:
    """A code that the classifier has not."""
    code = act.place.code
    raion = f"{code[:6]}99{code[8:]}"
    wrong = scene.chance.pick((code[:-1], code + "0", raion, code[::-1], *_NO_PLACES))
    cells[PLACE] = wrong if wrong not in scene.territory.codes else _NO_PLACES[2]


def registered_on(scene: Scene, _act: Act, cells: list[str]) -> None:
    """No day, a day before the birth (which is a day still), or one in the future."""
    chance = scene.chance
    way = chance.below(4)
    if way == 0:
        cells[REGISTERED] = chance.pick(_NO_DAYS)
    elif way == 1:
        cells[REGISTERED] = f"01.01.{_FIRST_FUTURE + chance.below(_FUTURE)}"
    elif way == 2 and scene.today is not None:  # noqa: PLR2004 - the third way
        cells[REGISTERED] = DOTTED[scene.today + 1]
    else:
        cells[REGISTERED] = DOTTED[
            PLACES[cells[BORN].strip()] - 1 - (0 if chance.happens(1 / 2) else chance.below(_BEFORE))
        ]


FAULTS: dict[str, Fault] = {
    "pin": pin,
    "surname": surname,
    "given_name": given_name,
    "sex": sex,
    "birth_date": birth_date,
    "place_code": place_code,
    "registered_on": registered_on,
}
"""By their details, in the order of which the first counts."""
