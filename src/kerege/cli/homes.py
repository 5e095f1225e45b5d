"""`kerege init`, `up`, `verify-ledger`, `trust`: a ledger in its home, from its beginning on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kerege.cli.files import outside_homes, read_bytes, write_over
from kerege.cli.options import DEFAULT_HOME, AsJson, Database, Home
from kerege.cli.output import complain, dump_line, say, show
from kerege.cli.progress import bar
from kerege.cli.wiring import CommandError, wiring

app = typer.Typer()


@app.command()
def init(
    home: Home,
    nation: Annotated[str, typer.Option(help="Code of the nation's pack.")] = "kg",
    founders: Annotated[
        Path | None, typer.Option("--keys", help="File with the public keys of the founding officials.")
    ] = None,
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Throw-away keys for every office: never for a real ledger.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Begin a ledger in a new home."""
    if dev == (founders is not None):
        raise CommandError(
            "say whose keys found the ledger: --keys FILE with the officials' public keys, or --dev for throw-away "
            "keys that guard nothing; not both."
        )
    ledger = wiring().create_home(home, nation, founders=None if founders is None else read_bytes(founders))
    if dev:
        complain(
            f"throw-away keys of every office lie unencrypted in {home / 'dev-keys'}: whoever reads them is the state. "
            "Never use this ledger for anything real.",
            title="WARNING",
        )
    show({"ledger": ledger, "home": str(home), "trust": str(home / "trust.json")}, as_json=json_)


@app.command()
def up(
    home: Home = DEFAULT_HOME,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Serve pages and API on this port of 127.0.0.1.")
    ] = None,
    database: Database = None,
    *,
    read_model: Annotated[bool, typer.Option(help="Keep the ledger as SQL tables too.")] = True,
    json_: AsJson = False,
) -> None:
    """Run a node in the foreground; other commands reach it through the home's socket.

    With --json each sentence is an object on a line of its own.
    """
    wiring().serve(home, _tell_now if json_ else _say_now, port, database, read_model=read_model)


def _say_now(sentence: str) -> None:
    say(sentence)
    sys.stdout.flush()  # whoever waits for the node reads this through a pipe


def _tell_now(sentence: str) -> None:
    dump_line({"said": sentence})
    sys.stdout.flush()


@app.command("verify-ledger")
def verify_ledger(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """Replay the ledger from genesis and compare every root; also on a copy of the home without the dossiers."""
    with bar("blocks") as progress:
        report = wiring().verify_ledger(home, progress)
    show(report, as_json=json_)
    raise typer.Exit(0 if report["ok"] else 1)


@app.command()
def trust(
    file: Annotated[Path, typer.Option("--out", help="Where to write the trust file.", callback=outside_homes)],
    home: Home = DEFAULT_HOME,
    *,
    json_: AsJson = False,
) -> None:
    """Write what a verifier needs to trust; hand it over by a way that the other side trusts."""
    raw = wiring().trust(home)
    write_over(file, raw)
    show({"file": str(file), "bytes": len(raw)}, as_json=json_)
