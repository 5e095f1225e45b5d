"""Files of a pack as plain data: bounded, inside the folder, one meaning per text.

YAML is read from its events, so that nothing is built before it is judged: anchors, aliases, tags, merge keys and
second documents are refused (no bombs, no objects), keys stand once, and only `true`, `false`, whole numbers and an
empty value are more than text: `no` stays a word and 2026-01-01 a text for whoever expects a date.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

from kerege.node.pack.errors import (
    BadColumns,
    FileMissing,
    FileTooLarge,
    FileUnknown,
    KeyTwice,
    NotText,
    NotYaml,
    OutsidePack,
)

MAXIMUM_FILE = 1 << 20
"""Bytes of one file; the largest of the Kyrgyz pack has about 60,000."""
MAXIMUM_FILES = 2_000
MAXIMUM_ROWS = 50_000
MAXIMUM_DEPTH = 24
MAXIMUM_NODES = 200_000
MAXIMUM_LINE_LENGTH = 10_000

Path_ = tuple[str | int, ...]
"""Keys and positions from the top of a document to one of its values."""

_INVISIBLE = {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that a pack's texts do not hold: they hide or command."""

_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_WORDS = {"true": True, "false": False, "": None, "null": None, "~": None}


class Document(Struct, frozen=True):
    """One YAML file as data, with the line on which each value begins."""

    file: str
    data: Any
    lines: dict[Path_, int] = field(default_factory=dict)

    def where(self, path: Path_) -> str:
        """`line 12, steps.0.role`: the nearest value that has a line."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = f"line {self.lines.get(known, 1)}"
        return f"{line}, {'.'.join(str(part) for part in path)}" if path else line


class Row(Struct, frozen=True):
    """One row of a table: cells by column, and where it stands."""

    file: str
    line: int
    cells: dict[str, str]

    def where(self, column: str) -> str:
        """`line 12, column valid_from`."""
        return f"line {self.line}, column {column}"


class Folder:
    """The files of one pack. Every file must be read once: what nobody reads is an error at `close`."""

    def __init__(self, folder: Path) -> None:
        """Raises `FileMissing`, `OutsidePack` for a link, `FileTooLarge` for more files than a pack has."""
        self._folder = folder
        if not folder.is_dir():
            raise FileMissing(str(folder), "")
        self._files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise OutsidePack(name, "", "a link")
            if path.is_file() and not name.endswith((".pyc", "~")):
                self._files[name] = path
            if len(self._files) > MAXIMUM_FILES:
                raise FileTooLarge(str(folder), "", f"more than {MAXIMUM_FILES} files")
        self._read: set[str] = set()
        self._digests: dict[str, bytes] = {}

    def names(self, under: str, suffix: str) -> tuple[str, ...]:
        """Files directly in the folder `under` with this suffix, sorted."""
        start = f"{under}/" if under else ""
        return tuple(
            name
            for name in self._files
            if name.startswith(start) and "/" not in name[len(start) :] and name.endswith(suffix)
        )

    def has(self, name: str) -> bool:
        """Whether the pack has the file."""
        return name in self._files

    def text(self, name: str) -> str:
        """The text of a file; raises `FileMissing`, `FileTooLarge`, `NotText`."""
        path = self._files.get(name)
        if path is None:
            raise FileMissing(name, "")
        if path.stat().st_size > MAXIMUM_FILE:
            raise FileTooLarge(name, "", f"{path.stat().st_size} bytes, at most {MAXIMUM_FILE}")
        raw = path.read_bytes()
        self._read.add(name)
        self._digests[name] = hashlib.sha256(raw).digest()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotText(name, f"byte {error.start}") from error
        _check_text(name, text)
        return text

    def yaml(self, name: str) -> Document:
        """A YAML file as data; raises `NotYaml`, `KeyTwice` and what `text` raises."""
        text = self.text(name)
        return _Builder(name, text).document()

    def table(self, name: str, columns: tuple[str, ...]) -> Iterator[Row]:
        """Rows of a comma-separated table with exactly these columns, in any order; raises `BadColumns`."""
        reader = csv.reader(io.StringIO(self.text(name)), strict=True)
        try:
            head = next(reader, [])
            if sorted(head) != sorted(columns):
                raise BadColumns(name, "line 1", f"needs {','.join(columns)}")
            for number, cells in enumerate(reader):
                if len(cells) != len(head) or number >= MAXIMUM_ROWS:
                    raise BadColumns(name, f"line {reader.line_num}", f"{len(cells)} cells, needs {len(head)}")
                yield Row(name, reader.line_num, dict(zip(head, cells, strict=True)))
        except csv.Error as error:
            raise BadColumns(name, f"line {reader.line_num}", error) from error

    def ignore(self, name: str) -> None:
        """Mark a file for people (a README) as known; it counts in the digest."""
        if self.has(name):
            self.text(name)

    def close(self) -> bytes:
        """SHA-256 over the sorted names and digests of all files; raises `FileUnknown` for one that nobody read."""
        for name in self._files:
            if name not in self._read:
                raise FileUnknown(name, "")
        total = hashlib.sha256()
        for name in sorted(self._digests):
            total.update(name.encode() + b"\0" + self._digests[name])
        return total.digest()


def check_plain_name(file: str, where: str, name: object) -> str:
    """A name that becomes part of a path: letters, digits, hyphens. Raises `OutsidePack`."""
    if not isinstance(name, str) or not _PLAIN_NAME.match(name):
        raise OutsidePack(file, where, name)
    return name


def _check_text(name: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        bad = next((letter for letter in line if unicodedata.category(letter) in _INVISIBLE), "")
        if bad:
            raise NotText(name, f"line {number}", f"U+{ord(bad):04X}")
        if len(line) > MAXIMUM_LINE_LENGTH:
            raise NotText(name, f"line {number}", f"longer than {MAXIMUM_LINE_LENGTH}")
        if not unicodedata.is_normalized("NFC", line):
            raise NotText(name, f"line {number}", "not NFC")


class _Builder:
    """Builds plain data from YAML events, refusing what a pack does not use."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._events = yaml.parse(text, Loader=_LOADER)
        self._lines: dict[Path_, int] = {}
        self._count = 0

    def document(self) -> Document:
        """The one document of the file."""
        try:
            event = self._next()
            while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
                event = self._next()
            data = self._value(event, ())
            self._expect_end()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}" if mark else ""
            raise NotYaml(self._file, where, getattr(error, "problem", "")) from error
        return Document(self._file, data, self._lines)

    def _line(self, event: Any) -> int:  # noqa: ANN401 - one of the library's event classes
        return int(event.start_mark.line) + 1

    def _next(self) -> Any:  # noqa: ANN401 - one of the library's event classes
        event = next(self._events, None)
        self._count += 1
        if event is None or self._count > MAXIMUM_NODES:
            raise NotYaml(self._file, "", "empty" if event is None else f"more than {MAXIMUM_NODES} parts")
        forbidden = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None)
        directive = isinstance(event, yaml.DocumentStartEvent) and (event.tags or event.version)
        if forbidden or directive:
            raise NotYaml(self._file, f"line {self._line(event)}", "anchor, alias, tag or directive")
        return event

    def _expect_end(self) -> None:
        for event in self._events:
            if not isinstance(event, (yaml.DocumentEndEvent, yaml.StreamEndEvent)):
                raise NotYaml(self._file, f"line {self._line(event)}", "a second document")

    def _value(self, event: Any, path: Path_) -> Any:  # noqa: ANN401 - plain data
        self._lines[path] = self._line(event)
        if len(path) > MAXIMUM_DEPTH:
            raise NotYaml(self._file, f"line {self._line(event)}", f"deeper than {MAXIMUM_DEPTH}")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        raise NotYaml(self._file, f"line {self._line(event)}", "no value")

    def _mapping(self, path: Path_) -> dict[str, Any]:
        built: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            where = f"line {self._line(event)}"
            if not isinstance(event, yaml.ScalarEvent) or event.value == "<<":
                raise NotYaml(self._file, where, "a key is a plain text")
            if event.value in built:
                raise KeyTwice(self._file, where, event.value)
            built[event.value] = self._value(self._next(), (*path, event.value))
        return built

    def _sequence(self, path: Path_) -> list[Any]:
        built: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            built.append(self._value(event, (*path, len(built))))
        return built


def _scalar(event: yaml.ScalarEvent) -> str | int | bool | None:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.match(text) else text


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where the wheel has it: events only, so nothing is constructed either way."""
