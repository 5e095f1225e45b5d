"""Names as they are given in the country: every form of surname and patronymic that an old act may have."""

from typing import NamedTuple

from kerege.testing.extracts.chance import Chance


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEN = _words(
    "Айбек Азамат Адилет Актан Алмаз Алтынбек Арсен Байэл Бакыт Бекзат Бөлөкбай Данияр Дөөлөт Жаныбек Жеңиш Жоомарт"
    " Ислам Кайрат Кубаныч Күчүкбай Көчкөн Манас Медер Мирлан Нурбек Нурлан Нурсултан Руслан Сагынбек Сыймык Талант"
    " Темирлан Тимур Төлөгөн Түгөлбай Улан Умар Чыңгыз Элдияр Эмир Эркин Эрмек Өмүрбек Өскөн Үсөн Ыдырыс"
    " Андрей Артём Семён Фёдор"
)
WOMEN = _words(
    "Аделя Айгүл Айжан Айпери Алёна Алина Асел Бегимай Бермет Гүлзат Гүлнара Жаңыл Жибек Зарина Каныкей Кыял"
    " Күмүш Медина Мээрим Назгүл Нургүл Нуриза Перизат Раяна Сафия Сезим Сүйүмкан Умут Чолпон Ширин"
    " Элнура Эльмира Өнөргүл Үмүтай"
)
_STEMS = _words(
    "Абдыкадыр Алымкул Асан Байгази Бекмурат Дүйшөн Жумабек Жээнбек Ибраим Исак Кадыр Койчуман Көкөй Мамат"
    " Мамбет Ниязбек Орозбай Осмон Рыскул Сатыбалды Султан Сыдык Ташмат Токтогул Төрөбек Турдубай Үмөтаалы Шаршен"
    " Эшмат Ысак Өмүралы Өзүбек Семён Фёдор"
)
_RUSSIAN = (("Королёв", "Королёва"), ("Соловьёв", "Соловьёва"), ("Ковалёв", "Ковалёва"), ("Пак", "Пак"))

_FAMILY, _CHILD_OF, _GRANDCHILD_OF, _ANCESTOR = 0.68, 0.84, 0.89, 0.97
"""Shares of the forms of surnames, added up."""
_PATRONYMIC, _PATRONYMIC_CHILD_OF = 0.62, 0.75
_TWO_NAMES = 0.06


def _ending(name: str, hard: str) -> str:
    """The name with an ending that begins with о, or with е after й, ш and vowels."""
    if name.endswith("й"):
        return f"{name[:-1]}е{hard[1:]}"
    return name + (f"е{hard[1:]}" if name[-1] in "шыи" else hard)


SURNAMES = tuple((_ending(stem, "ов"), _ending(stem, "ова")) for stem in _STEMS) + _RUSSIAN
_PATRONYMICS = {man: (_ending(man, "ович"), _ending(man, "овна")) for man in MEN}
_OF_FATHER = {man: (f"{man} уулу", f"{man} кызы") for man in MEN}
_OF_GRANDFATHER = {man: f"{man} тегин" for man in MEN}


class Name(NamedTuple):
    """A child's whole name."""

    surname: str
    given_name: str
    patronymic: str


def given_name(chance: Chance, *, male: bool) -> str:
    """One given name, or two."""
    names = MEN if male else WOMEN
    if chance.happens(_TWO_NAMES):
        return f"{chance.pick(names)} {chance.pick(names)}"
    return chance.pick(names)


def name_child(chance: Chance, *, male: bool) -> Name:
    """A child's name in one of the forms of the country."""
    form = chance.draw()
    father = chance.pick(MEN)
    given = given_name(chance, male=male)
    if _FAMILY <= form < _CHILD_OF:
        return Name(_OF_FATHER[father][not male], given, "")
    if form < _FAMILY:
        surname = chance.pick(SURNAMES)[not male]
    elif form < _GRANDCHILD_OF:
        surname = _OF_GRANDFATHER[chance.pick(MEN)]
    else:
        surname = chance.pick(MEN) if form < _ANCESTOR else chance.pick(SURNAMES)[0]
    return Name(surname, given, _patronymic(chance.draw(), father, male=male))


def _patronymic(form: float, father: str, *, male: bool) -> str:
    if form < _PATRONYMIC:
        return _PATRONYMICS[father][not male]
    return _OF_FATHER[father][not male] if form < _PATRONYMIC_CHILD_OF else ""
