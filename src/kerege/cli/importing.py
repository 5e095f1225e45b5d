"""`kerege import …`: old registries move in."""

from pathlib import Path
from typing import Annotated

import typer

from kerege.cli.files import outside_homes
from kerege.cli.keystore import signer_of
from kerege.cli.options import DEFAULT_HOME, As, AsJson, Home
from kerege.cli.output import dump, say
from kerege.cli.progress import bar
from kerege.cli.wiring import CommandError, wiring
from kerege.gateways.extracts.wanted import Wanted

MANY, NEARLY_ALL = 100, 0.9
"""Rows, and the share of them that a sound file read rightly never has rejected."""

app = typer.Typer(help="Move an old registry onto the ledger.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Move an old registry onto the ledger."""


@app.command()
def births(
    file: Annotated[Path, typer.Argument(help="Extract of an old registry: CSV of any size.")],
    home: Home = DEFAULT_HOME,
    outcomes: Annotated[
        Path | None, typer.Option(help="Write `row,outcome,detail` for every row here.", callback=outside_homes)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an XLSX with every finding here.", callback=outside_homes)
    ] = None,
    profile: Annotated[Path | None, typer.Option(help="Form of the file, where no known one fits its header.")] = None,
    encoding: Annotated[str | None, typer.Option(help="utf-8, utf-16, cp1251, cp866 or koi8-r; else detected.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Else detected.")] = None,
    as_: As = "",
    *,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Show the cells in the report: a clear copy, guard it.")
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="End an unfinished import of another file with the rows it has.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Import births: every row ends in one outcome, every accepted row is a record with its proof.

    After a kill the same command goes on; the same file again changes nothing. The node may run or not.
    """
    if Path("-") in {outcomes, report}:
        sentence = "results are written to files: give --outcomes and --report names other than -."
        raise CommandError(sentence)
    if with_values and report is None:
        sentence = "--with-values is about the report: name its file with --report FILE.xlsx."
        raise CommandError(sentence)
    wanted = Wanted(
        file=file,
        profile=profile,
        encoding=encoding,
        delimiter={"\\t": "\t"}.get(delimiter or "", delimiter),
        outcomes=outcomes,
        report=report,
        with_values=with_values,
        set_aside=set_aside,
    )
    with bar("rows") as progress:
        told = wiring().import_births(home, wanted, signer_of(home, as_) if as_ else None, progress)
    if json_:
        dump(told)
        return
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in told["outcomes"].items())
    say(f"{told['rows']:,} rows: {counts}; {told['transactions']:,} transactions sent")
    if told["resumed_at"]:
        say(f"{told['resumed_at']:,} rows were done before")
    if told["rows"] >= MANY and told["outcomes"]["rejected"] > told["rows"] * NEARLY_ALL:
        say("nearly every row is rejected: look whether --encoding, --delimiter and --profile are those of the file")
    if told["open_end"]:
        say("the last line has no end: compare the file's size with the original, its last value may be cut off")
    if outcomes is not None:
        say(f"outcomes: {outcomes}")
    if report is not None:
        say(f"report: {report}")
