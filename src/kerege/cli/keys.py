"""`kerege keys …`: a person's encrypted keys, and the throw-away keys of a home."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from kerege.cli import keystore
from kerege.cli.options import DEFAULT_HOME, AsJson, Home
from kerege.cli.output import complain, dump, say, show, show_rows
from kerege.cli.wiring import CommandError, wiring

app = typer.Typer(help="Keys that sign: encrypted ones of a person, throw-away ones of a home.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Keystore; else KEREGE_KEYS, else the user's data folder.")
]
Name = Annotated[str, typer.Argument(help="Name of the key.")]


@app.command()
def new(
    name: Name,
    nation: Annotated[str, typer.Option(help="Nation whose addresses it shows.")] = "kg",
    folder: Folder = None,
    *,
    json_: AsJson = False,
) -> None:
    """Draw a key and seal it with a passphrase (asked for, or KEREGE_PASSPHRASE)."""
    keystore.check_name(name)  # before somebody thinks up a passphrase for nothing
    prefix = wiring().prefix_of(nation)
    key = keystore.draw_key(folder or keystore.default_folder(), name, prefix, keystore.ask_passphrase(name, new=True))
    show(_told(key), as_json=json_)


@app.command("list")
def list_keys(home: Home = DEFAULT_HOME, folder: Folder = None, *, json_: AsJson = False) -> None:
    """Names and addresses: sealed keys of the keystore, throw-away keys of the home.

    Files that are no key are told on standard error, and the command then ends with 1.
    """
    keys, broken = keystore.list_keys(folder or keystore.default_folder())
    sealed = [(key.file.name, key.file.address, "sealed") for key in keys]
    names = wiring().key_names(home)
    thrown = [(name, address, "throw-away") for name, address in names if address]
    spoilt = (name for name, address in names if not address)
    broken += [f"the throw-away key of {name} is unreadable: restore its file." for name in spoilt]
    show_rows("Keys", ("name", "address", "kind"), sealed + thrown, as_json=json_)
    for sentence in broken:
        complain(sentence)
    raise typer.Exit(1 if broken else 0)


@app.command()
def address(name: Name, home: Home = DEFAULT_HOME, *, json_: AsJson = False) -> None:
    """The address of a key, by its name, file, or OFFICE/ROLE of a throw-away key."""
    shown = _address(home, name)
    if json_:
        dump({"name": name, "address": shown})
    else:
        say(shown)


def _address(home: Path, name: str) -> str:
    key = keystore.find_key(name)
    if key is not None:
        return key.file.address
    for known, shown in wiring().key_names(home):
        if known == name and shown:
            return shown
    sentence = f"there is no key {name}: `kerege keys list --home {quote(str(home))}` shows the names."
    raise CommandError(sentence)


def _told(key: keystore.KeptKey) -> dict[str, str]:
    file = key.file
    return {"name": file.name, "address": file.address, "public": file.public, "file": str(key.path)}
