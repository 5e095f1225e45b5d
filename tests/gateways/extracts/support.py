"""Small extracts written as text, and what they are judged against."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from kerege.gateways.extracts.comparing import MemoryKnown
from kerege.gateways.extracts.profile import Profile, read_profiles
from kerege.gateways.extracts.reader import open_extract
from kerege.gateways.extracts.row import Row, act_of
from kerege.gateways.extracts.rules import Outcome, Verdict, judge

FOLDER = Path(__file__).parents[3] / "src/kerege/nations/kg/extracts"
SHARED = Path(__file__).parents[4] / "shared/data"
TODAY = date(2026, 11, 21)
TERRITORY = frozenset({"41708203000000", "41711201000000"})

PROFILES: tuple[Profile, ...] = read_profiles(FOLDER)
HEAD = (
    "pin;surname;given_name;patronymic;sex;birth_date;place_code;place_name;"
    "mother_pin;father_pin;registered_on;act_number;office"
)
WHOLE = {
    "pin": "20512202000031",
    "surname": "Мамбетов",
    "given_name": "Өмүрбек",
    "patronymic": "Медерович",
    "sex": "Э",
    "birth_date": "05.12.2020",
    "place_code": "41708203000000",
    "place_name": "Аламүдүн району",
    "mother_pin": "10312199700037",
    "father_pin": "22007197900017",
    "registered_on": "10.12.2020",
    "act_number": "2020/1",
    "office": "ЗАГС-708203",
}
"""A row that is accepted."""


def line(**changed: str) -> str:
    """The whole row with some cells changed."""
    return ";".join((WHOLE | changed).values())


def text(*lines: str, head: str = HEAD) -> str:
    """A file of lines under a header."""
    return "\r\n".join((head, *lines, ""))


def write(folder: Path, content: str | bytes, *, encoding: str = "utf-8", name: str = "extract.csv") -> Path:
    """The file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def rows_of(path: Path, **given: Any) -> list[Row]:
    """All rows of a file by the pack's profiles."""
    return list(open_extract(path, PROFILES, **given).rows())


def row(number: int = 1, **changed: Any) -> Row:
    """The whole row as the rules see it, with some values changed."""
    values: dict[str, Any] = WHOLE | {
        "sex": "male",
        "birth_date": date(2020, 12, 5),
        "registered_on": date(2020, 12, 10),
    }
    values |= changed
    return Row(number=number, act=act_of(values["act_number"]), **values)


def judged(rows: Iterable[Row], known: MemoryKnown | None = None) -> list[tuple[str, str]]:
    """(outcome, detail) of rows in order, as one file."""
    known = known or MemoryKnown()
    known.begin_file()
    return [(verdict.outcome.value, verdict.detail) for verdict in _verdicts(rows, known)]


def _verdicts(rows: Iterable[Row], known: MemoryKnown) -> Iterable[Verdict]:
    for found in rows:
        verdict = judge(found, known, TERRITORY, TODAY)
        if verdict.outcome is Outcome.ACCEPTED:
            known.accept(found)
        yield verdict
