"""`kerege export`: the whole state at one block as lines of JSON, readable without this program.

The first line says which ledger, which block and which roots; every other line is a row as `kerege.kernel.export`
writes it, in order of keys.
"""

import json
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from kerege.cli.files import outside_homes, replacing
from kerege.cli.options import DEFAULT_HOME, AsJson, Home
from kerege.cli.output import show
from kerege.cli.wiring import CommandError, wiring
from kerege.consensus.door import Door, collect
from kerege.kernel.block import Head
from kerege.kernel.export import FORMAT, export_row
from kerege.kernel.module import Modules
from kerege.modules import MODULES

app = typer.Typer()

ATTEMPTS = 3
"""How often the state is read anew where a running node made a block meanwhile."""


@app.command()
def export(
    file: Annotated[Path, typer.Option("--out", help="Where to write the rows, a line each.", callback=outside_homes)],
    home: Home = DEFAULT_HOME,
    *,
    json_: AsJson = False,
) -> None:
    """Write the whole state at the newest block as lines of JSON; the node may run or not."""
    with wiring().open_door(home) as door:
        for _ in range(ATTEMPTS):
            told = _attempt(door, file)
            if told is not None:
                show({"file": str(file), **told}, as_json=json_)
                return
    sentence = f"the node makes blocks faster than {file} is written: stop the node, then export; nothing was written."
    raise CommandError(sentence, 1)


class _Moved(Exception):
    """A block was made while the state was read: the rows are of two blocks."""


def _attempt(door: Door, file: Path) -> dict[str, Any] | None:
    """What was written, or None where the ledger went on meanwhile and the file is as it was before."""
    head = door.head()
    try:
        with replacing(file) as draft:
            rows = _write(draft, door, head)
    except _Moved:
        return None
    return {"ledger": door.ledger, "height": head.height, "state_root": head.state_root.hex(), "rows": rows}


def _write(draft: IO[bytes], door: Door, head: Head) -> int:
    """Every line of the file; returns the number of rows, raises `_Moved`."""
    modules, rows = Modules(MODULES), 0
    draft.write(line_of(_about(modules, door, head)))
    for prefix in sorted(table.prefix for table in modules.tables.values()):
        for key, stored in collect(door, prefix):
            draft.write(line_of(export_row(modules, key, stored, door.prefix)))
            rows += 1
    if door.head() != head:
        raise _Moved
    return rows


def _about(modules: Modules, door: Door, head: Head) -> dict[str, Any]:
    """Which ledger, which block, which roots."""
    return {
        "format": FORMAT,
        "ledger": door.ledger,
        "prefix": door.prefix,
        "height": head.height,
        "time": head.time,
        "app_hash": head.app_hash.hex(),
        "state_root": head.state_root.hex(),
        "module_roots": dict(zip(modules.names, (root.hex() for root in head.module_roots), strict=True)),
        "log_root": head.log_root.hex(),
        "log_size": head.log_size,
    }


def line_of(form: dict[str, Any]) -> bytes:
    """A line of the file: nothing in it can be written in two ways."""
    return json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
