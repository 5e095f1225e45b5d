"""Printing for people, or as JSON for programs."""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, TextIO, cast


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
    _people().complain(sentence, title=title)


def say(sentence: str) -> None:
    """A sentence on standard output, in one line however long."""
    _people().say(sentence)


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
    else:
        _people().show(value)


def show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """A list of rows: a JSON array of objects, or a table; in a terminal too narrow for it a line for each value."""
    if as_json:
        dump([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        _people().show_rows(title, columns, rows)


def _people() -> Any:  # noqa: ANN401 - a module
    """Loaded when something is told to people: what is asked for as JSON draws no tables."""
    return import_module("kerege.cli.people")


def when(time: int) -> str:
    """A block time for people: UTC to the second."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
