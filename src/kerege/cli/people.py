"""Printing for people, in colours and tables as the terminal takes them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

WIDE = 240
"""Columns of a table that nobody looks at on a terminal: a file, a pipe."""
READABLE = 20
"""Columns of a terminal for each column of a table whose values are folded: narrower ones are no words any more."""
UNBOUNDED = 100_000


def complain(sentence: str, *, title: str = "") -> None:
    """A sentence on standard error, in one line however long."""
    text = Text(title + " " if title else "", style="bold red").append(sentence, style="red")
    Console(stderr=True, soft_wrap=True).print(text, highlight=False)


def say(sentence: str) -> None:
    """A sentence on standard output, in one line however long."""
    Console(soft_wrap=True).print(Text(sentence), highlight=False)


def show(value: Mapping[str, Any]) -> None:
    """One object: a name and a value a line."""
    console = Console(soft_wrap=True)
    for name, item in value.items():
        told = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)
        gap = "" if told.startswith("\n") else "  "  # what has lines of its own begins on the next one
        console.print(Text(name, style="bold").append(f"{gap}{told}", style="not bold"), highlight=False)


def show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A list of rows: a table; in a terminal too narrow for it a line for each value."""
    console = Console()
    console = console if console.is_terminal else Console(width=WIDE)
    table = _table(title, columns, rows)
    natural = console.measure(table, options=console.options.update(max_width=UNBOUNDED)).maximum
    fits = natural <= console.width or console.width >= READABLE * len(columns)
    console.print(table if fits else _listing(title, columns, rows))


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(item)) for item in row))
    return table


def _listing(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Every value on a line of its own behind its column's name, an empty line between two rows."""
    listing = Table.grid("", Column("", overflow="fold"), padding=(0, 2, 0, 0))
    listing.title, listing.title_justify = title, "left"
    for number, row in enumerate(rows):
        if number:
            listing.add_row()
        for column, item in zip(columns, row, strict=True):
            listing.add_row(column, Text(_cell(item)))
    return listing


def _cell(item: Any) -> str:  # noqa: ANN401 - JSON
    return ", ".join(map(str, item)) if isinstance(item, list | tuple) else str(item)
