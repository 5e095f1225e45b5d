"""`kerege follow`: a trust file brought up to date by a light client."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kerege.cli.engine import EngineRpc, NodeProofs
from kerege.cli.files import outside_homes, read_bytes, write_over
from kerege.cli.options import AsJson
from kerege.cli.output import show, when
from kerege.cli.wiring import CommandError
from kerege.proofs import Final, Malformed, final, light, renewal, trust
from kerege.proofs.light.moments import MILLISECOND

app = typer.Typer()

PATIENCE = 5.0
"""Seconds in which the others must come to the newest block of one."""
EVIDENCE = Path("fork.json")
NOT_VALID, UNUSABLE, STALE = 1, 2, 3


class NotConfirmed(CommandError):
    """An engine's word is missing, or stands against what was asked."""

    def __init__(self, sentence: str, error: Exception, code: int) -> None:
        """`error`, for which there is a word in the verdict for machines: its class's."""
        super().__init__(sentence, code)
        self.reason = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__).lstrip("-")


@app.command()
def follow(
    file: Annotated[Path, typer.Option("--trust", help="Trust file of a replicated ledger.")],
    rpc: Annotated[str, typer.Option(help="RPC of an engine: http://HOST:PORT, https://HOST or unix:///PATH.")],
    witness: Annotated[
        list[str] | None, typer.Option(help="RPC of another engine, that must show the same; several may be named.")
    ] = None,
    node: Annotated[
        str | None, typer.Option(help="A node's web address: it proves the keys of validators that changed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the new trust file; without it nothing is written.", callback=outside_homes),
    ] = None,
    evidence: Annotated[Path, typer.Option(help="Where both headers go if the ledger has forked.")] = EVIDENCE,
    *,
    json_: AsJson = False,
) -> None:
    """Follow a replicated ledger from its trust file: 0 followed, 1 refused or forked, 2 unusable, 3 too old."""
    before, fetch = _read(file), EngineRpc(rpc, PATIENCE)
    prove = None if node is None else NodeProofs(node)
    with _told_as_one_sentence(evidence):
        done = renewal.renew(before, fetch, time.time_ns(), witnesses=_witnesses(witness or ()), prove=prove)
    if out is not None:
        write_over(out, trust.write(done.trust))
    show(_told(done, out), as_json=json_)


def confirm(bundle: Path, file: Path, rpc: str, witness: Sequence[str]) -> Final:
    """Ask an engine for the header that carries what a bundle or state proof leads to; or raise `CommandError`."""
    before, fetch = _read(file), EngineRpc(rpc, PATIENCE)
    with _told_as_one_sentence(EVIDENCE):
        header = final.confirm(read_bytes(bundle), before, fetch, time.time_ns(), witnesses=_witnesses(witness))
    return Final(header.chain, header.height, header.hash)


def _witnesses(urls: Sequence[str]) -> dict[str, light.Fetch]:
    return {url: EngineRpc(url, PATIENCE) for url in urls}


@contextmanager
def _told_as_one_sentence(evidence: Path) -> Iterator[None]:
    """What stops the light client, as `CommandError`; both headers of a fork are written down first."""
    try:
        yield
    except Malformed as error:
        raise NotConfirmed(f"{error}.", error, UNUSABLE) from None
    except light.Forked as fork:
        write_over(evidence, light.evidence.write(fork))
        sentence = f"THE LEDGER HAS FORKED: {fork}. Both stand in {evidence}."
        raise NotConfirmed(sentence, fork, NOT_VALID) from None
    except light.NotFollowed as error:
        raise NotConfirmed(_cure(error), error, _code(error)) from None


def _read(file: Path) -> trust.Trust:
    try:
        return trust.parse(read_bytes(file))
    except Malformed as error:
        raise CommandError(f"{file} is no trust file ({error}): get it again from a source you trust.") from None


def _code(error: light.NotFollowed) -> int:
    match error:
        case light.Expired():
            return STALE
        case light.NotShown() | renewal.Unprovable():
            return UNUSABLE
        case _:
            return NOT_VALID


def _cure(error: light.NotFollowed) -> str:
    match error:
        case light.Expired():
            cure = "get a newer trust file from a source you trust"
        case light.NotShown():
            cure = "check the address, or ask another engine with --rpc"
        case renewal.Unprovable():
            cure = "name one with --node"
        case final.NotFinal():
            cure = "do not rely on the file before that is explained"
        case _:
            cure = "ask another engine with --rpc, and tell the ledger's operators what this one shows"
    return f"{error}: {cure}."


def _told(done: renewal.Renewed, out: Path | None) -> dict[str, Any]:
    header = done.followed.block.header
    return {
        "height": header.height,
        "hash": header.hash.hex(),
        "app_hash": header.app_hash.hex(),
        "time": when(header.time // MILLISECOND),
        "confirmed_by": list(done.followed.confirmed_by),
        "silent": [f"{name}: {reason}" for name, reason in done.followed.silent],
        "validators_changed_at": list(done.changes),
        "keys": [f"{k.name} with {k.power}" for k in done.trust.keys if k.until is None],
        "written": None if out is None else str(out),
    }
