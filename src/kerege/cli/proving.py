"""`kerege prove`, `checkpoint`: what a ledger gives to those who verify."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kerege.cli.files import outside_homes, write_over
from kerege.cli.options import DEFAULT_HOME, AsJson, Home, hex_id
from kerege.cli.output import dump, show
from kerege.cli.wiring import wiring
from kerege.modules.registries.state import CERTIFICATES

app = typer.Typer()


@app.command()
def prove(
    transaction: Annotated[str, typer.Argument(help="Transaction id in hex.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the bundle.", callback=outside_homes)],
    home: Home = DEFAULT_HOME,
    certificate: Annotated[str, typer.Option(help="Certificate whose status is proven with it, in hex.")] = "",
    *,
    with_commit: Annotated[
        bool, typer.Option("--with-commit", help="With the engine's votes, by which it is final: of a network only.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Write the proof bundle of a transaction."""
    key = CERTIFICATES.encode_key(hex_id(certificate)) if certificate else None
    with wiring().open_door(home) as door:
        bundle = door.bundle(hex_id(transaction, 32), key, with_commit=with_commit)
    write_over(file, bundle)
    show({"file": str(file), "bytes": len(bundle)}, as_json=json_)


@app.command()
def checkpoint(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """The newest signed checkpoint."""
    with wiring().open_door(home) as door:
        note = door.checkpoint()
    if json_:
        dump({"checkpoint": note})
    else:
        sys.stdout.write(note)
