"""`kerege network …`: several institutions run one ledger, each with an engine of its own."""

import sys
from typing import Annotated

import typer

from kerege.cli.options import AsJson, Home
from kerege.cli.output import complain, dump, dump_line, say, show, show_rows
from kerege.cli.progress import bar
from kerege.cli.wiring import CommandError, wiring

app = typer.Typer(help="A network of institutions on this machine, with the engine CometBFT.", no_args_is_help=True)

SHOWN = ("name", "height", "app_hash", "catching_up", "peers", "waiting", "rpc")
Who = Annotated[str | None, typer.Option("--member", help="Only of this one.")]


@app.callback()
def group() -> None:
    """A network of institutions on this machine, with the engine CometBFT."""


@app.command()
def init(
    home: Home,
    validators: Annotated[int, typer.Option(min=1, max=16, help="How many institutions vote.")] = 4,
    nation: Annotated[str, typer.Option(help="Code of the nation's pack.")] = "kg",
    *,
    node: Annotated[
        bool, typer.Option("--node/--no-node", help="Beside them one that has the dossiers and does not vote.")
    ] = True,
    json_: AsJson = False,
) -> None:
    """Found a network in a new folder, with throw-away keys for every office and every validator.

    Each validator has a ledger and an engine of its own, and no dossiers.
    """
    told = wiring().create_network(home, nation, validators, node=node)
    complain(
        f"throw-away keys of every office and validator lie unencrypted in {home}: whoever reads them is the state. "
        "Never use this network for anything real.",
        title="WARNING",
    )
    show(told, as_json=json_)


@app.command()
def up(
    home: Home,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="The node serves pages and API on this port of 127.0.0.1.")
    ] = None,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    json_: AsJson = False,
) -> None:
    """Start every member, application and engine, and keep them running; other commands use the same --home."""
    if detach:
        with bar("members") as progress:
            told = wiring().start_network(home, port, progress)
        show(told, as_json=json_)
        return

    def tell(sentence: str) -> None:
        dump_line({"said": sentence}) if json_ else say(sentence)
        sys.stdout.flush()

    wiring().run_network(home, port, tell)


@app.command()
def down(home: Home, *, json_: AsJson = False) -> None:
    """Stop every member of a network, wherever it was started; what was accepted is kept."""
    show({"stopped": wiring().stop_network(home)}, as_json=json_)


@app.command()
def rejoin(
    member: Annotated[str, typer.Argument(help="Name of the validator that lost its disk.")],
    home: Home,
    *,
    json_: AsJson = False,
) -> None:
    """Let a validator that lost its ledger, and kept its keys, begin anew while the others run.

    It votes again only above every height at which it can have voted before.
    """
    show({"member": member, "votes_from": wiring().rejoin_network(home, member)}, as_json=json_)


@app.command()
def status(
    home: Home,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also the node that does not vote.")] = False,
    json_: AsJson = False,
) -> None:
    """Each validator's height and app hash as its engine tells them; null where it does not answer."""
    found = wiring().network_status(home, every=every or not json_)
    if json_:
        dump(found)
        return
    show_rows("Members", SHOWN, [[_cell(row[name]) for name in SHOWN] for row in found], as_json=False)


def _cell(value: object) -> object:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else value


@app.command()
def logs(
    home: Home,
    member: Who = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of each.")] = 20,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    json_: AsJson = False,
) -> None:
    """The newest lines that applications, engines and the supervisor wrote."""
    if follow and json_:
        sentence = "--follow never ends and JSON does: choose one."
        raise CommandError(sentence)
    found = wiring().network_logs(home, member, lines, follow=follow, raw=json_)
    if json_:
        dump([{"who": who, "line": line} for who, line in found])
        return
    for who, line in found:
        say(f"{who} | {line}")
        sys.stdout.flush()
