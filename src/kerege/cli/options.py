"""Options that many commands share, and how they are read."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kerege.cli.wiring import CommandError
from kerege.kernel import addresses


def folder_of(text: str | Path) -> Path:
    """The folder of a ledger by its name; raises `CommandError` for none, which would be the current one."""
    if not str(text).strip():
        sentence = "the folder of the ledger has an empty name: write it in full, or `.` for the current one."
        raise CommandError(sentence)
    return Path(text)


Home = Annotated[Path, typer.Option("--home", parser=folder_of, metavar="<path>", help="Folder of the ledger.")]
As = Annotated[
    str, typer.Option("--as", help="Whose key signs: a name or file of the keystore, or a throw-away OFFICE/ROLE.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the message, send nothing.")]
Lang = Annotated[
    Literal["ky", "ru", "en"],
    typer.Option("--lang", envvar="KEREGE_LANG", help="Language of refusals.", show_envvar=True),
]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="KEREGE_DATABASE", help="Where SQL tables lie: postgresql://… or sqlite:///FILE; else in the home."
    ),
]
DEFAULT_HOME = Path("var/home")


def hex_id(text: str, length: int = 16) -> bytes:
    """The bytes of an id; raises `CommandError`."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != length or raw.hex() != text:
        sentence = f"{text} is not an id: {2 * length} lower-case hex digits are expected."
        raise CommandError(sentence)
    return raw


def address_of(prefix: str, text: str) -> bytes:
    """The bytes of an address; raises `CommandError`."""
    try:
        return addresses.decode(prefix, text)
    except ValueError as error:
        sentence = f"{text} is not an address of this ledger ({error}): copy it whole, it begins with {prefix}1."
        raise CommandError(sentence) from None
