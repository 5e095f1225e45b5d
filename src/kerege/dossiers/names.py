"""Names of persons: what may be stored, when two spellings are one name, and the key a search goes by.

Names are compared only where they are in clear, on the controller's side. The stored value is never changed: folding
serves the comparison alone. Old registries lost letters in three ways, all disregarded here: Kyrgyz ө ү ң typed as
о у н, Latin look-alikes among Cyrillic letters, and letters turned into `?` by a code page that lacked them.
"""

import unicodedata
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from kerege.dossiers.errors import DossierError

MAXIMUM_LENGTH = 120
"""Code points of one name; the longest in the passport rules of any neighbour is shorter."""

LOST_LETTER = "?"
"""What a code page without the letter left in its place."""

_SPACES = " \u00a0\u2007\u202f\t\r\n"
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_APOSTROPHES = "'\u2019\u02bc"
_LOOK_ALIKES = "aceop"
_TWINS = "асеор"
_FOLD = str.maketrans("өүңё" + _LOOK_ALIKES, "оуне" + _TWINS)
_DROP = str.maketrans("", "", _SPACES + _HYPHENS)


class NameFault(StrEnum):
    """Why a text cannot be a name."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    NOT_NFC = "not-nfc"
    CONTROL = "control-character"
    INVISIBLE = "invisible-character"
    NOT_A_LETTER = "not-a-letter"
    FOREIGN_SCRIPT = "foreign-script"
    MIXED_SCRIPTS = "mixed-scripts"
    TOO_MANY_MARKS = "too-many-marks"
    SPACING = "spacing"
    LOST_LETTER = "lost-letter"


class NameRefused(DossierError):
    """This text cannot be stored as a person's name."""

    cure: ClassVar[str] = (
        "Write the name in Cyrillic or in Latin letters, with single spaces, hyphens and apostrophes only."
    )

    def __init__(self, *, fault: NameFault, position: int) -> None:
        self.fault = fault
        self.position = position
        super().__init__(fault=fault.value, position=position)


def check_name(text: str) -> None:
    """Refuse what cannot be a name in a new act; raises `NameRefused` with the first fault and where it stands."""
    lost = text.find(LOST_LETTER)
    if lost >= 0:
        raise NameRefused(fault=NameFault.LOST_LETTER, position=lost)
    check_old_name(text)


def check_old_name(text: str) -> None:
    """Refuse what cannot be a name even in an old registry, where letters may be lost; raises `NameRefused`."""
    if not text:
        raise NameRefused(fault=NameFault.EMPTY, position=0)
    if len(text) > MAXIMUM_LENGTH:
        raise NameRefused(fault=NameFault.TOO_LONG, position=MAXIMUM_LENGTH)
    for position, letter in enumerate(text):
        fault = _fault_of(letter)
        if fault is not None:
            raise NameRefused(fault=fault, position=position)
    if not unicodedata.is_normalized("NFC", text):
        raise NameRefused(fault=NameFault.NOT_NFC, position=0)
    _check_marks(text)
    _check_spacing(text)
    _check_scripts(text)


def same_name(left: str, right: str) -> bool:
    """Whether two spellings are one name.

    Spaces around, letter case, ө/о ү/у ң/н ё/е and Latin look-alikes do not count; a lost letter stands for any one
    letter. Not transitive (`?` matches both а and о), so no key can replace it.
    """
    first, second = _folded(left), _folded(right)
    return first == second or (len(first) == len(second) and all(map(_same_letter, first, second)))


def search_key(text: str) -> str:
    """What a search goes by: the folded name without spaces and hyphens. A lost letter stays `?`."""
    return _folded(text).translate(_DROP)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip(_SPACES).lower().translate(_FOLD)


def _same_letter(left: str, right: str) -> bool:
    if left == right:
        return True
    return (left == LOST_LETTER and right.isalpha()) or (right == LOST_LETTER and left.isalpha())


def _script(letter: str) -> str:
    """`CYRILLIC`, `LATIN` or the first word of another script's letter names."""
    return unicodedata.name(letter, "UNKNOWN").split(" ", 1)[0]


def _fault_of(letter: str) -> NameFault | None:
    """What is wrong with one character wherever it stands."""
    if letter in " -" or letter in _APOSTROPHES or letter == LOST_LETTER:
        return None
    category = unicodedata.category(letter)
    if category in {"Cc", "Cs", "Cn", "Co"}:
        return NameFault.CONTROL
    if category in {"Cf", "Zl", "Zp", "Zs"} or letter in _INVISIBLE_LETTERS:
        return NameFault.INVISIBLE
    if category == "Mn":
        return None
    if category not in {"Lu", "Ll", "Lt"}:
        return NameFault.FOREIGN_SCRIPT if category == "Lo" else NameFault.NOT_A_LETTER
    return None if _script(letter) in {"CYRILLIC", "LATIN"} else NameFault.FOREIGN_SCRIPT


_INVISIBLE_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0"
"""Shown as nothing although Unicode calls them letters or marks."""


def _check_marks(text: str) -> None:
    """One combining mark after a letter is an accent; more are a flood."""
    if unicodedata.combining(text[0]):
        raise NameRefused(fault=NameFault.TOO_MANY_MARKS, position=0)
    for position, (before, letter) in enumerate(pairwise(text), start=1):
        if unicodedata.category(letter) == "Mn" and not before.isalpha():
            raise NameRefused(fault=NameFault.TOO_MANY_MARKS, position=position)


def _check_spacing(text: str) -> None:
    """Spaces and hyphens stand single and between letters; there is a letter at all."""
    joints = " -"
    for position in (0, len(text) - 1):
        if text[position] in joints:
            raise NameRefused(fault=NameFault.SPACING, position=position)
    for position, (before, letter) in enumerate(pairwise(text), start=1):
        if letter in joints and before in joints:
            raise NameRefused(fault=NameFault.SPACING, position=position)
    if not any(letter.isalpha() or letter == LOST_LETTER for letter in text):
        raise NameRefused(fault=NameFault.NOT_A_LETTER, position=0)


def _check_scripts(text: str) -> None:
    """A word is Cyrillic or Latin; only the look-alikes that the comparison folds may stray into the other."""
    position = 0
    for word in text.replace("-", " ").split(" "):
        scripts = [_script(letter) for letter in word]
        if "CYRILLIC" in scripts and "LATIN" in scripts:
            strays = [
                place
                for place, (letter, script) in enumerate(zip(word, scripts, strict=True))
                if script == "LATIN" and letter.lower() not in _LOOK_ALIKES
            ]
            if strays:
                raise NameRefused(fault=NameFault.MIXED_SCRIPTS, position=position + strays[0])
        position += len(word) + 1
