"""The program `kerege`: its commands and how it ends.

Exit codes: 0 done · 1 refused or not valid · 2 unusable input · 3 genuine but superseded, revoked or stale.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kerege import __version__, proofs
from kerege.cli import (
    asking,
    diffing,
    dossiers,
    exporting,
    exports,
    following,
    importing,
    keys,
    network,
    readmodel,
)
from kerege.cli.files import outside_homes, read_bytes, read_text, write_over
from kerege.cli.messages import MESSAGES, kind_of, module_app
from kerege.cli.options import DEFAULT_HOME, As, AsJson, Database, DryRun, Home, Lang, hex_id
from kerege.cli.output import complain, dump, dump_line, open_streams, say, show, show_rows
from kerege.cli.program import INTERRUPTED, Program, lost_output
from kerege.cli.progress import bar
from kerege.cli.sending import parse, read_form, resend, send, tell
from kerege.cli.wiring import CommandError, Wiring, hold, wiring
from kerege.consensus.outcomes import APPLIED
from kerege.kernel.forms import json_schema, to_json
from kerege.kernel.messages import Message
from kerege.modules import MODULES
from kerege.modules.registries.state import CERTIFICATES

app = typer.Typer(
    cls=Program,
    help="Kerege: the shared ledger under a digital state.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(dossiers.app, name="dossiers")
app.add_typer(importing.app, name="import")
app.add_typer(keys.app, name="keys")
app.add_typer(network.app, name="network")
app.add_typer(readmodel.app, name="readmodel")
app.add_typer(asking.app, name="show")
app.command()(exporting.export)
app.command()(following.follow)
app.command()(diffing.diff_state)
app.command("verify-export")(exports.verify_export)
for _module in MODULES:
    app.add_typer(module_app(_module), name=_module.name)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(f"kerege {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Kerege: the shared ledger under a digital state."""


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


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def verify(
    context: typer.Context,
    bundle: Annotated[str, typer.Argument(help="Proof bundle.")],
    trust: Annotated[str, typer.Option(help="Trust file.")],
    *,
    json_: AsJson = False,
    max_age: Annotated[int | None, typer.Option("--max-age", help="Days; an older checkpoint is stale.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="A newer signed checkpoint.")] = None,
    lang: Annotated[str, typer.Option(help="ky, ru or en.")] = "en",
    rpc: Annotated[
        str | None, typer.Option(help="Also ask an engine of a replicated ledger whether it is final by the votes.")
    ] = None,
    witness: Annotated[list[str] | None, typer.Option(help="Another engine that must show the same.")] = None,
) -> None:
    """Verify a proof offline: 0 valid, 1 not valid, 2 unusable, 3 superseded, revoked or stale."""
    if witness and rpc is None:
        sentence = "--witness is held against what --rpc shows: name an engine with --rpc as well."
        raise CommandError(sentence)
    arguments = [bundle, "--trust", trust, "--lang", lang, *context.args]
    arguments += ["--json"] if json_ else []
    arguments += ["--max-age", str(max_age)] if max_age is not None else []
    arguments += ["--checkpoint", checkpoint] if checkpoint is not None else []
    asked = proofs.cli.parse(arguments)
    if isinstance(asked, proofs.Exit):
        raise typer.Exit(int(asked))
    outcome = proofs.cli.judge(asked)
    if rpc is not None and outcome.exit in {proofs.Exit.VALID, proofs.Exit.NOT_CURRENT}:
        try:
            outcome = outcome.confirmed(following.confirm(Path(bundle), Path(trust), rpc, witness or ()))
        except following.NotConfirmed as stop:
            told = outcome.unconfirmed(proofs.Exit(stop.code), stop.reason) if json_ else outcome
            proofs.cli.tell(told, asked)
            raise
    proofs.cli.tell(outcome, asked)
    raise typer.Exit(int(outcome.exit))


@app.command("verify-ledger")
def verify_ledger(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """Replay the ledger from genesis and compare every root; also on a copy of the home without the dossiers."""
    with bar("blocks") as progress:
        report = wiring().verify_ledger(home, progress)
    show(report, as_json=json_)
    raise typer.Exit(0 if report["ok"] else 1)


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="A message as JSON, or a list applied together; - for standard input.")],
    home: Home = DEFAULT_HOME,
    as_: As = "",
    *,
    json_: AsJson = False,
    dry_run: DryRun = False,
    lang: Lang = "en",
) -> None:
    """Sign and submit messages from a file; several apply together or not at all."""
    given = parse(sys.stdin.read() if str(file) == "-" else read_text(file), str(file))
    prefix = wiring().prefix(home)
    messages = [read_form(form, kind_of(form), prefix) for form in (given if isinstance(given, list) else [given])]
    if not messages:
        sentence = f"{file} holds no message: see `kerege schema`."
        raise CommandError(sentence)
    if dry_run:
        dump([to_json(message, type(message), prefix) for message in messages])
        return
    raise typer.Exit(tell(home, send(home, as_, messages), lang, as_json=json_))


@app.command("resend")
def send_again(home: Home = DEFAULT_HOME, *, json_: AsJson = False, lang: Lang = "en") -> None:
    """Send again what was signed and had no answer: what the ledger took before is not done twice."""
    answers, told = resend(home), list[dict[str, Any]]()
    try:
        for each in answers:
            told.append(each)
            if not json_:
                tell(home, each, lang, as_json=False)
    finally:  # also where a later one finds nobody: what was answered is told
        if json_:
            dump(told)
        else:
            say(f"{len(told)} sent")
    raise typer.Exit(0 if all(each["outcome"] == APPLIED for each in told) else 1)


@app.command()
def schema(
    message: Annotated[str, typer.Argument(help="Tag of a message, e.g. bank.Transfer.")] = "",
    *,
    json_: AsJson = False,
) -> None:
    """JSON Schema of a message, or the list of messages."""
    if not message:
        show_rows("Messages", ("message", "about"), [(t, _about(k)) for t, k in MESSAGES.items()], as_json=json_)
        return
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": message}
    dump({**draft, **json_schema(kind_of({"type": message}))})


def _about(kind: type[Message]) -> str:
    return (kind.__doc__ or "").strip().split("\n", 1)[0]


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


@app.command()
def checkpoint(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """The newest signed checkpoint."""
    with wiring().open_door(home) as door:
        note = door.checkpoint()
    if json_:
        dump({"checkpoint": note})
    else:
        sys.stdout.write(note)


def main(given: Wiring) -> int:
    """Run the command line with a node's wiring; returns the exit code."""
    hold(given)
    open_streams()
    try:
        result = app(prog_name="kerege", standalone_mode=False)  # also as `python -m`: completion needs a name
    except typer.Abort:
        return INTERRUPTED
    except SystemExit as end:
        return int(end.code or 0)
    except OSError as error:  # of the help, which is printed before any command runs
        return lost_output(error)
    except Exception as error:  # a wrong option: the program has told every other fault
        shown = getattr(error, "show", None)
        if shown is None:
            raise
        shown()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0
