"""`kerege verify-export`: an exported state read back, row by row, and its roots computed anew from nothing else."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Annotated, Literal

import msgspec
import typer
from msgspec import Meta, Struct

from kerege.cli.exporting import line_of
from kerege.cli.files import unreadable
from kerege.cli.options import AsJson, hex_id
from kerege.cli.output import show
from kerege.cli.parsing import read_json
from kerege.cli.wiring import CommandError
from kerege.kernel.errors import BadForm
from kerege.kernel.export import export_row, import_row
from kerege.kernel.machine import app_hash, state_root
from kerege.kernel.module import Modules
from kerege.kernel.tree import hash_pairs, make_tree
from kerege.modules import MODULES

app = typer.Typer()

LONGEST_LINE = 16 * 1024 * 1024
CHUNK = 10_000
"""Rows hashed at a time."""

_Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Row = tuple[bytes, bytes]


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of an export."""

    format: Literal["kerege-export/1"]
    ledger: str
    prefix: str
    height: _Number
    time: _Number
    app_hash: _Hash
    state_root: _Hash
    module_roots: dict[str, _Hash]
    log_root: _Hash
    log_size: _Number


@app.command()
def verify_export(
    file: Annotated[Path, typer.Argument(help="What `kerege export` wrote.")],
    trusted: Annotated[
        str, typer.Option("--app-hash", help="Hash in hex that the block must have, from a source that you trust.")
    ] = "",
    *,
    json_: AsJson = False,
) -> None:
    """Read an export back and compute its roots anew: 0 they hold, 1 they do not, 2 it is no export of this release.

    That the rows are those of a certain ledger follows with --app-hash only, as `kerege show head` tells it there.
    """
    modules, expected = Modules(MODULES), hex_id(trusted, 32).hex() if trusted else ""
    try:
        with file.open("rb") as lines:
            about = _about(file, lines)
            if tuple(about.module_roots) != modules.names:
                sentence = f"{file} was written by another release, with other modules: read it back with that one."
                raise CommandError(sentence)
            rows = _Rows(file, modules, about.prefix, lines)
            difference = _difference(modules, about, rows, expected)
    except OSError as error:
        raise unreadable(file, error) from None
    told = {"ledger": about.ledger, "height": about.height, "app_hash": about.app_hash, "rows": rows.number}
    show({"ok": not difference, **told, "difference": difference or None}, as_json=json_)
    raise typer.Exit(1 if difference else 0)


def _about(file: Path, lines: IO[bytes]) -> About:
    try:
        return msgspec.json.decode(lines.readline(LONGEST_LINE), type=About)
    except msgspec.DecodeError as error:  # what is no JSON, and JSON of another shape
        sentence = f"{file} is no export ({error}): write one with `kerege export`."
        raise CommandError(sentence) from None


class _Rows:
    """The rows of an export in order; each raises `CommandError` where it is not what `kerege export` writes."""

    def __init__(self, file: Path, modules: Modules, prefix: str, lines: IO[bytes]) -> None:
        self.number = 0
        self._file = file
        self._modules = modules
        self._prefix = prefix
        self._lines = lines

    def __iter__(self) -> Iterator[_Row]:
        last = b""
        while raw := self._lines.readline(LONGEST_LINE):
            self.number += 1
            key, stored = self._row(raw)
            if key <= last:
                raise self._fault("is not behind the row before, in order of keys")
            last = key
            yield key, stored

    def _row(self, raw: bytes) -> _Row:
        try:
            form = read_json(raw)
            if not isinstance(form, dict):
                raise self._fault("is no row")
            key, stored = import_row(self._modules, form, self._prefix)
        except (BadForm, ValueError, TypeError, RecursionError) as error:
            raise self._fault(f"is no row ({error})") from None
        if line_of(export_row(self._modules, key, stored, self._prefix)) != raw:
            raise self._fault("is written otherwise than a row is")
        return key, stored

    def _fault(self, what: str) -> CommandError:
        return CommandError(f"{self._file}: line {self.number + 1} {what}; write it anew with `kerege export`.")


def _difference(modules: Modules, about: About, rows: Iterable[_Row], trusted: str) -> str:
    """Where what the rows give and what the file says part for the first time; empty where they do not."""
    roots = {name: make_tree().load((), about.height) for name in modules.names}
    for name, group in groupby(rows, key=lambda row: row[0].partition(b".")[0].decode()):
        roots[name] = make_tree().load(_chunks(group), about.height)
    for name, root in roots.items():
        if root.hex() != about.module_roots[name]:
            return f"the rows of {name} give the root {root.hex()}, the file says {about.module_roots[name]}"
    root = state_root(modules.names, list(roots.values()))
    computed = app_hash(root, bytes.fromhex(about.log_root)).hex()
    named = (("state root", root.hex(), about.state_root), ("app hash", computed, about.app_hash))
    for what, found, said in named:
        if found != said:
            return f"the {what} is {found}, the file says {said}"
    return f"the app hash is {computed}, not {trusted}" if trusted and computed != trusted else ""


def _chunks(rows: Iterable[_Row]) -> Iterator[bytes]:
    pairs: list[_Row] = []
    for row in rows:
        pairs.append(row)
        if len(pairs) == CHUNK:
            yield hash_pairs(pairs)
            pairs = []
    yield hash_pairs(pairs)
