"""Other spellings of a name: those that are still the same name, and those that are not."""

from collections.abc import Callable

from kerege.testing.extracts.chance import Chance

PLAIN = str.maketrans("өүңёӨҮҢЁ", "оунеОУНЕ")
"""What a program without Kyrgyz letters makes of them."""
KYRGYZ = str.maketrans("өүңӨҮҢ", "оунОУН")
"""The same where ё is kept."""
_RICH = str.maketrans("оунеОУНЕ", "өүңёӨҮҢЁ")
_LATIN = str.maketrans("асеорАСЕОР", "aceopACEOP")
_NEARLY_LATIN = str.maketrans("КМТВНХу", "KMTBHXy")
"""Alike to the eye, and not among the look-alikes that are disregarded."""
_NEXT_LETTER = str.maketrans("абдикрстзлм", "бвжылптцсмк")
_MOSTLY = 0.6


def same_name(name: str, chance: Chance) -> str:
    """The name in another spelling of the same: letters, look-alikes and case, one of them or more."""
    first = chance.below(len(_SAME))
    name = _SAME[first](name, chance)
    for place, change in enumerate(_SAME):
        if place > first and chance.happens(1 / 4):
            name = change(name, chance)
    return name


def other_name(name: str, chance: Chance, *, worn: bool) -> str:
    """A name that is another one however it is folded; `worn`: also where any letter of the first may be lost."""
    if not worn:
        for table in chance.shuffled((_NEARLY_LATIN, _NEXT_LETTER)):
            changed = name.translate(table)
            if changed != name:
                return changed
    return name + "а" if chance.happens(1 / 2) else name[:-1] + "ий"


def lose_letters(name: str, chance: Chance) -> str:
    """The name with some letters lost to `?`, at least one."""
    letters = [place for place, letter in enumerate(name) if letter.isalpha()]
    lost = set(chance.shuffled(letters)[: 1 + chance.below(3)])
    return "".join("?" if place in lost else letter for place, letter in enumerate(name))


def _partly(table: dict[int, int]) -> Callable[[str, Chance], str]:
    def change(name: str, chance: Chance) -> str:
        if chance.happens(_MOSTLY):
            return name.translate(table)
        return "".join(letter.translate(table) if chance.happens(1 / 2) else letter for letter in name)

    return change


def _case(name: str, chance: Chance) -> str:
    return chance.pick((str.upper, str.lower, str.swapcase))(name)


_SAME: tuple[Callable[[str, Chance], str], ...] = (
    _partly(PLAIN),
    _partly(_RICH),
    _partly(_LATIN),
    _case,
    lose_letters,
)
