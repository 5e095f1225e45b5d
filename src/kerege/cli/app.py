"""The program `kerege`: its commands and how it ends.

Exit codes: 0 done · 1 refused or not valid · 2 unusable input · 3 genuine but superseded, revoked or stale.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerege import proofs
from kerege.cli import asking
from kerege.cli.messages import As, AsJson, Home, module_app
from kerege.cli.output import err, out, show, show_rows
from kerege.cli.sending import read_form, send
from kerege.cli.wiring import CommandError, Wiring, hold, wiring
from kerege.kernel.forms import json_schema
from kerege.kernel.messages import Message, tag_of
from kerege.modules import MODULES
from kerege.modules.registries.state import CERTIFICATES
from kerege.storage.errors import StorageError

app = typer.Typer(
    help="Kerege: the shared ledger under a digital state.", no_args_is_help=True, pretty_exceptions_enable=False
)
dossiers = typer.Typer(help="The controller's encrypted personal data.", no_args_is_help=True)
keys = typer.Typer(help="Keys of this home.", no_args_is_help=True)
app.add_typer(dossiers, name="dossiers")
app.add_typer(keys, name="keys")
app.add_typer(asking.app, name="show")
for _module in MODULES:
    app.add_typer(module_app(_module), name=_module.name)

MESSAGES: dict[str, type[Message]] = {tag_of(kind): kind for module in MODULES for kind in module.handlers}


@app.command()
def init(
    home: Home,
    nation: Annotated[str, typer.Option(help="Code of the nation's pack.")] = "kg",
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Throw-away keys for every office: never for a real ledger.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Begin a ledger in a new home."""
    ledger = wiring().create_home(home, nation, dev=dev)
    if dev:
        err.print(
            f"[bold red]WARNING[/bold red] throw-away keys of every office lie unencrypted in {home / 'dev-keys'}: "
            "whoever reads them is the state. Never use this ledger for anything real."
        )
    show({"ledger": ledger, "home": str(home), "trust": str(home / "trust.json")}, as_json=json_)


@app.command()
def up(home: Home) -> None:
    """Run a node in the foreground; other commands reach it through the home's socket."""
    wiring().serve(home, out.print)


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
) -> None:
    """Verify a proof bundle offline: 0 valid, 1 not valid, 2 unusable, 3 superseded, revoked or stale."""
    arguments = [bundle, "--trust", trust, "--lang", lang, *context.args]
    arguments += ["--json"] if json_ else []
    arguments += ["--max-age", str(max_age)] if max_age is not None else []
    arguments += ["--checkpoint", checkpoint] if checkpoint is not None else []
    raise typer.Exit(proofs.cli.main(arguments))


@app.command("verify-ledger")
def verify_ledger(home: Home, *, json_: AsJson = False) -> None:
    """Replay the ledger from genesis and compare every root; also on a copy of the home without the dossiers."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("blocks", total=None)
        report = wiring().verify_ledger(home, lambda done, total: bar.update(task, completed=done, total=total))
    show(report, as_json=json_)
    raise typer.Exit(0 if report["ok"] else 1)


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="A message as JSON, or a list applied together; - for standard input.")],
    home: Home = Path("var/home"),
    as_: As = "",
    *,
    json_: AsJson = False,
) -> None:
    """Sign and submit messages from a file."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    try:
        given = json.loads(text)
    except ValueError as error:
        sentence = f"{file} is not JSON ({error}): see `kerege schema`."
        raise CommandError(sentence) from None
    with wiring().open_door(home) as door:
        prefix = door.prefix
    forms = given if isinstance(given, list) else [given]
    told = [read_form(json.dumps(form), _kind(form), prefix) for form in forms]
    result = send(home, as_, told)
    show(result, as_json=json_)
    raise typer.Exit(0 if result["outcome"] == "applied" else 1)


def _kind(form: object) -> type[Message]:
    tag = form.get("type") if isinstance(form, dict) else None
    if tag not in MESSAGES:
        sentence = f"unknown message {tag}: `kerege schema` lists what can be sent."
        raise CommandError(sentence)
    return MESSAGES[tag]


@app.command()
def schema(message: Annotated[str, typer.Argument(help="Tag of a message, e.g. bank.Transfer.")] = "") -> None:
    """JSON Schema of a message, or the list of messages."""
    if not message:
        show_rows("Messages", ("message", "about"), [(t, _about(k)) for t, k in MESSAGES.items()], as_json=False)
        return
    show(json_schema(_kind({"type": message})), as_json=True)


def _about(kind: type[Message]) -> str:
    return (kind.__doc__ or "").strip().split("\n", 1)[0]


@app.command()
def prove(
    transaction: Annotated[str, typer.Argument(help="Transaction id in hex.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write the bundle.")],
    home: Home = Path("var/home"),
    certificate: Annotated[str, typer.Option(help="Certificate whose status is proven with it.")] = "",
) -> None:
    """Write the proof bundle of a transaction."""
    key = CERTIFICATES.encode_key(asking.hex_id(certificate)) if certificate else None
    with wiring().open_door(home) as door:
        bundle = door.bundle(asking.hex_id(transaction, 32), key)
    file.write_bytes(bundle)
    out.print(f"{file}: {len(bundle)} bytes")


@app.command()
def checkpoint(home: Home = Path("var/home")) -> None:
    """The newest signed checkpoint."""
    with wiring().open_door(home) as door:
        sys.stdout.write(door.checkpoint())


@dossiers.command("check")
def check(home: Home, *, json_: AsJson = False) -> None:
    """Open every commitment of the ledger: missing 0, wrong 0. The run is on the ledger before it begins."""
    report = wiring().check_dossiers(home)
    show(report, as_json=json_)
    raise typer.Exit(0 if not (report["missing"] or report["wrong"] or report["unannounced"]) else 1)


@dossiers.command("erase")
def erase(
    about: Annotated[str, typer.Argument(help="Case whose erasable dossier is destroyed, in hex.")],
    home: Home = Path("var/home"),
    *,
    json_: AsJson = False,
) -> None:
    """Erase a refused or withdrawn request for good: its keys are destroyed, a public tombstone remains."""
    show(wiring().erase_dossier(home, asking.hex_id(about)), as_json=json_)


@keys.command("list")
def list_keys(home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """Throw-away keys of the home."""
    show_rows("Throw-away keys", ("name", "address"), list(wiring().key_names(home)), as_json=json_)


def main(given: Wiring) -> int:
    """Run the command line with a node's wiring; returns the exit code."""
    hold(given)
    try:
        result = app(standalone_mode=False)
    except CommandError as error:
        err.print(f"[red]{error}[/red]", highlight=False)
        return error.code
    except StorageError as error:
        err.print(f"[red]{error} {error.cure}[/red]", highlight=False)
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:
        shown = getattr(error, "show", None)
        if shown is None:
            raise
        shown()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0
