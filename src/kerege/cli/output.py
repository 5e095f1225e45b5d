"""Printing for people, or as JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

out = Console()
err = Console(stderr=True)


def show(value: Mapping[str, Any], *, as_json: bool) -> None:
    """One object: indented JSON, or a name and a value a line."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
        return
    for name, item in value.items():
        out.print(f"[bold]{name}[/bold]  {item}", highlight=False)


def show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool) -> None:
    """A list of rows: a JSON array of objects, or a table."""
    if as_json:
        listed = [dict(zip(columns, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def when(time: int) -> str:
    """A block time for people: UTC to the second."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
