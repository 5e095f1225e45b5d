"""What the columns of one old registry's extract mean: data of the nation pack, recognised by the header."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from unicodedata import normalize

import msgspec
import yaml
from msgspec import Meta

from kerege.gateways.extracts.errors import ProfileInvalid
from kerege.gateways.extracts.limits import MAXIMUM_COLUMNS, MAXIMUM_PROFILE

Field = Literal[
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
]
"""What a row of births may say."""

FIELDS: tuple[str, ...] = get_args(Field)
OPTIONAL = frozenset({"patronymic", "place_name", "mother_pin", "father_pin"})
"""Fields that an extract may lack: none of them is needed to know whose birth and which act a row is."""

Encoding = Literal["utf-8", "utf-16", "cp1251", "cp866", "koi8-r"]
ENCODINGS: tuple[str, ...] = get_args(Encoding)

SPACES = " \t\n\r\v\f\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000\ufeff"
"""Spaces and no-break spaces: they do not count around a value, nor around a column's name."""

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Words = Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=20)]
_DATE_PARTS = re.compile("DD|MM|YYYY")


class Sexes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words for the two sexes, letter by letter."""

    male: _Words
    female: _Words


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form of extract."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    registry: Literal["birth"]
    columns: dict[_Name, Field]
    """Column name → what it holds; the order of the columns does not matter."""
    ignored: tuple[_Name, ...] = ()
    """Columns that may be there and are not imported."""
    sex: Sexes
    date: Annotated[str, Meta(max_length=20)]
    """DD, MM and YYYY, each once, as in `DD.MM.YYYY`."""
    encodings: tuple[Encoding, ...] = ()
    """What such files are usually written in; the first one is taken where the file's first bytes do not tell."""

    def header(self) -> frozenset[str]:
        """Names of all columns of the file."""
        return frozenset((*self.columns, *self.ignored))


class Layout(msgspec.Struct, frozen=True):
    """Where the fields of a profile stand in one file."""

    profile: Profile
    width: int
    """Cells of a whole row."""
    places: tuple[int, ...]
    """Place of each of `FIELDS` in a row; `width` for a field that the file does not have."""

    @property
    def needed(self) -> int:
        """Cells up to the last one that is read: programs leave out empty ones behind it."""
        return 1 + max(place for place in self.places if place < self.width)

    def place(self, field: str) -> int | None:
        """The place of a field in a row, from 0; None where the file does not have it."""
        place = self.places[FIELDS.index(field)]
        return None if place == self.width else place


def recognise(header: Sequence[str], profiles: Iterable[Profile]) -> Layout | None:
    """The profile whose columns are those of the header, in any order; None where none is.

    A column that a profile ignores may lack. Spaces around a name do not count, nor does a column without a name.
    """
    names = _names(header)
    named = [name for name in names if name]
    if len(set(named)) != len(named):
        return None
    for profile in profiles:
        if profile.columns.keys() <= set(named) <= profile.header():
            places: dict[str, int] = {field: names.index(name) for name, field in profile.columns.items()}
            return Layout(profile, len(names), tuple(places.get(field, len(names)) for field in FIELDS))
    return None


class Difference(msgspec.Struct, frozen=True):
    """What keeps a header from being a profile's."""

    profile: Profile
    missing: tuple[str, ...]
    """Columns of the profile that the header lacks."""
    twice: tuple[str, ...]
    """Columns of the profile that the header names more than once."""
    unknown: int
    """Columns of the header that are none of the profile."""


def difference(header: Sequence[str], profile: Profile) -> Difference:
    """How a header differs from that of a profile."""
    named = [name for name in _names(header) if name]
    missing = tuple(name for name in profile.columns if name not in named)
    twice = tuple(name for name in profile.columns if named.count(name) > 1)
    return Difference(profile, missing, twice, len(set(named) - profile.header()))


def _names(header: Sequence[str]) -> list[str]:
    return [normalize("NFC", name.strip(SPACES)) for name in header]


def parse_profile(text: str, file: str) -> Profile:
    """The profile in a YAML text. Raises `ProfileInvalid`; `file` is what its sentence calls the place."""
    data = _plain(text, file)
    try:
        profile = msgspec.convert(data, Profile, strict=True)
    except msgspec.ValidationError as error:
        raise ProfileInvalid(file=file, reason=error) from error
    for reason in _faults(profile):
        raise ProfileInvalid(file=file, reason=reason)
    return profile


def read_profile(path: Path) -> Profile:
    """The profile in a file. Raises `ProfileInvalid`."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAXIMUM_PROFILE + 1)
    except OSError as error:
        raise ProfileInvalid(file=path, reason=error.strerror) from error
    if len(raw) > MAXIMUM_PROFILE:
        raise ProfileInvalid(file=path, reason=f"larger than {MAXIMUM_PROFILE} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProfileInvalid(file=path, reason="not UTF-8") from error
    return parse_profile(text, str(path))


def read_profiles(folder: Path) -> tuple[Profile, ...]:
    """All profiles `*.yaml` of a folder, by file name. Raises `ProfileInvalid`, also for two with one header."""
    profiles = tuple(read_profile(path) for path in sorted(folder.glob("*.yaml")))
    check_distinct(profiles, str(folder))
    return profiles


def check_distinct(profiles: Sequence[Profile], place: str) -> None:
    """Raise `ProfileInvalid` where two profiles have one code, or one header, so that none could be recognised."""
    if len({profile.code for profile in profiles}) < len(profiles):
        raise ProfileInvalid(file=place, reason="two profiles have one code")
    if len({frozenset(profile.columns) for profile in profiles}) < len(profiles):
        raise ProfileInvalid(file=place, reason="two profiles have one header")


def _faults(profile: Profile) -> Iterator[str]:
    fields = list(profile.columns.values())
    names = [*profile.columns, *profile.ignored]
    missing = [field for field in FIELDS if field not in fields and field not in OPTIONAL]
    if missing:
        yield f"no column for {', '.join(missing)}"
    if len(set(fields)) < len(fields):
        yield "two columns for one field"
    if len(set(names)) < len(names) or len(names) > MAXIMUM_COLUMNS:
        yield f"a column is named twice, or more than {MAXIMUM_COLUMNS} columns"
    if any(name != normalize("NFC", name.strip(SPACES)) for name in names):
        yield "a column's name has spaces around it, or is not NFC"
    if set(profile.sex.male) & set(profile.sex.female):
        yield "one word for both sexes"
    if sorted(_DATE_PARTS.findall(profile.date)) != ["DD", "MM", "YYYY"]:
        yield "the date format needs DD, MM and YYYY, each once"


def _plain(text: str, file: str) -> Any:  # noqa: ANN401 - plain data
    """Mappings, lists and texts; no tags, aliases, double keys or second document, so no bombs and no objects."""
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise ProfileInvalid(file=file, reason=f"{_line(event)}: anchor, alias or tag")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ProfileInvalid(file=file, reason=f"no YAML{f' in line {mark.line + 1}' if mark else ''}") from error
    return None if node is None else _value(node, file)


def _value(node: yaml.Node, file: str) -> Any:  # noqa: ANN401 - plain data
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, file) for inner in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    built: dict[str, Any] = {}
    for key, inner in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in built:
            raise ProfileInvalid(file=file, reason=f"{_line(key)}: a key that stands twice, or is no text")
        built[key.value] = _value(inner, file)
    return built


def _line(part: yaml.Event | yaml.Node) -> str:
    mark = part.start_mark
    return f"line {mark.line + 1}" if mark else "somewhere"
