"""`kerege verify`: a proof, offline."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from kerege import proofs
from kerege.cli.options import AsJson
from kerege.cli.wiring import CommandError

app = typer.Typer()


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
        engines = import_module("kerege.cli.following")  # HTTP and TLS, which no proof needs offline
        try:
            outcome = outcome.confirmed(engines.confirm(Path(bundle), Path(trust), rpc, witness or ()))
        except engines.NotConfirmed as stop:
            told = outcome.unconfirmed(proofs.Exit(stop.code), stop.reason) if json_ else outcome
            proofs.cli.tell(told, asked)
            raise
    proofs.cli.tell(outcome, asked)
    raise typer.Exit(int(outcome.exit))
