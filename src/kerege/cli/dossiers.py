"""`kerege dossiers …`: the data controller's work on encrypted personal data. No command shows a value."""

from pathlib import Path
from typing import Annotated

import typer

from kerege.cli.keystore import signer_of
from kerege.cli.options import DEFAULT_HOME, As, AsJson, Home, hex_id
from kerege.cli.output import show
from kerege.cli.wiring import CommandError, Signer, wiring

app = typer.Typer(help="The controller's encrypted personal data.", no_args_is_help=True)


@app.command()
def check(home: Home = DEFAULT_HOME, as_: As = "", *, json_: AsJson = False) -> None:
    """Open every commitment of the ledger: missing 0, wrong 0. The run is on the ledger before it begins."""
    report = wiring().check_dossiers(home, _signer(home, as_))
    show(report, as_json=json_)
    raise typer.Exit(0 if not (report["missing"] or report["wrong"] or report["unannounced"]) else 1)


@app.command()
def erase(
    about: Annotated[str, typer.Argument(help="Case whose erasable dossier is destroyed, in hex.")],
    home: Home = DEFAULT_HOME,
    as_: As = "",
    *,
    json_: AsJson = False,
) -> None:
    """Erase the request of a case that has ended for good: its keys are destroyed, a public tombstone remains."""
    show(wiring().erase_dossier(home, hex_id(about), _signer(home, as_)), as_json=json_)


@app.command()
def tidy(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """Do what time makes due; let a timer run this every day.

    Dossiers whose transaction can commit no more are destroyed, and numbers and blanks set aside for one go back. An
    erasure that was cut off is finished, backups of keys past their term go, and a new epoch of keys begins in time for
    the erasures that wait for it.
    """
    show(wiring().tidy_dossiers(home), as_json=json_)


@app.command()
def rotate(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """Begin a new epoch of keys: every data key is wrapped anew, the old master keys are destroyed."""
    show(wiring().rotate_keys(home), as_json=json_)


@app.command()
def backup(
    home: Home = DEFAULT_HOME,
    rows: Annotated[Path | None, typer.Option("--rows", help="New folder for the sealed rows.")] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="New folder for the keys, apart from the rows: it expires.")
    ] = None,
    *,
    json_: AsJson = False,
) -> None:
    """Copy the sealed rows, the keys, or both. Keep them apart: rows without keys say nothing."""
    if rows is None and keys is None:
        raise CommandError("say what to copy and where to: --rows DIR, --keys DIR, or both.")
    if rows is not None and keys is not None and _same_place(rows, keys):
        raise CommandError("rows and keys in one place are no secret any more: choose folders apart.")
    show(wiring().backup_dossiers(home, rows, keys), as_json=json_)


def _same_place(rows: Path, keys: Path) -> bool:
    one, other = rows.resolve(), keys.resolve()
    return one == other or one in other.parents or other in one.parents


def _signer(home: Path, name: str) -> Signer | None:
    return signer_of(home, name) if name else None
