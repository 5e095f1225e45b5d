"""Assembling a bundle from the parts that a node holds. Pure: bytes and paths in, the file's bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import bundle as files
from . import merkle, msgpack, paths, subject, text
from .commit import EngineCommit
from .note import parse_checkpoint
from .outcome import Failed, Malformed


class CannotMake(Exception):
    """The parts do not make a bundle that would verify; the reason says which."""


@dataclass(frozen=True, slots=True)
class StateProof:
    """A certificate's state path as the kernel gives it, every path bottom-up."""

    module_position: int
    module_count: int
    module_path: Sequence[bytes]
    """RFC 6962 path of the module's leaf under the state root."""
    siblings: Sequence[bytes]
    """Siblings in the module's tree, the deepest first, placeholders included."""
    value: bytes | None
    """Schema byte and MessagePack of the row; None where the key is absent."""
    other: tuple[bytes, bytes] | None = None
    """For absence: key hash and value hash of the leaf found in the key's place, if any."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A field to show: its slot's position among `count` slots and the slot's RFC 6962 path to the content root."""

    field: str
    value: str
    salt: bytes
    position: int
    count: int
    path: Sequence[bytes]


def record_part(data: bytes, *, with_root: bool) -> files.Record:
    """The record part of a block record's MessagePack; raises `Malformed`."""
    match msgpack.decode(data):
        case ["block", int(height), int(time), bytes(root), bytes(validators)] if (
            len(root) == len(validators) == text.HASH_SIZE
        ):
            return files.Record(height, time, validators, root if with_root else None)
        case _:
            raise Malformed("the record is not a block record")


def state_part(proof: StateProof) -> files.State:
    """The state part of what a prover gives."""
    turns = merkle.sides(proof.module_position, proof.module_count)
    return files.State(tuple(proof.module_path), turns, tuple(proof.siblings), proof.value, proof.other)


def _disclosed(disclosure: Disclosure) -> files.Disclosed:
    turns = merkle.sides(disclosure.position, disclosure.count)
    return files.Disclosed(disclosure.field, disclosure.value, disclosure.salt, turns, tuple(disclosure.path))


def _event(receipt: bytes, certificate: bytes | None) -> int | None:
    """Return the position of the event to name: only where the receipt issued several certificates."""
    issued = subject.certificates(subject.read_receipt(receipt))
    if certificate is None:
        return None
    position = next((i for i, c in issued.items() if c.issued.certificate == certificate), None)
    if position is None:
        raise Malformed("the receipt did not issue this certificate")
    return position if len(issued) > 1 else None


def make(
    ledger: str,
    receipt: bytes,
    index: int,
    note: str,
    path: Sequence[bytes],
    *,
    record: bytes | None = None,
    state: StateProof | None = None,
    disclosures: Sequence[Disclosure] = (),
    certificate: bytes | None = None,
    commit: EngineCommit | None = None,
) -> bytes:
    """Return the bytes of a proof bundle.

    Without `record`, `path` is the RFC 6962 path of the receipt at `index`; with it, the multi-target path of `index`
    and the last leaf, whose MessagePack `record` is. A `state` proof needs the record. `certificate` says which one is
    meant where the receipt issued several. An engine's `commit` needs the record, too.

    Raises:
        CannotMake: a part is malformed, or a path does not lead to the root in the checkpoint `note`. Signatures are
            not looked at, since the trust file is the verifier's.
    """
    try:
        made = files.Bundle(
            ledger=ledger,
            receipt=receipt,
            index=index,
            path=tuple(path),
            note=note,
            record=None if record is None else record_part(record, with_root=state is None),
            state=None if state is None else state_part(state),
            event=_event(receipt, certificate) if state is not None else None,
            disclosures=tuple(sorted(map(_disclosed, disclosures), key=lambda d: d.field)),
            commit=commit,
        )
        data = files.encode(made)
        paths.walk(files.parse(data), parse_checkpoint(note))
    except (Malformed, Failed) as error:
        raise CannotMake(str(error)) from error
    return data
