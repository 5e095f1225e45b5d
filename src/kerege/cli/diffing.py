"""`kerege diff-state`: where the ledgers of two homes part, down to the values."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kerege.cli.options import AsJson, folder_of
from kerege.cli.output import dump, say, show, show_rows
from kerege.cli.wiring import wiring

app = typer.Typer()

SHOWN = 100


@app.command()
def diff_state(
    one: Annotated[
        Path, typer.Argument(parser=folder_of, help="A home of a ledger, or a dump in its folder `divergence`.")
    ],
    other: Annotated[Path, typer.Argument(parser=folder_of, help="Another one of the same ledger.")],
    height: Annotated[
        int | None, typer.Option(min=0, help="Compare at this height; else at the newest that both have.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows shown at most.")] = SHOWN,
    *,
    json_: AsJson = False,
) -> None:
    """Compare two copies of a ledger: app hash, roots of modules, rows. 0 equal, 1 different; members may run."""
    told = wiring().compare_states(one, other, height, limit)
    if json_:
        dump(told)
    else:
        _tell(told)
    raise typer.Exit(0 if told["equal"] else 1)


def _tell(told: dict[str, Any]) -> None:
    listed = told.pop("rows")
    show(told, as_json=False)
    if listed:
        show_rows(
            "Rows that differ",
            ("module", "table", "key", "one", "other"),
            [(each["module"], each["table"], each["key"], each["one"], each["other"]) for each in listed],
            as_json=False,
        )
    if told["more"]:
        say(f"and {told['more']} more: --limit shows them")
