"""What makes an extract or a profile unusable, each with its facts and what to do about it.

Facts never hold a cell: a file without its header begins with a person, and these sentences reach logs and screens.
"""

from typing import ClassVar


class ExtractError(Exception):
    """The extract was not read: `facts` say where, `cure` says what helps."""

    cure: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        what = (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.facts.items())
        return f"{what}{f' ({facts})' if facts else ''}. {self.cure}".rstrip()


# -- the file --------------------------------------------------------------------------------------------------------


class ExtractUnreadable(ExtractError):
    """The file cannot be opened as a file of rows."""

    cure = "Name an existing file that you may read; neither a folder nor a pipe will do."


class ExtractEmpty(ExtractError):
    """The file is empty."""

    cure = "Ask the old registry for the extract again."


class ExtractWithoutRows(ExtractError):
    """The file has a header and no row below it."""

    cure = "Ask the old registry for the extract again."


class ExtractNotText(ExtractError):
    """The file is no text."""

    cure = "Unpack it, or save the sheet as CSV in UTF-8, and import that."


class ExtractCutOff(ExtractError):
    """The file ends in the middle of a row, so that its end is lost."""

    cure = "Copy the file again and compare its size with the original; if it is the same, complete its last row."


class ExtractChanged(ExtractError):
    """The file was changed while it was read."""

    cure = "Wait until it is written completely, then begin again."


# -- its form --------------------------------------------------------------------------------------------------------


class EncodingUnknown(ExtractError):
    """No extract is read in this encoding."""

    cure = "Name one of utf-8, utf-16, cp1251, cp866 and koi8-r."


class MarkMissing(ExtractError):
    """The file lacks the byte order mark with which UTF-16 begins."""

    cure = "Save it as CSV in UTF-8 and import that; if it is in another encoding, name that one with --encoding."


class DelimiterUnknown(ExtractError):
    """No extract is read with this delimiter."""

    cure = "Name a semicolon, a comma, a tab or a vertical bar."


class DelimiterLine(ExtractError):
    """The first line names the delimiter, as spreadsheets write it, and is no row of column names."""

    cure = "Remove the line that begins with sep= and import the file that begins with the column names."


class HeaderTooLong(ExtractError):
    """The first row is too long for a header."""

    cure = "Put the row of column names first, and give --delimiter and --encoding if they are unusual."


class HeaderUnknown(ExtractError):
    """No profile knows the header of this file."""

    cure = "Put the row of column names first as one of these, or write a profile and name it with --profile."


class TooManyColumns(ExtractError):
    """A row has more cells than any extract has."""

    cure = "Check the delimiter, and remove the columns that do not belong to the extract."


class RecordTooLong(ExtractError):
    """A row is longer than any row of an extract."""

    cure = "Look for a quote that is opened and never closed in this row or shortly before it."


class QuoteUnclosed(ExtractError):
    """A quote that is opened and never closed has made one row of several."""

    cure = "Close the quote, or write it twice where it is meant as a letter; no row was taken."


class FieldTooLong(ExtractError):
    """A cell is longer than any value of an extract."""

    cure = "Look for a quote that is opened and never closed in this row, and shorten the cell."


# -- what is written -------------------------------------------------------------------------------------------------


class OutputUnwritable(ExtractError):
    """The file of results cannot be written."""

    cure = "Name a file in an existing folder that you may write to, with room on its disk."


class FilesShared(ExtractError):
    """Two of the files of an import are one."""

    cure = "Give each a name of its own: what an import writes takes the place of what stands there."


class SheetFull(ExtractError):
    """A sheet holds no more rows."""

    cure = "Begin a further sheet."


# -- profiles --------------------------------------------------------------------------------------------------------


class ProfileInvalid(ExtractError):
    """The profile cannot be used as it stands."""

    cure = "Correct the place named; src/kerege/nations/README.md shows what a profile holds."


# -- the import ------------------------------------------------------------------------------------------------------


class ImportRunning(ExtractError):
    """Another import runs over this home."""

    cure = "Wait until it has ended, or stop it: it goes on where it was when the same file is imported again."


class ImportUnfinished(ExtractError):
    """An import of another file is not finished, or its file was changed since."""

    cure = "Import that file again, unchanged, to finish it; or give --set-aside to end it with the rows it has."


class JournalDamaged(ExtractError):
    """The journal of an import cannot be read."""

    cure = "Restore the folder from a backup of the home."


class JournalMissing(ExtractError):
    """The ledger knows this import, and its journal is not in this home."""

    cure = "Restore the folder imports/ from a backup of the home that imported it."


class FormDiffers(ExtractError):
    """The import of this file was begun with another form."""

    cure = (
        "Give --encoding, --delimiter and --profile as they were; to read the rows otherwise save them as other bytes, "
        "in UTF-8 with a byte order mark or without, and import that, with --set-aside where this one is not finished."
    )


class ImportRefused(ExtractError):
    """The ledger refused a part of the import."""

    cure = "Sign with the key of an import officer; what was imported stays, and the same command goes on from there."
