"""Throw-away keys for every office of a pack: for demonstrations, schools and tests, never for a real ledger."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct
from nacl.signing import SigningKey

from kerege.kernel import addresses, crypto
from kerege.node.home import Home, HomeError, write_private

if TYPE_CHECKING:  # a pack is read by much that only the drawing of keys needs
    from kerege.node.pack import Pack

WARNING = (
    "This ledger uses throw-away keys that lie unencrypted in {folder}: "
    "whoever reads them is every office of the state. Never use it for anything real."
)

HOLDERS = {"registrar": 2, "consul": 2, "acceptor": 2, "central-banker": 3}
"""Roles that several hold at one office: four eyes need two people, and a board more than one."""


@dataclass(frozen=True, slots=True)
class DevKey:
    """An official's or machine's throw-away key."""

    name: str
    """`office/role`."""
    office: str
    role: str
    seed: bytes

    @property
    def public(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        return bytes(SigningKey(self.seed).verify_key)

    @property
    def address(self) -> bytes:
        """The account."""
        return crypto.address_of(crypto.ED25519, self.public)


def draw_keys(pack: "Pack") -> list[DevKey]:
    """A fresh key for every post of the pack's offices that stand open-ended.

    Several for the roles of `HOLDERS`: `registrar`, `registrar-2`.
    """
    return [DevKey(name, office, role, secrets.token_bytes(32)) for name, office, role in _posts(pack)]


def _posts(pack: "Pack") -> Iterator[tuple[str, str, str]]:
    for office in pack.offices:
        if office.valid_to is not None:
            continue
        for role in pack.roles_at(office):
            for number in range(1, HOLDERS.get(role, 1) + 1):
                suffix = "" if number == 1 else f"-{number}"
                yield f"{office.code}/{role}{suffix}", office.code, role


def write_keys(home: Home, keys: list[DevKey], prefix: str) -> None:
    """Keep the keys in the home: one file a key, readable by its owner only."""
    for key in keys:
        form = {
            "name": key.name,
            "office": key.office,
            "role": key.role,
            "address": addresses.encode(prefix, key.address),
            "seed": key.seed.hex(),
        }
        write_private(home.dev_keys / f"{_file_name(key.name)}.json", json.dumps(form, indent=1).encode() + b"\n")


def read_key(home: Home, name: str) -> DevKey:
    """The key of `office/role`; raises `HomeError` where the home has none."""
    path = home.dev_keys / f"{_file_name(name)}.json"
    if not path.is_file():
        names = f"`kerege keys list --home {quote(str(home.path))}` shows the names"
        apart = "" if home.dev_keys.is_dir() else " (throw-away keys exist only after `kerege init --dev`)"
        reason = f"neither the keystore nor {home.path} has a key of {name}{apart}: {names}."
        raise HomeError(reason)
    form = _read(path)
    return DevKey(form.name, form.office, form.role, bytes.fromhex(form.seed))


def list_keys(home: Home) -> list[tuple[str, str]]:
    """(name, address) of every throw-away key of a home, by name; no address where a file is spoilt."""
    return [_name_and_address(path) for path in sorted(home.dev_keys.glob("*.json"))]


def _name_and_address(path: Path) -> tuple[str, str]:
    try:
        form = _read(path)
    except HomeError:  # who needs this very key is told by `read_key`
        return path.stem.replace("--", "/"), ""
    return form.name, form.address


class _KeyFile(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    office: str
    role: str
    address: str
    seed: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


def _read(path: Path) -> _KeyFile:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_KeyFile)
    except msgspec.DecodeError as error:
        reason = f"{path} is no key file ({error}): remove it, or make the home anew with `kerege init --dev`."
        raise HomeError(reason) from None


def _file_name(name: str) -> str:
    return name.replace("/", "--")
