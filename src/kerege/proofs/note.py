"""C2SP signed notes and log checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from . import canonical, text
from .ed25519 import SIGNATURE_SIZE
from .outcome import Malformed

ED25519 = b"\x01"
SIGNATURES_LIMIT = 100
_DIGITS_LIMIT = 16
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
"""What no note holds but its line ends."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: who claims to have signed, with which key, and the signature itself."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note: the text that is signed (with its final newline), and the signature lines in their order."""

    body: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: how many leaves it has and their root."""

    origin: str
    size: int
    root: bytes
    note: SignedNote


def is_key_name(name: str) -> bool:
    """Say whether `name` may name a key: not empty, printable, no spaces, no plus."""
    return bool(name) and name.isprintable() and " " not in name and "+" not in name


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the four bytes that identify an Ed25519 key under a name."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def _signature_line(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise Malformed("a signature line of the note is malformed")
    data = text.from_base64(encoded, "a signature of the note")
    if len(data) != 4 + SIGNATURE_SIZE:
        raise Malformed("a signature of the note is not an Ed25519 signature")
    return Signature(name, data[:4], data[4:])


def parse(note: str) -> SignedNote:
    """Read a signed note with at least one Ed25519 signature, or raise `Malformed`."""
    try:
        note.encode()
    except UnicodeEncodeError as error:
        raise Malformed("the note is not Unicode text") from error
    if _CONTROL.search(note):
        raise Malformed("the note holds a control character")
    body, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise Malformed("the note has no signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_LIMIT:
        raise Malformed("the note has too many signatures")
    return SignedNote((body + "\n").encode(), tuple(map(_signature_line, lines)))


def checkpoint_body(origin: str, size: int, root: bytes) -> bytes:
    """Return the three lines that a checkpoint key signs."""
    return f"{origin}\n{size}\n{text.to_base64(root)}\n".encode()


def _size(digits: str) -> int:
    plain = digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")
    if not plain or len(digits) > _DIGITS_LIMIT or int(digits) >= canonical.INTEGER_LIMIT:
        raise Malformed("the size in the checkpoint is not a plain number below 2^53")
    return int(digits)


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint without extension lines (nothing audits them), or raise `Malformed`."""
    signed = parse(note)
    match signed.body.decode().split("\n"):
        case [origin, size, encoded_root, ""] if origin:
            root = text.from_base64(encoded_root, "the root in the checkpoint")
        case _:
            raise Malformed("the checkpoint has not exactly three lines")
    if len(root) != text.HASH_SIZE:
        raise Malformed("the root in the checkpoint is not 32 bytes long")
    return Checkpoint(origin, _size(size), root, signed)


def assemble(body: bytes, signatures: Iterable[tuple[str, bytes, bytes]]) -> str:
    """Join a note's body and its signatures, each (key name, public key, signature), sorted by key name."""
    lines = (
        f"{_DASH}{name} {text.to_base64(key_id(name, public_key) + signature)}\n"
        for name, public_key, signature in sorted(signatures)
    )
    return body.decode() + "\n" + "".join(lines)
