"""Encrypted key files: one Ed25519 key a file, opened by a passphrase (scrypt, AES-256-GCM).

`kerege-key/1` is a JSON object: name, public key and address in the clear, the seed sealed under a key that scrypt
makes of the passphrase. Name and public key are bound to the seal, so that no file can be passed off as another's.
"""

import json
import os
import re
from dataclasses import dataclass
from hashlib import scrypt
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta, Struct

from kerege.cli.files import make_private, read_bytes, write_new
from kerege.cli.signing import SEED_LENGTH, KeySigner
from kerege.cli.wiring import CommandError, Signer, wiring
from kerege.kernel import addresses

FORMAT = "kerege-key/1"
PASSPHRASE = "KEREGE_PASSPHRASE"  # noqa: S105 - the name of a variable
FOLDER = "KEREGE_KEYS"
COST, BLOCK, LANES = 2**17, 8, 1
"""scrypt: 128 MiB and some tenths of a second a guess."""
SHORTEST, FEWEST = 12, 6
"""Characters of a new passphrase, and how many different ones."""
OTHERS = 0o077
"""Rights of others than the owner: a seal is only as strong as its passphrase, so nobody else gets to try."""
_MEMORY = 512 * 1024 * 1024
_SALT, _NONCE = 16, 12
_NAME = re.compile(r"\w[\w.-]{0,63}")

_Hex = Annotated[str, Meta(pattern=r"\A([0-9a-f]{2}){1,64}\Z")]


class Seal(Struct, frozen=True, forbid_unknown_fields=True):
    """How the seed is sealed; hex."""

    kdf: Literal["scrypt"]
    n: Annotated[int, Meta(ge=2**14, le=2**18)]
    r: Annotated[int, Meta(ge=1, le=8)]
    p: Annotated[int, Meta(ge=1, le=4)]
    salt: _Hex
    cipher: Literal["aes-256-gcm"]
    nonce: _Hex
    sealed: _Hex


class KeyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it lies on the disk."""

    format: Literal["kerege-key/1"]
    name: str
    kind: Literal["ed25519"]
    public: _Hex
    address: str
    seal: Seal


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key of the keystore, without its secret."""

    path: Path
    file: KeyFile


def default_folder() -> Path:
    """Where a person's keys lie: `KEREGE_KEYS`, else the user's data folder. Never the node's home."""
    named = os.environ.get(FOLDER)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(named) if named else Path(data) / "kerege/keys"


def ask_passphrase(name: str, *, new: bool = False) -> str:
    """The passphrase from `KEREGE_PASSPHRASE`, else from the terminal; raises `CommandError` where there is none.

    A new one is long and made of several characters: whoever copies the file may guess for as long as they like.
    """
    given = os.environ.get(PASSPHRASE)
    if given is None:
        if not os.isatty(0):
            sentence = f"the key {name} needs a passphrase: set {PASSPHRASE}, or run this in a terminal."
            raise CommandError(sentence)
        given = str(typer.prompt(f"Passphrase of {name}", hide_input=True, confirmation_prompt=new, err=True))
    if not given:
        raise CommandError("the passphrase is empty: choose one that nobody guesses.")
    if new and (len(given) < SHORTEST or len(set(given)) < FEWEST):
        sentence = (
            f"the passphrase is too weak ({len(given)} characters, {len(set(given))} different): "
            f"take at least {SHORTEST} with {FEWEST} different ones, such as four words that nobody would put together."
        )
        raise CommandError(sentence)
    return given


def check_name(name: str) -> None:
    """Raise `CommandError` where no key can have this name."""
    if not _NAME.fullmatch(name):
        sentence = f"{name!r} is no name for a key: use up to 64 letters, digits, dots, hyphens."
        raise CommandError(sentence)


def draw_key(folder: Path, name: str, prefix: str, passphrase: str) -> KeptKey:
    """A fresh key, sealed into a new file; raises `CommandError` where one has this name."""
    check_name(name)
    seed = os.urandom(SEED_LENGTH)
    signer = KeySigner(seed)
    file = KeyFile(
        format="kerege-key/1",
        name=name,
        kind="ed25519",
        public=signer.public.hex(),
        address=addresses.encode(prefix, signer.address),
        seal=_seal(seed, name, signer.public, passphrase),
    )
    make_private(folder)
    path = folder / f"{name}.json"
    write_new(path, msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n", mode=0o600)
    return KeptKey(path, file)


def read_key(path: Path) -> KeptKey:
    """A key file without opening its seal; raises `CommandError`."""
    try:
        return KeptKey(path, msgspec.json.decode(read_bytes(path), type=KeyFile))
    except msgspec.DecodeError as error:  # what is no JSON, and JSON that is no key file
        sentence = f"{path} is not a key file ({error}): make one with `kerege keys new`."
        raise CommandError(sentence) from None


def find_key(name: str) -> KeptKey | None:
    """A key by the path of its file, or by its name in the keystore; None where there is neither."""
    for path in (Path(name), default_folder() / f"{name}.json"):
        if path.suffix == ".json" and path.is_file():
            return read_key(path)
    return None


def list_keys(folder: Path) -> tuple[list[KeptKey], list[str]]:
    """Every key of the keystore, by name, and a sentence for each file that is none."""
    keys, broken = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            keys.append(read_key(path))
        except CommandError as fault:
            broken.append(str(fault))
    return keys, broken


def open_key(key: KeptKey, passphrase: str) -> KeySigner:
    """The signer behind a key file; raises `CommandError` for a wrong passphrase, a changed or an open file."""
    if key.path.stat().st_mode & OTHERS:
        sentence = f"{key.path} is open to other users: run `chmod 600 {key.path}`, and trust its passphrase no more."
        raise CommandError(sentence)
    seal, public = key.file.seal, bytes.fromhex(key.file.public)
    try:
        stretched = _stretch(passphrase, bytes.fromhex(seal.salt), seal.n, seal.r, seal.p)
        bound = _bound(key.file.name, public)
        seed = AESGCM(stretched).decrypt(bytes.fromhex(seal.nonce), bytes.fromhex(seal.sealed), bound)
    except (InvalidTag, ValueError):
        sentence = (
            f"{key.path} does not open: the passphrase is wrong, or the file was changed; try again or restore it."
        )
        raise CommandError(sentence) from None
    signer = KeySigner(seed)
    if signer.public != public:
        sentence = f"{key.path} holds another key than it says: restore it from your copy."
        raise CommandError(sentence)
    return signer


def signer_of(home: Path, name: str) -> Signer:
    """Whose key `--as` means; raises `CommandError`."""
    if not name:
        sentence = "say whose key signs: --as NAME; `kerege keys list` shows the names."
        raise CommandError(sentence)
    wiring().prefix(home)  # a wrong home is told as such, before its keys are missed
    key = find_key(name)
    return wiring().signer(home, name) if key is None else open_key(key, ask_passphrase(key.file.name))


def _seal(seed: bytes, name: str, public: bytes, passphrase: str) -> Seal:
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = AESGCM(_stretch(passphrase, salt, COST, BLOCK, LANES)).encrypt(nonce, seed, _bound(name, public))
    return Seal("scrypt", COST, BLOCK, LANES, salt.hex(), "aes-256-gcm", nonce.hex(), sealed.hex())


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _bound(name: str, public: bytes) -> bytes:
    """What the seal covers besides the seed."""
    return json.dumps([FORMAT, name, public.hex()], ensure_ascii=False).encode()
