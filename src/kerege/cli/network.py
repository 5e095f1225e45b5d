"""`kerege network …`: several institutions run one ledger, each with an engine of its own."""

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from kerege.cli.files import read_bytes, write_over
from kerege.cli.options import DEFAULT_HOME, AsJson, Home
from kerege.cli.output import complain, dump, dump_line, say, show, show_rows
from kerege.cli.progress import bar
from kerege.cli.wiring import CommandError, wiring
from kerege.kernel.forms import to_json
from kerege.kernel.messages import Message

app = typer.Typer(help="A network of institutions, with the engine CometBFT.", no_args_is_help=True)

SHOWN = ("name", "height", "app_hash", "catching_up", "peers", "waiting", "rpc")
Who = Annotated[str | None, typer.Option("--member", help="Only of this one.")]
Founding = Annotated[Path, typer.Argument(help="Founding document.")]
OfferFile = Annotated[Path, typer.Argument(help="Offer of a member.")]
Snapshot = Annotated[
    bool, typer.Option("--snapshot", help="Begin at a snapshot that others offer, not at the first block.")
]
Listen = Annotated[
    str, typer.Option(help="This machine's own address, where others reach it by another one; 0.0.0.0 for all of them.")
]


@app.callback()
def group() -> None:
    """A network of institutions, with the engine CometBFT."""


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
def offer(
    home: Home,
    ledger: Annotated[str, typer.Option(help="Name of the network, as all agreed.")],
    institution: Annotated[str, typer.Option(help="Code of the institution.")],
    host: Annotated[str, typer.Option(help="Address at which the other members reach this machine.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="The first of four neighbouring ports: peers, rpc, metrics, watch. Else free ones."),
    ] = None,
    *,
    node: Annotated[
        bool, typer.Option("--node", help="Not a validator, but the node that has the dossiers and does not vote.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Draw a member's keys in its home, which they never leave, and write the offer for whoever collects them."""
    show(wiring().offer_member(home, ledger, institution, host, port, votes=not node), as_json=json_)


@app.command()
def collect(
    offers: Annotated[list[Path], typer.Argument(help="Offers of all institutions.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the founding document.")],
    ledger: Annotated[str, typer.Option(help="Name of the network, as all agreed.")],
    nation: Annotated[str, typer.Option(help="Code of the nation's pack.")] = "kg",
    founders: Annotated[
        Path | None, typer.Option("--keys", help="File with the public keys of the founding officials.")
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option("--dev", help="Home that gets throw-away keys for every office: never for a real ledger."),
    ] = None,
    *,
    json_: AsJson = False,
) -> None:
    """Make the founding document of a network from its offers; all compare its hash before they accept it."""
    if (dev is None) == (founders is None):
        raise CommandError(
            "say whose keys hold the offices: --keys FILE with the officials' public keys, or --dev HOME for "
            "throw-away keys that guard nothing; not both."
        )
    given = None if founders is None else read_bytes(founders)
    document = wiring().collect_offers(nation, ledger, [(str(path), read_bytes(path)) for path in offers], given, dev)
    write_over(out, document)
    if dev is not None:
        complain(
            f"throw-away keys of every office lie unencrypted in {dev / 'dev-keys'}: whoever reads them is the state. "
            "Never use this network for anything real.",
            title="WARNING",
        )
    show({"ledger": ledger, "founding": str(out), "hash": sha256(document).hexdigest()}, as_json=json_)


@app.command()
def accept(
    founding: Founding,
    home: Home,
    expected: Annotated[str, typer.Option("--hash", help="Its SHA-256 as agreed: another one is refused.")] = "",
    listen: Listen = "",
    *,
    json_: AsJson = False,
) -> None:
    """Check a founding document, made anew from the offers in it, and lay out what this home offered.

    Compare the hash that it shows with all others, aloud, before anything is started.
    """
    show(wiring().accept_founding(home, read_bytes(founding), expected, listen), as_json=json_)


@app.command()
def join(
    founding: Founding,
    home: Home,
    trust: Annotated[Path, typer.Option(help="Trust file of the network, from somebody who is trusted.")],
    listen: Listen = "",
    *,
    snapshot: Snapshot = False,
    json_: AsJson = False,
) -> None:
    """Lay out a validator that was not at the founding: it follows the others, and votes once the law says so."""
    told = wiring().join_network(home, read_bytes(founding), read_bytes(trust), listen, snapshot=snapshot)
    show(told, as_json=json_)


@app.command()
def introduce(offer: OfferFile, home: Home, *, json_: AsJson = False) -> None:
    """Let the members of a home know one that came later, from their next start on."""
    show(wiring().introduce_member(home, read_bytes(offer), str(offer)), as_json=json_)


@app.command()
def register(offer: OfferFile, *, json_: AsJson = False) -> None:  # noqa: ARG001 - messages are JSON either way
    """Print the messages that register an offer's keys, each with its proof: for `submit`, or for a proposal."""
    _dump_messages(wiring().register_offer(read_bytes(offer), str(offer)), "")


@app.command()
def seat(
    offer: OfferFile,
    home: Home = DEFAULT_HOME,
    power: Annotated[int, typer.Option(min=1, max=1_000_000, help="Weight of its vote.")] = 10,
    *,
    json_: AsJson = False,  # noqa: ARG001 - messages are JSON either way
) -> None:
    """Print the message that gives an offer's validator a vote: for a proposal to the board that names validators."""
    _dump_messages(wiring().seat_offer(home, read_bytes(offer), str(offer), power), wiring().prefix(home))


def _dump_messages(messages: Sequence[Message], prefix: str) -> None:
    dump([to_json(message, type(message), prefix) for message in messages])


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
    """Start every member that lies here, application and engine, and keep them running.

    Other commands use the same --home.
    """
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
    snapshot: Snapshot = False,
    after_halt: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHT/ROUND",
            help="Of a ledger that stands still without it: where all confirmed that it votes; `ask` changes nothing "
            "and tells what they are to confirm.",
        ),
    ] = None,
    lost: Annotated[
        list[str] | None, typer.Option(help="With --after-halt: another member whose memory of votes is gone.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Let a validator that lost its ledger, and kept its keys, begin anew while the others run.

    It votes again only above every height at which it can have voted before; where too many lost theirs for the others
    to go on, one of them above every vote that those know of it.
    """
    height = wiring().rejoin_network(home, member, snapshot=snapshot, after_halt=after_halt, lost=lost or [])
    show({"member": member, "votes_from": height}, as_json=json_)


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
