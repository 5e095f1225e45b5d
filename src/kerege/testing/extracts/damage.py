"""How a file of rows looks: its form, its letters, and what programs and hands did to it. No outcome depends on it."""

from typing import Final

from msgspec import Struct

from kerege.testing.extracts.book import FEMALE, MALE
from kerege.testing.extracts.chance import Chance
from kerege.testing.extracts.columns import GIVEN_NAME, OFFICE, PATRONYMIC, PLACE_NAME, SEX, SURNAME
from kerege.testing.extracts.spelling import KYRGYZ

_SPACES = (" ", "  ", "\u00a0", " \u00a0")
_NARROW_SPACES = (*_SPACES, "\u202f", "\u2009")
_ASIDE = ("; айыл", "\nкөчө 1", "\r\nкөчө 2", " (Ак-Бата); 3-үй", ' "Ак-Бата"', ", 5-үй\n\n", "\t1|2,3;4")
_OTHER_WORD = 0.02


class Damage(Struct, frozen=True, kw_only=True):
    """What is done to the rows and the file; shares are parts of all rows."""

    spaces: float = 0.01
    """Spaces and no-break spaces around a value."""
    breaks: float = 0.01
    """Line breaks, delimiters and quotes within the place's name."""
    mark: bool = True
    """UTF-8 begins with its byte order mark."""
    line_end: str = "\r\n"
    empty_column: bool = False
    """A column without a name, empty in every row, at the end."""
    blank_lines: int = 0
    """At the end of the file."""


USUAL: Final = Damage()
NONE: Final = Damage(spaces=0, breaks=0)


class Form(Struct, frozen=True, kw_only=True):
    """One program's way to write an extract."""

    header: tuple[str, ...]
    male: str
    female: str
    encoding: str
    """What it usually writes."""


FORMS: Final = {
    "codes": Form(
        header=(
            "pin",
            "surname",
            "given_name",
            "patronymic",
            "sex",
            "birth_date",
            "place_code",
            "place_name",
            "mother_pin",
            "father_pin",
            "registered_on",
            "act_number",
            "office",
        ),
        male="Э",
        female="А",
        encoding="utf-8",
    ),
    "russian": Form(
        header=(
            "ПИН",
            "Фамилия",
            "Имя",
            "Отчество",
            "Пол",
            "Дата рождения",
            "Код места",
            "Место рождения",
            "ПИН матери",
            "ПИН отца",
            "Дата регистрации",
            "Номер акта",
            "Отдел",
            "Примечание",
        ),
        male="М",
        female="Ж",
        encoding="cp1251",
    ),
}
"""By their names; the Russian one ends with a column of remarks, which is empty."""

ENCODINGS: Final = ("utf-8", "utf-16", "cp1251", "cp866", "koi8-r")
_WHOLE_ENCODINGS = ENCODINGS[:2]


class Wear:
    """Turns rows of one file into what is written in it."""

    def __init__(self, form: Form, encoding: str, damage: Damage, chance: Chance) -> None:
        self._whole = encoding in _WHOLE_ENCODINGS
        self._words = {MALE: (form.male, MALE, "М"), FEMALE: (form.female, FEMALE, "Ж")}
        self._more = [""] * (len(form.header) - OFFICE - 1 + damage.empty_column)
        self._spaces = _NARROW_SPACES if self._whole else _SPACES
        self._damage = damage
        self._chance = chance

    def apply(self, cells: list[str]) -> list[str]:
        """The cells as they are written; the list is changed."""
        chance, damage = self._chance, self._damage
        words = self._words.get(cells[SEX])
        if words is not None:
            cells[SEX] = chance.pick(words) if chance.happens(_OTHER_WORD) else words[0]
        if chance.happens(damage.breaks):
            cells[PLACE_NAME] += chance.pick(_ASIDE)
        if not self._whole:
            for place in (SURNAME, GIVEN_NAME, PATRONYMIC, PLACE_NAME):
                cells[place] = cells[place].translate(KYRGYZ)
        if chance.happens(damage.spaces):
            for _ in range(1 + chance.below(3)):
                place = chance.below(len(cells))
                cells[place] = chance.pick(("", *self._spaces)) + cells[place] + chance.pick(self._spaces)
        return cells + self._more
