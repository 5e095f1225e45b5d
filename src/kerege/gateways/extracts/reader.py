"""Streams the records of a CSV file of any size: one row in memory at a time.

A record may span lines (RFC 4180). Blank lines are no records. Bytes that the encoding does not know are read as
U+FFFD: that row is judged as it stands and the file goes on. What has no rows, no profile or no bounds is refused.
"""

import codecs
import csv
import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from typing import TextIO

from msgspec import Struct, json

from kerege.gateways.extracts.detection import rank_encodings
from kerege.gateways.extracts.errors import (
    DelimiterLine,
    DelimiterUnknown,
    EncodingUnknown,
    ExtractChanged,
    ExtractCutOff,
    ExtractEmpty,
    ExtractUnreadable,
    ExtractWithoutRows,
    FieldTooLong,
    HeaderTooLong,
    HeaderUnknown,
    MarkMissing,
    QuoteUnclosed,
    RecordTooLong,
    TooManyColumns,
)
from kerege.gateways.extracts.limits import (
    MAXIMUM_COLUMNS,
    MAXIMUM_FIELD,
    MAXIMUM_HEADER,
    MAXIMUM_RECORD,
    SAMPLE,
)
from kerege.gateways.extracts.profile import ENCODINGS, Layout, Profile, difference, recognise
from kerege.gateways.extracts.row import Row, row_maker

DELIMITERS = (";", ",", "\t", "|")

_CODECS = {"utf-8": "utf-8-sig"}
_LINE_ENDS = ("\n", "\r")
_LONGEST_LETTER = 4
"""Bytes of a letter at most."""
_Stamp = tuple[int, int, int, int]


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    """What the bytes of a file are read by: two forms may make other rows of the same bytes."""

    encoding: str
    delimiter: str
    profile: str
    """Its code."""
    reading: str
    """Digest of what the profile makes of the cells: their places, the dates, the words of the sexes."""

    def __str__(self) -> str:
        return f"{self.encoding} with {self.delimiter!r} by {self.profile} {self.reading}"


class Extract(Struct, frozen=True):
    """A file of rows whose form is known. It is opened anew for each reading and must not change between them."""

    path: Path
    encoding: str
    delimiter: str
    layout: Layout
    stamp: _Stamp
    """Device, inode, size and time of the last change, as first seen."""
    open_end: bool
    """Whether the last line has no end: many files are written so, and so is one that was cut off."""

    @property
    def form(self) -> Form:
        """The form by which its rows are read."""
        profile = self.layout.profile
        read = json.encode((self.layout.width, self.layout.places, profile.date, profile.sex))
        return Form(self.encoding, self.delimiter, profile.code, sha256(read).hexdigest()[:8])

    def count(self) -> int:
        """How many records there are: reads the whole file, so that nothing begins before its form is known good.

        Raises what `records` raises.
        """
        return sum(1 for _ in self.records())

    def rows(self) -> Iterator[Row]:
        """Every record as a row to judge. Raises what `records` raises."""
        return starmap(row_maker(self.layout), self.records())

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """(number from 1 after the header, cells as they stand).

        Raises `ExtractWithoutRows`, `ExtractCutOff`, `ExtractChanged`, `ExtractUnreadable`, `RecordTooLong`,
        `FieldTooLong`, `TooManyColumns`, `QuoteUnclosed`.
        """
        with _open(self.path) as file:
            if _stamp(file.fileno()) != self.stamp:
                raise ExtractChanged(file=self.path)
            text = io.TextIOWrapper(
                file, encoding=_CODECS.get(self.encoding, self.encoding), errors="replace", newline=""
            )
            number = 0
            for number, cells in _records(text, self.delimiter, self.layout):
                yield number, cells
            if _stamp(file.fileno()) != self.stamp:
                raise ExtractChanged(file=self.path)
        if number == 0:
            raise ExtractWithoutRows(file=self.path)


def open_extract(
    path: Path, profiles: Sequence[Profile], *, encoding: str | None = None, delimiter: str | None = None
) -> Extract:
    """Find out the encoding, the delimiter and the profile of a file; what is given is taken as given.

    Raises `ExtractUnreadable`, `ExtractEmpty`, `ExtractNotText`, `ExtractCutOff`, `EncodingUnknown`, `MarkMissing`,
    `DelimiterUnknown`, `DelimiterLine`, `HeaderTooLong`, `HeaderUnknown`, `TooManyColumns`.
    """
    encoding = encoding and encoding.lower()
    _check_given(encoding, delimiter)
    with _open(path) as file:
        stamp = _stamp(file.fileno())
        sample = file.read(SAMPLE)
        tail = os.pread(file.fileno(), _LONGEST_LETTER, max(0, stamp[2] - _LONGEST_LETTER))
    if not sample.strip(b"\xef\xbb\xbf\xfe\xff \t\r\n\0"):
        raise ExtractEmpty(file=path)
    if encoding == "utf-16" and not sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise MarkMissing
    ranked = () if encoding else rank_encodings(sample, whole=stamp[2] <= len(sample))
    encodings = (encoding,) if encoding else ranked or ENCODINGS[:1]
    delimiters = (delimiter,) if delimiter else DELIMITERS
    too_wide = False
    for tried in encodings:
        text = sample.decode(_CODECS.get(tried, tried), "replace")
        for candidate in delimiters:
            header = _header(text, candidate)
            too_wide = too_wide or len(header) > MAXIMUM_COLUMNS
            layout = recognise(header, profiles)
            if layout is not None:
                # A header in ASCII fits every encoding: where the rows do not tell either, the profile does.
                silent = encoding is None and not ranked and bool(layout.profile.encodings)
                chosen = layout.profile.encodings[0] if silent else tried
                if _ends_in_letter(tail, stamp[2], chosen):
                    raise ExtractCutOff(file=path)
                return Extract(path, chosen, candidate, layout, stamp, not _ends_line(tail, chosen))
    if too_wide:
        raise TooManyColumns(row="header", limit=MAXIMUM_COLUMNS)
    text = sample.decode(_CODECS.get(encodings[0], encodings[0]), "replace")
    if text.lower().startswith("sep="):
        raise DelimiterLine
    raise HeaderUnknown(**_nearest(text, delimiters, profiles), **_forms(profiles, delimiters[0]))


def _check_given(encoding: str | None, delimiter: str | None) -> None:
    if encoding is not None and encoding not in ENCODINGS:
        raise EncodingUnknown
    if delimiter is not None and delimiter not in DELIMITERS:
        raise DelimiterUnknown


def _ends_in_letter(tail: bytes, size: int, encoding: str) -> bool:
    """Whether only a part of the last letter is there."""
    if encoding == "utf-16":
        return size % 2 == 1
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    decoder.decode(tail)
    return bool(decoder.getstate()[0])


def _ends_line(tail: bytes, encoding: str) -> bool:
    return (tail[-2:].strip(b"\0") if encoding == "utf-16" else tail[-1:]) in {b"\n", b"\r"}


def _forms(profiles: Sequence[Profile], delimiter: str) -> dict[str, object]:
    return {profile.code: delimiter.join((*profile.columns, *profile.ignored)) for profile in profiles}


def _nearest(text: str, delimiters: Sequence[str], profiles: Sequence[Profile]) -> dict[str, object]:
    """How the header differs from the profile that it fits best; nothing where it fits none.

    Names of columns that no profile knows are counted, not told: without a header they would be a person's.
    """
    found = [difference(_header(text, one), profile) for one in delimiters for profile in profiles]
    best = min(found, key=lambda each: len(each.missing), default=None)
    if best is None or len(best.missing) * 2 > len(best.profile.columns):
        return {}
    told: dict[str, object] = {"nearest": best.profile.code}
    told |= {"missing": " ".join(best.missing)} if best.missing else {}
    told |= {"named_twice": " ".join(best.twice)} if best.twice else {}
    return told | ({"columns_unknown": best.unknown} if best.unknown else {})


def _header(text: str, delimiter: str) -> list[str]:
    """The first record; no cells where it does not end within the bound. Raises `HeaderTooLong`."""
    start = text[:MAXIMUM_HEADER]
    if len(text) > len(start) and not any(end in start for end in _LINE_ENDS):
        raise HeaderTooLong(limit=f"{MAXIMUM_HEADER} characters")
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    return next((cells for cells in reader if cells), [])


def _records(text: TextIO, delimiter: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Records after the header, each within the bounds."""
    lines = _Lines(text, layout)
    reader = csv.reader(lines.each(), delimiter=delimiter)
    number = -1
    for cells in reader:
        if not cells:
            lines.forget()
            continue
        number += 1
        lines.number = number + 1
        _check(lines, cells, number)
        if len(lines.parts) > 1:
            _check_quotes(lines.parts, delimiter, number)
        lines.forget()
        if number:
            yield number, cells


def _check(lines: "_Lines", cells: list[str], number: int) -> None:
    """Raise what is wrong with the form of one record."""
    if lines.ended or (len(cells) < lines.layout.width and lines.cuts(len(cells))):
        raise ExtractCutOff(row=number)
    if lines.taken > MAXIMUM_FIELD and max(map(len, cells)) > MAXIMUM_FIELD:
        raise FieldTooLong(row=number, limit=f"{MAXIMUM_FIELD} characters")
    if len(cells) > MAXIMUM_COLUMNS:
        raise TooManyColumns(row=number, limit=MAXIMUM_COLUMNS)


def _check_quotes(parts: Sequence[str], delimiter: str, number: int) -> None:
    """Raise `QuoteUnclosed` where a record of several lines holds a quote that ends in the middle of a value.

    A stray quote swallows rows up to the next one, which was meant to open a value: what follows it is no delimiter.
    Within one line such quotes are letters, and harm nobody else.
    """
    try:
        for _ in csv.reader(parts, delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        raise QuoteUnclosed(row=number, lines=len(parts)) from None


class _Lines:
    """Hands lines to the csv reader and knows how much of them became no record yet."""

    def __init__(self, text: TextIO, layout: Layout) -> None:
        self._text = text
        self.layout = layout
        self._some_short = False
        """A record before lacks cells: to leave out empty ones is this file's way."""
        self.number = 0
        self.taken = 0
        """Characters since the last record."""
        self.parts: list[str] = []
        """Lines since the last record."""
        self.ended = False
        """The file ended while the csv reader wanted more: a quote is open."""

    def each(self) -> Iterator[str]:
        """Lines with their ends. Raises `RecordTooLong` before more than one record's bound is in memory."""
        read: Callable[[int], str] = self._text.readline
        while line := read(MAXIMUM_RECORD + 1):
            self.taken += len(line)
            if self.taken > MAXIMUM_RECORD:
                raise RecordTooLong(row=self.number, limit=f"{MAXIMUM_RECORD} characters")
            self.parts.append(line)
            yield line
        self.ended = self.taken > 0

    def cuts(self, cells: int) -> bool:
        """Whether the file lost its end in this record, which has only so many of the header's cells."""
        if not self.parts[-1].endswith(_LINE_ENDS) and (cells < self.layout.needed or not self._some_short):
            return True
        self._some_short = True
        return False

    def forget(self) -> None:
        """A record is complete: begin the next one."""
        self.taken = 0
        self.parts.clear()


def _open(path: Path) -> io.BufferedReader:
    """A regular file, open for reading; a pipe is not waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ExtractUnreadable(file=path, reason="no regular file")
        return io.BufferedReader(io.FileIO(handle, "rb"), 1 << 18)
    except (OSError, ValueError) as error:
        raise ExtractUnreadable(file=path, reason=getattr(error, "strerror", None) or error) from error


def _stamp(handle: int) -> _Stamp:
    found = os.fstat(handle)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
