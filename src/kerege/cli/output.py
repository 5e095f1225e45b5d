"""Printing for people, or as JSON for programs."""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO, cast

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

WIDE = 240
"""Columns of a table that nobody looks at on a terminal: a file, a pipe."""
READABLE = 20
"""Columns of a terminal for each column of a table whose values are folded: narrower ones are no words any more."""
UNBOUNDED = 100_000


def open_streams() -> None:
    """Standard streams that take every letter: what the terminal's encoding does not have is written as its code.

    A stream that was closed by whoever started the program takes all and keeps nothing, so that the exit code is right.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere("w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdin is None:
        sys.stdin = _nowhere("r")


def _nowhere(mode: str) -> TextIO:
    return cast("TextIO", os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _json(value: Any, indent: int | None) -> str:  # noqa: ANN401 - JSON
    """JSON in the letters that standard output has."""
    plain = (sys.stdout.encoding or "").replace("-", "").lower() != "utf8"
    return json.dumps(value, ensure_ascii=plain, indent=indent, default=str) + "\n"


def complain(sentence: str, *, title: str = "") -> None:
    """A sentence on standard error, in one line however long."""
    text = Text(title + " " if title else "", style="bold red").append(sentence, style="red")
    Console(stderr=True, soft_wrap=True).print(text, highlight=False)


def say(sentence: str) -> None:
    """A sentence on standard output, in one line however long."""
    Console(soft_wrap=True).print(Text(sentence), highlight=False)


def dump(value: Any) -> None:  # noqa: ANN401 - JSON
    """JSON on standard output."""
    sys.stdout.write(_json(value, 1))


def dump_line(value: Any) -> None:  # noqa: ANN401 - JSON
    """JSON on one line of standard output: one object after another."""
    sys.stdout.write(_json(value, None))


def show(value: Mapping[str, Any], *, as_json: bool) -> None:
    """One object: indented JSON, or a name and a value a line."""
    if as_json:
        dump(value)
        return
    console = Console(soft_wrap=True)
    for name, item in value.items():
        told = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)
        gap = "" if told.startswith("\n") else "  "  # what has lines of its own begins on the next one
        console.print(Text(name, style="bold").append(f"{gap}{told}", style="not bold"), highlight=False)


def show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """A list of rows: a JSON array of objects, or a table; in a terminal too narrow for it a line for each value."""
    if as_json:
        dump([dict(zip(columns, row, strict=True)) for row in rows])
        return
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


def when(time: int) -> str:
    """A block time for people: UTC to the second."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
