"""The tables of a pack: territory, offices, holidays."""

from typing import Any, TypeVar

from msgspec import Struct

from kerege.node.pack.convert import convert
from kerege.node.pack.sources import Document, Folder, Row
from kerege.node.pack.types import Holiday, Office, Territory

T = TypeVar("T", bound=Struct)
_PERIOD = ("valid_from", "valid_to")
_BASIS = ("act", "article", "url", "read_on", "unverified")


def read_territory(folder: Folder, languages: tuple[str, ...]) -> tuple[Territory, ...]:
    """`territory.csv`: the classifier's columns, then dates and the names in further languages."""
    plain = ("code", "kind", "parent")
    rows = folder.table("territory.csv", (*plain, *_PERIOD, *_name_columns(languages)))
    return tuple(_struct(Territory, row, _plain(row, plain) | _period(row) | _names(row, languages)) for row in rows)


def read_offices(folder: Folder, languages: tuple[str, ...]) -> tuple[Office, ...]:
    """`offices.csv`: where each office stands and what it serves."""
    plain = ("code", "kind", "institution", "territory", "country")
    rows = folder.table("offices.csv", (*plain, *_PERIOD, "illustrative", *_name_columns(languages)))
    return tuple(
        _struct(
            Office,
            row,
            _plain(row, plain) | _period(row) | _names(row, languages) | {"illustrative": _truth(row, "illustrative")},
        )
        for row in rows
    )


def read_holidays(folder: Folder) -> tuple[Holiday, ...]:
    """`holidays.csv`: dates that differ from their weekday, each with its legal basis or `unverified`."""
    plain = ("day", "kind", "code", "source")
    holidays = []
    for row in folder.table("holidays.csv", (*plain, *_BASIS)):
        basis = _plain(row, ("act", "article", "url")) | {
            "read_on": row.cells["read_on"] or None,
            "unverified": _truth(row, "unverified"),
        }
        holidays.append(_struct(Holiday, row, _plain(row, plain) | {"legal_basis": basis}))
    return tuple(holidays)


def _struct(kind: type[T], row: Row, data: dict[str, Any]) -> T:
    return convert(kind, Document(row.file, data, {(): row.line}), (), data, {})


def _name_columns(languages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"name_{language}" for language in languages)


def _plain(row: Row, columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: row.cells[column] for column in columns}


def _period(row: Row) -> dict[str, Any]:
    return {column: row.cells[column] or None for column in _PERIOD}


def _names(row: Row, languages: tuple[str, ...]) -> dict[str, Any]:
    return {"names": {language: row.cells[f"name_{language}"] for language in languages}}


def _truth(row: Row, column: str) -> bool | str:
    """True or false where the cell says so; else the cell, which the struct then refuses."""
    cell = row.cells[column]
    return {"true": True, "false": False}.get(cell, cell)
