"""`kerege submit`, `resend`, `schema`: messages as they lie in a file."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kerege.cli.files import read_text
from kerege.cli.messages import MESSAGES, kind_of
from kerege.cli.options import DEFAULT_HOME, As, AsJson, DryRun, Home, Lang
from kerege.cli.output import dump, say, show_rows
from kerege.cli.sending import parse, read_form, resend, send, tell
from kerege.cli.wiring import CommandError, wiring
from kerege.consensus.outcomes import APPLIED
from kerege.kernel.forms import json_schema, to_json
from kerege.kernel.messages import Message

app = typer.Typer()


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
