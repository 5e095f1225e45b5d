"""Writes a workbook (ECMA-376 SpreadsheetML) as a stream: no row stays in memory, and no copy of one on disk.

Libraries keep their rows in temporary files of their own, which would leave persons' values behind after a kill; this
writes each row straight into its place in the archive. Texts are inline strings, which no program takes for formulas,
whatever they begin with.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from html import escape
from typing import IO, BinaryIO, Protocol

from kerege.gateways.extracts.errors import OutputUnwritable, SheetFull

MAXIMUM_ROWS = 1_048_576
"""Rows of one sheet, by the format."""
MAXIMUM_TEXT = 32_767
"""Characters of one cell, by the format."""

PLAIN, HEAD, FOREIGN = 0, 1, 2
"""Styles: ours; column names; values from outside, which stay text also when somebody edits the cell."""

_OPENXML = "http://schemas.openxmlformats.org"
_MAIN = f"{_OPENXML}/spreadsheetml/2006/main"
_DOCUMENT = f"{_OPENXML}/officeDocument/2006/relationships"
_PACKAGE = f"{_OPENXML}/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_NAMELESS = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would be read as the escape for it."""

Cell = str | int


class Sheet(Protocol):
    """A sheet being written."""

    def row(self, cells: Sequence[Cell], styles: Sequence[int] = ()) -> None:
        """Write the next row; a style per cell, plain where none is given. Raises `SheetFull`."""


class Workbook:
    """Sheets written one after another into one archive."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._names: list[str] = []

    @contextmanager
    def sheet(self, name: str, widths: Sequence[int]) -> Iterator[Sheet]:
        """A further sheet; `widths` of its columns in characters. Its first row stays in view."""
        self._names.append(_sheet_name(name, self._names))
        info = _entry(f"xl/worksheets/sheet{len(self._names)}.xml")
        with self._archive.open(info, "w", force_zip64=True) as part:
            columns = "".join(
                f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'
                for place, width in enumerate(widths, 1)
            )
            part.write(
                f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
                '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
                f"<cols>{columns}</cols><sheetData>".encode()
            )
            yield _Rows(part)
            part.write(b"</sheetData></worksheet>")

    def close(self, order: Sequence[int]) -> None:
        """Finish the workbook; `order`: the sheets as they are shown, by their place of writing."""
        places = range(1, len(self._names) + 1)
        sheets = "".join(
            f'<sheet name="{escape(self._names[place])}" sheetId="{place + 1}" r:id="rId{place + 1}"/>'
            for place in order
        )
        related = "".join(
            f'<Relationship Id="rId{place}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{place}.xml"/>'
            for place in places
        )
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{_KIND}.worksheet+xml"/>'
            for place in places
        )
        parts = {
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}'
            f'<Relationship Id="rId0" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>{kinds}</Types>',
        }
        self._archive.writestr(_entry("xl/styles.xml"), _STYLES)
        for name, content in parts.items():
            self._archive.writestr(_entry(name), _XML + content)
        self._archive.close()

    def abandon(self) -> None:
        """Let go of an unfinished workbook; what was written is no workbook."""
        with suppress(OSError, ValueError, OutputUnwritable):
            self._archive.close()


class _Rows:
    """Rows of one sheet, each written as it comes."""

    def __init__(self, part: IO[bytes]) -> None:
        self._write = part.write
        self._number = 0

    def row(self, cells: Sequence[Cell], styles: Sequence[int] = ()) -> None:
        """Write the next row. Raises `SheetFull`."""
        if self._number >= MAXIMUM_ROWS:
            raise SheetFull(limit=MAXIMUM_ROWS)
        self._number += 1
        written = [
            _cell(f"{column_letters(place)}{self._number}", cell, styles[place] if place < len(styles) else PLAIN)
            for place, cell in enumerate(cells)
        ]
        self._write(f'<row r="{self._number}">{"".join(written)}</row>'.encode())


def column_letters(place: int) -> str:
    """The letters by which a spreadsheet calls the column at a place from 0: A to Z, AA and so on."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(at: str, cell: Cell, style: int) -> str:
    if isinstance(cell, int):
        return f'<c r="{at}" s="{style}"><v>{cell}</v></c>'
    text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", cell[:MAXIMUM_TEXT])
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """A name that the format allows and no other sheet has."""
    plain = _NAMELESS.sub(" ", name)[:_LONGEST_NAME].strip(" '") or "-"
    number = 1
    found = plain
    while found.casefold() in {other.casefold() for other in taken}:
        number += 1
        found = f"{plain[: _LONGEST_NAME - 8]} {number}"
    return found


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a clock: equal findings make equal bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
