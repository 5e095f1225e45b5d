"""`kerege show …`: what stands on the ledger, read through the door."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kerege.cli import looks as log
from kerege.cli.options import DEFAULT_HOME, AsJson, Home, address_of, hex_id
from kerege.cli.output import show, show_rows, when
from kerege.cli.rows import for_people
from kerege.cli.validators import print_validators, tell
from kerege.cli.wiring import CommandError, wiring
from kerege.consensus.door import Door, collect
from kerege.consensus.outcomes import outcome
from kerege.kernel import days
from kerege.kernel.errors import BadForm
from kerege.kernel.forms import to_json
from kerege.kernel.module import Modules
from kerege.kernel.tables import Table
from kerege.modules import MODULES
from kerege.modules.accounts.state import ACCOUNTS
from kerege.modules.authority.rules import proposal_content
from kerege.modules.authority.state import PROPOSALS
from kerege.modules.authority.types import Proposal
from kerege.modules.policy.keeper import OFFSET
from kerege.modules.policy.rules import in_force
from kerege.modules.policy.state import ENACTED, REVISIONS
from kerege.modules.policy.types import Revision
from kerege.modules.registries.state import CERTIFICATES, RECORDS
from kerege.modules.services.state import CASES

app = typer.Typer(help="Show what stands on the ledger.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Random id in hex.")]
PARAMETER_COLUMNS = ("value", "since", "until", "enacted", "basis", "in force")


def _row(home: Path, table: Table[bytes, Any], key: bytes, *, as_json: bool) -> None:
    with wiring().open_door(home) as door:
        raw = door.state(table.encode_key(key))
        if raw is None:
            sentence = f"{table.name} holds nothing under {key.hex()}: check the id and the home."
            raise CommandError(sentence, 1)
        row = table.decode_value(raw)
        show(to_json(row, table.value, door.prefix) if as_json else for_people(row, door.prefix), as_json=as_json)


@app.command()
def case(identifier: Id, home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """A case: who must act next, until when, what stopped the clock, what was done."""
    _row(home, CASES, hex_id(identifier), as_json=json_)


@app.command()
def record(identifier: Id, home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """A record of a register, as commitments."""
    _row(home, RECORDS, hex_id(identifier), as_json=json_)


@app.command()
def certificate(identifier: Id, home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """A certificate and its status."""
    _row(home, CERTIFICATES, hex_id(identifier), as_json=json_)


@app.command()
def proposal(identifier: Id, home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """A proposal to a board: its messages in clear, who approved, and the content that an approval names."""
    key = hex_id(identifier)
    with wiring().open_door(home) as door:
        raw, modules = door.state(PROPOSALS.encode_key(key)), Modules(MODULES)
        if raw is None:
            sentence = f"there is no proposal {key.hex()}: check the id and the home."
            raise CommandError(sentence, 1)
        row = PROPOSALS.decode_value(raw)
        messages = [modules.decode_message(each) for each in row.messages]
        told = to_json(row, Proposal, door.prefix) if json_ else for_people(row, door.prefix)
        told["messages"] = [to_json(message, type(message), door.prefix) for message in messages]
        told["content"] = proposal_content(row.board, row.messages, row.expires).hex()
    show(told, as_json=json_)


@app.command()
def validators(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """Who signs blocks from which height on, with keys and power, and what validators did that they must not."""
    with wiring().open_door(home) as door:
        told = tell(door)
    print_validators(told, as_json=json_)


@app.command()
def account(
    address: Annotated[str, typer.Argument(help="Address of the account.")],
    home: Home = DEFAULT_HOME,
    *,
    json_: AsJson = False,
) -> None:
    """An account with its keys."""
    _row(home, ACCOUNTS, address_of(wiring().prefix(home), address), as_json=json_)


@app.command()
def transaction(
    identifier: Annotated[str, typer.Argument(help="Transaction id in hex.")],
    home: Home = DEFAULT_HOME,
    *,
    json_: AsJson = False,
) -> None:
    """The receipt of a transaction."""
    with wiring().open_door(home) as door:
        answer = door.find(hex_id(identifier, 32))
        if answer is None:
            sentence = f"no receipt of {identifier}: it was neither applied nor refused here."
            raise CommandError(sentence, 1)
        show(outcome(answer, door.ledger, door.prefix), as_json=json_)


@app.command()
def head(home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """The newest block: height, time, roots."""
    with wiring().open_door(home) as door:
        newest = door.head()
        told = {
            "ledger": door.ledger,
            "height": newest.height,
            "time": when(newest.time),
            "app_hash": newest.app_hash.hex(),
            "state_root": newest.state_root.hex(),
            "log_root": newest.log_root.hex(),
            "log_size": newest.log_size,
        }
        show(told, as_json=json_)


@app.command()
def parameter(
    name: Annotated[str, typer.Argument(help="Name of the parameter, e.g. disclosure.access_hours.")],
    home: Home = DEFAULT_HOME,
    *,
    on: Annotated[str, typer.Option("--on", help="The rule in force on this local day, YYYY-MM-DD.")] = "",
    known: Annotated[str, typer.Option("--known", help="As known at the end of this local day, YYYY-MM-DD.")] = "",
    json_: AsJson = False,
) -> None:
    """Every value of a rule with its legal basis, and which was in force on a day as known on a day."""
    with wiring().open_door(home) as door:
        revisions = _revisions(door, name)
        if not revisions:
            sentence = f"no rule {name}: docs/reference/parameters.md lists what the ledger reads."
            raise CommandError(sentence, 1)
        now = door.head().time
        at = _end_of(door, on) if on else now
        force = in_force(revisions, at, _end_of(door, known) if known else now)
    rows = [_revision(enacted, row, force=row is force) for enacted, row in revisions]
    show_rows(name, PARAMETER_COLUMNS, rows, as_json=json_)


def _revisions(door: Door, name: str) -> list[tuple[int, Revision]]:
    """(enacted, revision) in order of enactment."""
    try:
        prefix = REVISIONS.encode_prefix(name)
    except ValueError as error:
        sentence = f"{name!r} is no name of a rule ({error}): docs/reference/parameters.md lists them."
        raise CommandError(sentence) from None
    found = []
    for key, raw in collect(door, prefix):
        enacted = door.state(ENACTED.encode_key(REVISIONS.decode_key(key)))
        found.append((0 if enacted is None else ENACTED.decode_value(enacted), REVISIONS.decode_value(raw)))
    return found


def _end_of(door: Door, day: str) -> int:
    """The last millisecond of a local day; raises `CommandError`."""
    try:
        number = days.parse_iso(day)
    except BadForm:
        sentence = f"{day} is not a date: write YYYY-MM-DD."
        raise CommandError(sentence) from None
    now = door.head().time
    offset = in_force(_revisions(door, OFFSET), now, now)
    minutes = offset.value if offset is not None and isinstance(offset.value, int) else 0
    return days.start_of(number + 1, minutes) - 1


def _revision(enacted: int, row: Revision, *, force: bool) -> tuple[Any, ...]:
    basis = [
        "unverified"
        if each.unverified and not each.act
        else f"{each.act} {each.article} {each.url}".strip() + (" (unverified)" if each.unverified else "")
        for each in row.basis
    ]
    return (row.value, when(row.since), "" if row.until is None else when(row.until), when(enacted), basis, force)


@contextmanager
def _log(home: Path, about: str) -> Iterator[tuple[Door, log.About]]:
    """The ledger and which looks are meant: all, or those at one dossier, which its controller can tell."""
    if about:
        with wiring().open_log(home, hex_id(about)) as log:
            yield log
    else:
        with wiring().open_door(home) as door:
            yield door, lambda _access, _references: True


@app.command()
def looks(
    home: Home = DEFAULT_HOME,
    *,
    case: Annotated[str, typer.Option(help="Only looks for this case.")] = "",
    officer: Annotated[str, typer.Option(help="Only looks by this account.")] = "",
    reference: Annotated[
        str, typer.Option(help="Only looks at the dossier with this salted reference, known to its subject.")
    ] = "",
    about: Annotated[
        str,
        typer.Option(help="The subject's log: only looks at the dossier of this case or record."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows at most.")] = 50,
    after: Annotated[
        str, typer.Option("--after", "--before", help="Go on after this access id: the last of the page before.")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Every official's look at personal data, granted or denied, newest first; all its fields with --json."""
    with _log(home, about) as (door, fits):
        rows = log.page(
            door,
            about=fits,
            case=hex_id(case) if case else None,
            officer=address_of(door.prefix, officer) if officer else None,
            reference=hex_id(reference, 32) if reference else None,
            after=hex_id(after) if after else None,
            limit=limit,
        )
    told = rows if json_ else [log.for_people(row) for row in rows]
    show_rows("Looks at personal data", log.COLUMNS, told, as_json=json_)
