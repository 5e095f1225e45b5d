"""What makes a nation pack unusable: always a file, a place in it, what stands there, and the cure."""

from typing import ClassVar


class PackError(Exception):
    """A nation pack cannot be read as it stands. One sentence for people; the parts for programs."""

    cure: ClassVar[str] = "Correct the file."

    def __init__(self, file: str, where: str, value: object = "") -> None:
        """`file`: path within the pack; `where`: line and key, or row and column; `value`: what stands there."""
        self.file = file
        self.where = where
        self.value = _shown(value)
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        what = (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        place = f"{self.file}, {self.where}" if self.where else self.file
        return f"{place}: {what}{f' ({self.value})' if self.value else ''}. {self.cure}"


def _shown(value: object, longest: int = 80) -> str:
    """A value as a log may hold it: short, on one line, without characters that command a terminal."""
    text = "".join(letter if letter.isprintable() else "·" for letter in str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


class FileMissing(PackError):
    """The file is not there."""

    cure = "Add it, or take its name out of the pack."


class FileUnknown(PackError):
    """Nothing reads this file."""

    cure = "Remove it, or name it as one of the files of a pack."


class OutsidePack(PackError):
    """The name leads out of the pack's folder."""

    cure = "Use a plain name of letters, digits and hyphens; no links, no folders above."


class FileTooLarge(PackError):
    """The file is larger than any file of a pack may be."""

    cure = "Split the pack into services, or remove what does not belong there."


class NotText(PackError):
    """The file is not plain UTF-8 text in NFC without control characters."""

    cure = "Save it as UTF-8, normalised to NFC, without byte order mark and invisible characters."


class NotYaml(PackError):
    """The file is not the plain YAML that packs are written in."""

    cure = "Write mappings, lists, texts, whole numbers, true and false; no anchors, aliases, tags or second document."


class KeyTwice(PackError):
    """The key stands twice in one mapping."""

    cure = "Keep one of the two."


class KeyUnknown(PackError):
    """Nothing has this name here."""

    cure = "Correct the spelling, or remove the key."


class KeyMissing(PackError):
    """A key is missing here."""

    cure = "Add it."


class WrongValue(PackError):
    """The value is not of the kind that belongs here."""

    cure = "Write the kind named; a code of digits stands in quotes."


class BadDate(PackError):
    """This is no date."""

    cure = "Write YYYY-MM-DD; leave an open start or end empty."


class BadColumns(PackError):
    """The table does not have the columns it must have."""

    cure = "Give each column named, once, and every row as many cells as the head."


class CodeTwice(PackError):
    """The code is used by two entries at one time."""

    cure = "Give the later one its own code, or let the dates of the two not overlap."


class NameUnknown(PackError):
    """The name stands for nothing in this pack on that day."""

    cure = "Define it, correct the spelling, or correct the dates."


class TextMissing(PackError):
    """A text is missing in a language of the state."""

    cure = "Write the sentence in every language of the nation."


class TextUnused(PackError):
    """Nothing asks for this text."""

    cure = "Correct the id, or remove the text."


class PlaceholdersDiffer(PackError):
    """The placeholders of a text differ from those in the nation's first language."""

    cure = "Use the same facts in each language, as {name}."


class BasisIncomplete(PackError):
    """A legal basis needs act, article, https address and day of reading, or says that it is unverified."""

    cure = "Look the article up and give all four, or write `unverified: true`."


class DefinitionRefused(PackError):
    """The service's definition contradicts itself."""

    cure = "Correct the part named: every step leads to an end, every name is defined, every code stands once."


class ExampleRefused(PackError):
    """An example does not run as it says."""

    cure = "Correct the example, or the form it shows to be wrong."
