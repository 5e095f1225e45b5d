"""`kerege readmodel …`: the ledger as SQL tables."""

import sys

import typer

from kerege.cli.options import DEFAULT_HOME, AsJson, Database, Home
from kerege.cli.output import say, show
from kerege.cli.progress import bar
from kerege.cli.wiring import wiring

app = typer.Typer(help="The ledger as SQL tables, in SQLite or PostgreSQL.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The ledger as SQL tables, in SQLite or PostgreSQL."""


@app.command()
def rebuild(home: Home = DEFAULT_HOME, database: Database = None, *, json_: AsJson = False) -> None:
    """Drop the tables and build them from the ledger's first block; the node may run or not."""
    with bar("blocks") as progress:
        told = wiring().rebuild_read_model(home, database, progress)
    show(told, as_json=json_)


@app.command()
def status(home: Home = DEFAULT_HOME, database: Database = None, *, json_: AsJson = False) -> None:
    """How far the tables are behind the ledger."""
    show(wiring().read_model_status(home, database), as_json=json_)


@app.command()
def follow(home: Home = DEFAULT_HOME, database: Database = None, *, json_: AsJson = False) -> None:
    """Keep the tables where the ledger is, in the foreground; `kerege up` runs this beside the node."""
    wiring().prefix(home)
    if not json_:
        say("following the ledger; Ctrl-C stops")
        sys.stdout.flush()
    show(wiring().follow_read_model(home, database), as_json=json_)
