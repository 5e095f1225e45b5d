"""The proof bundle as data: one file of canonical JSON, read strictly and written in its one form.

Which member is bound by what is told in docs/reference/proof-bundle.md, member by member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from . import canonical, commit, msgpack, text
from .commit import EngineCommit
from .merkle import leaf_hash
from .outcome import Malformed
from .tree import PLACEHOLDER

FORMAT = "kerege-bundle/1"
APP_FORMAT = b"kerege/app/1"
NO_VALIDATORS = bytes(text.HASH_SIZE)
"""Validators hash of a ledger with one operator."""
SALT_SIZE = 32
DEPTH_LIMIT = 255
"""Levels of a state path; deeper ones would need two key hashes that differ in their last bit only."""
FIELD_LIMIT = 255

_REQUIRED = frozenset({"checkpoint", "format", "index", "ledger", "path", "receipt"})
_OPTIONAL = frozenset({"disclosures", "event", "record", "state"})
_STATE = frozenset({"modules", "siblings", "sides"})
_DISCLOSURE = frozenset({"field", "path", "salt", "sides", "value"})


@dataclass(frozen=True, slots=True)
class Record:
    """The block record of the checkpoint's block without what the rest of the bundle yields."""

    height: int
    time: int
    validators: bytes = NO_VALIDATORS
    root: bytes | None = None
    """State root; None where the state part yields it."""

    def leaf(self, root: bytes) -> bytes:
        """Return the log's leaf hash of the record with this state root."""
        return leaf_hash(msgpack.encode(["block", self.height, self.time, root, self.validators]))


@dataclass(frozen=True, slots=True)
class State:
    """The state path of one certificate: from its row (or its absence) to the state root."""

    modules: tuple[bytes, ...]
    sides: int
    siblings: tuple[bytes, ...]
    value: bytes | None
    other: tuple[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One field that the holder shows, with the path of its commitment to the record's content root."""

    field: str
    value: str
    salt: bytes
    sides: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed proof bundle."""

    ledger: str
    receipt: bytes
    index: int
    path: tuple[bytes, ...]
    note: str
    record: Record | None = None
    state: State | None = None
    event: int | None = None
    disclosures: tuple[Disclosed, ...] = ()
    commit: EngineCommit | None = None


def app_hash(state_root: bytes, log_root: bytes) -> bytes:
    """What an engine's header says of state and log: the hash of both roots after a block."""
    return sha256(APP_FORMAT + state_root + log_root).digest()


def hashes(value: object, what: str) -> tuple[bytes, ...]:
    """Read a list of hashes, or raise `Malformed`."""
    return text.to_hashes(text.from_base64url(value, what), what)


def _siblings(value: object) -> tuple[bytes, ...]:
    """Read a state path: its depth, one bit per level (1: a hash follows, 0: the placeholder), then the hashes.

    Two keys of a large tree often share a bit more than their neighbours do, and each such level is a placeholder.
    """
    data = text.from_base64url(value, "the state path")
    depth = data[0] if data else 0
    width = (depth + 7) // 8
    bits = int.from_bytes(data[1 : 1 + width], "little")
    hashes = iter(text.to_hashes(data[1 + width :], "the state path"))
    if not data or bits >> depth or len(data) != 1 + width + text.HASH_SIZE * bits.bit_count():
        raise Malformed("the state path's levels and hashes do not fit")
    siblings = tuple(next(hashes) if bits >> level & 1 else PLACEHOLDER for level in range(depth))
    if siblings.count(PLACEHOLDER) != depth - bits.bit_count():
        raise Malformed("a placeholder in the state path is written out")
    return siblings


def _from_siblings(siblings: tuple[bytes, ...]) -> str:
    depth = len(siblings)
    if depth > DEPTH_LIMIT:
        raise Malformed("the state path is too deep")
    bits = sum(1 << level for level, sibling in enumerate(siblings) if sibling != PLACEHOLDER)
    hashes = b"".join(sibling for sibling in siblings if sibling != PLACEHOLDER)
    return text.to_base64url(bytes([depth]) + bits.to_bytes((depth + 7) // 8, "little") + hashes)


def read_record(value: object, *, with_root: bool) -> Record:
    """Read a block record from its members, or raise `Malformed`."""
    required = {"height", "time", "root"} if with_root else {"height", "time"}
    members = canonical.members(value, "the record", frozenset(required), frozenset({"validators"}))
    validators = NO_VALIDATORS
    if "validators" in members:
        validators = text.from_base64url(members["validators"], "the validators hash", text.HASH_SIZE)
        if validators == NO_VALIDATORS:
            raise Malformed("a validators hash of zeros is left out")
    return Record(
        canonical.natural(members["height"], "the record's height"),
        canonical.natural(members["time"], "the record's time"),
        validators,
        text.from_base64url(members["root"], "the state root", text.HASH_SIZE) if with_root else None,
    )


def _other(value: object) -> tuple[bytes, bytes]:
    both = text.from_base64url(value, "the other leaf", 2 * text.HASH_SIZE)
    return both[: text.HASH_SIZE], both[text.HASH_SIZE :]


def read_state(value: object) -> State:
    """Read a state path from its members, or raise `Malformed`."""
    members = canonical.members(value, "the state part", _STATE, frozenset({"other", "value"}))
    if "other" in members and "value" in members:
        raise Malformed("the state part shows a value and another leaf")
    return State(
        hashes(members["modules"], "the module path"),
        canonical.natural(members["sides"], "the module path's sides"),
        _siblings(members["siblings"]),
        text.from_base64url(members["value"], "the state value") if "value" in members else None,
        _other(members["other"]) if "other" in members else None,
    )


def _disclosure(value: object) -> Disclosed:
    members = canonical.members(value, "a disclosure", _DISCLOSURE)
    field = canonical.text(members["field"], "a disclosed field's name")
    if not 0 < len(field.encode()) <= FIELD_LIMIT:
        raise Malformed("a disclosed field's name is empty or too long")
    return Disclosed(
        field,
        canonical.text(members["value"], "a disclosed value"),
        text.from_base64url(members["salt"], "a salt", SALT_SIZE),
        canonical.natural(members["sides"], "a disclosure's sides"),
        hashes(members["path"], "a disclosure's path"),
    )


def _disclosures(value: object) -> tuple[Disclosed, ...]:
    disclosures = tuple(map(_disclosure, canonical.sequence(value, "the list of disclosures")))
    names = [d.field for d in disclosures]
    if not names or names != sorted(set(names)):
        raise Malformed("the disclosures are empty, repeated or not sorted by field")
    return disclosures


def read_checkpoint(value: object) -> tuple[str, EngineCommit | None]:
    """Read a checkpoint from its members: the signed note, and an engine's commit; or raise `Malformed`."""
    members = canonical.members(value, "the checkpoint", frozenset({"note"}), frozenset({"commit"}))
    signed = canonical.text(members["note"], "the checkpoint note")
    return signed, commit.read(members["commit"]) if "commit" in members else None


def checkpoint_members(note: str, shown: EngineCommit | None) -> dict[str, object]:
    """The members of a checkpoint."""
    return {"note": note} if shown is None else {"note": note, "commit": commit.members(shown)}


def _check_parts(members: Mapping[str, object], shown: EngineCommit | None) -> None:
    if shown is not None and "record" not in members:
        raise Malformed("an engine's commit needs the block record")
    if "state" in members and "record" not in members:
        raise Malformed("a state part needs the block record")
    if "event" in members and "state" not in members:
        raise Malformed("an event is named only with a state part, which binds it")


def parse(data: bytes) -> Bundle:
    """Read a bundle from its canonical bytes.

    Raises:
        Malformed: any other bytes, of at most 1 MiB.
    """
    members = canonical.members(canonical.decode(data), "the bundle", _REQUIRED, _OPTIONAL)
    if members["format"] != FORMAT:
        raise Malformed(f"the format is not {FORMAT}")
    signed, shown = read_checkpoint(members["checkpoint"])
    _check_parts(members, shown)
    return Bundle(
        ledger=canonical.text(members["ledger"], "the ledger id"),
        receipt=text.from_base64url(members["receipt"], "the receipt"),
        index=canonical.natural(members["index"], "the index"),
        path=hashes(members["path"], "the log path"),
        note=signed,
        record=read_record(members["record"], with_root="state" not in members) if "record" in members else None,
        state=read_state(members["state"]) if "state" in members else None,
        event=canonical.natural(members["event"], "the event") if "event" in members else None,
        disclosures=_disclosures(members["disclosures"]) if "disclosures" in members else (),
        commit=shown,
    )


def record_members(record: Record) -> dict[str, object]:
    """The members of a block record."""
    members: dict[str, object] = {"height": record.height, "time": record.time}
    if record.validators != NO_VALIDATORS:
        members["validators"] = text.to_base64url(record.validators)
    if record.root is not None:
        members["root"] = text.to_base64url(record.root)
    return members


def state_members(state: State) -> dict[str, object]:
    """The members of a state path."""
    members: dict[str, object] = {
        "modules": text.from_hashes(state.modules),
        "sides": state.sides,
        "siblings": _from_siblings(state.siblings),
    }
    if state.value is not None:
        members["value"] = text.to_base64url(state.value)
    if state.other is not None:
        members["other"] = text.from_hashes(state.other)
    return members


def _disclosure_members(disclosed: Disclosed) -> dict[str, object]:
    return {
        "field": disclosed.field,
        "path": text.from_hashes(disclosed.path),
        "salt": text.to_base64url(disclosed.salt),
        "sides": disclosed.sides,
        "value": disclosed.value,
    }


def encode(bundle: Bundle) -> bytes:
    """Write a bundle's canonical bytes, the exact inverse of `parse`."""
    members: dict[str, object] = {
        "checkpoint": checkpoint_members(bundle.note, bundle.commit),
        "format": FORMAT,
        "index": bundle.index,
        "ledger": bundle.ledger,
        "path": text.from_hashes(bundle.path),
        "receipt": text.to_base64url(bundle.receipt),
    }
    if bundle.record is not None:
        members["record"] = record_members(bundle.record)
    if bundle.state is not None:
        members["state"] = state_members(bundle.state)
    if bundle.event is not None:
        members["event"] = bundle.event
    if bundle.disclosures:
        members["disclosures"] = [_disclosure_members(d) for d in bundle.disclosures]
    return canonical.encode(members)
