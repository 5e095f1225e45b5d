"""`kerege show …`: what stands on the ledger, read through the door."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kerege.cli.messages import AsJson, Home
from kerege.cli.output import show, show_rows, when
from kerege.cli.sending import outcome
from kerege.cli.wiring import CommandError, wiring
from kerege.consensus.door import Door
from kerege.kernel import addresses
from kerege.kernel.forms import to_json
from kerege.kernel.tables import Table
from kerege.modules.accounts.state import ACCOUNTS
from kerege.modules.disclosure.state import LOOKS, LOOKS_AT, LOOKS_OF
from kerege.modules.registries.state import CERTIFICATES, RECORDS
from kerege.modules.services.state import CASES

app = typer.Typer(help="Show what stands on the ledger.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Random id in hex.")]
COLUMNS = ("when", "access", "case", "officer", "office", "role", "ground", "fields", "answer")


def hex_id(text: str, length: int = 16) -> bytes:
    """The bytes of an id; raises `CommandError`."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != length:
        sentence = f"{text} is not an id: {2 * length} hex digits are expected."
        raise CommandError(sentence)
    return raw


def _row(home: Path, table: Table[bytes, Any], key: bytes, *, as_json: bool) -> None:
    with wiring().open_door(home) as door:
        raw = door.state(table.encode_key(key))
        if raw is None:
            sentence = f"{table.name} holds nothing under {key.hex()}: check the id and the home."
            raise CommandError(sentence, 1)
        show(to_json(table.decode_value(raw), table.value, door.prefix), as_json=as_json)


@app.command()
def case(identifier: Id, home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """A case: who must act next, until when, what stopped the clock, what was done."""
    _row(home, CASES, hex_id(identifier), as_json=json_)


@app.command()
def record(identifier: Id, home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """A record of a register, as commitments."""
    _row(home, RECORDS, hex_id(identifier), as_json=json_)


@app.command()
def certificate(identifier: Id, home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """A certificate and its status."""
    _row(home, CERTIFICATES, hex_id(identifier), as_json=json_)


@app.command()
def account(address: str, home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """An account with its keys."""
    with wiring().open_door(home) as door:
        prefix = door.prefix
    try:
        key = addresses.decode(prefix, address)
    except ValueError as error:
        sentence = f"{address} is not an address: {error}."
        raise CommandError(sentence) from None
    _row(home, ACCOUNTS, key, as_json=json_)


@app.command()
def transaction(identifier: Id, home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
    """The receipt of a transaction."""
    with wiring().open_door(home) as door:
        answer = door.find(hex_id(identifier, 32))
        if answer is None:
            sentence = f"no receipt of {identifier}: it was never applied or refused here."
            raise CommandError(sentence, 1)
        show(outcome(door, answer), as_json=json_)


@app.command()
def head(home: Home = Path("var/home"), *, json_: AsJson = False) -> None:
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
def looks(
    home: Home = Path("var/home"),
    *,
    case: Annotated[str, typer.Option(help="Only looks for this case.")] = "",
    officer: Annotated[str, typer.Option(help="Only looks by this account.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows at most.")] = 50,
    before: Annotated[str, typer.Option(help="Older than this access id (the cursor of the page before).")] = "",
    json_: AsJson = False,
) -> None:
    """Every official's look at personal data, granted or denied, newest first."""
    with wiring().open_door(home) as door:
        rows = _looks(door, case, officer)
    ids = [row[1] for row in rows]
    start = ids.index(before) + 1 if before in ids else 0
    show_rows("Looks at personal data", COLUMNS, rows[start : start + limit], as_json=json_)


def _looks(door: Door, case_id: str, officer: str) -> list[tuple[str, ...]]:
    index = LOOKS_OF if case_id else LOOKS_AT
    prefix = LOOKS_OF.encode_prefix(hex_id(case_id)) if case_id else LOOKS_AT.prefix
    rows, after = [], b""
    while page := door.scan(prefix, after):
        for key, _ in page:
            rows.append(_look(door, index.decode_key(key)[-1]))
        after = page[-1][0]
    rows.reverse()
    return [row for row in rows if not officer or row[3] == officer]


def _look(door: Door, access: bytes) -> tuple[str, ...]:
    raw = door.state(LOOKS.encode_key(access))
    if raw is None:
        sentence = f"the index names look {access.hex()}, which is missing: run `kerege verify-ledger`."
        raise CommandError(sentence, 1)
    row = LOOKS.decode_value(raw)
    return (
        when(row.at),
        access.hex(),
        row.case.hex(),
        addresses.encode(door.prefix, row.officer),
        row.office,
        row.role,
        row.ground,
        str(len(row.fields)),
        row.denial or "granted",
    )
