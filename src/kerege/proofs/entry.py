"""A state proof: what the state held under one key after a block, or that it held nothing.

For all that no paper stands for: a record of an old registry, an office, a case, a rule. Bound as a bundle is: the row
by the module's tree, that by the state root, that by the block record, that by the log, that by the signatures.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from . import bundle as files
from . import canonical, merkle, note, paths, text, tree, trust
from .make import CannotMake, StateProof, record_part, state_part
from .outcome import Check, Exit, Failed, Malformed
from .verify import check_signatures

FORMAT = "kerege-state/1"
KEY_LIMIT = 1024
"""Bytes of a state key."""

_MEMBERS = frozenset({"checkpoint", "format", "key", "ledger", "path", "record", "state"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed state proof."""

    ledger: str
    key: bytes
    """State key: the table's name, a zero byte, and the parts of the key."""
    path: tuple[bytes, ...]
    """RFC 6962 path of the block record, which is the log's last leaf."""
    note: str
    record: files.Record
    state: files.State


@dataclass(frozen=True, slots=True)
class Held:
    """What a genuine state proof says."""

    ledger: str
    key: bytes
    value: bytes | None
    """Stored bytes, schema byte and MessagePack; None: the state held nothing under the key."""
    height: int
    time: int
    """Of the block after which it was so, in milliseconds since the Unix epoch."""
    signers: tuple[str, ...]


def is_entry(data: bytes) -> bool:
    """Whether a file means to be a state proof."""
    return f'"format":"{FORMAT}"'.encode() in data[: canonical.SIZE_LIMIT]


def parse(data: bytes) -> Entry:
    """Read a state proof from its canonical bytes; raises `Malformed`."""
    members = canonical.members(canonical.decode(data), "the state proof", _MEMBERS)
    if members["format"] != FORMAT:
        raise Malformed(f"the format is not {FORMAT}")
    checkpoint = canonical.members(members["checkpoint"], "the checkpoint", frozenset({"note"}))
    key = text.from_base64url(members["key"], "the state key")
    if not 0 < len(key) <= KEY_LIMIT or b"." not in key.partition(b"\0")[0]:
        raise Malformed("the state key names no table")
    return Entry(
        canonical.text(members["ledger"], "the ledger id"),
        key,
        files.hashes(members["path"], "the log path"),
        canonical.text(checkpoint["note"], "the checkpoint note"),
        files.read_record(members["record"], with_root=False),
        files.read_state(members["state"]),
    )


def encode(entry: Entry) -> bytes:
    """The canonical bytes of a state proof."""
    return canonical.encode(
        {
            "checkpoint": {"note": entry.note},
            "format": FORMAT,
            "key": text.to_base64url(entry.key),
            "ledger": entry.ledger,
            "path": text.from_hashes(entry.path),
            "record": files.record_members(entry.record),
            "state": files.state_members(entry.state),
        }
    )


def make(ledger: str, key: bytes, signed: str, path: tuple[bytes, ...], record: bytes, state: StateProof) -> bytes:
    """The bytes of a state proof; raises `CannotMake` where its parts do not lead to the root of the note `signed`."""
    try:
        data = encode(Entry(ledger, key, path, signed, record_part(record, with_root=False), state_part(state)))
        entry = parse(data)
        state_root(entry, note.parse_checkpoint(entry.note))
    except (Malformed, Failed) as error:
        raise CannotMake(str(error)) from error
    return data


def verify_final(data: bytes, ledger: str, origin: str, app_hash: bytes) -> Held:
    """What a state proof says, if it is of the state to which an app hash commits.

    For those who know from the engine that the app hash is final: signatures are neither looked at nor needed.
    Raises as `verify` does.
    """
    entry = parse(data)
    checkpoint = note.parse_checkpoint(entry.note)
    if entry.ledger != ledger or checkpoint.origin != origin:
        raise Failed(Check.LEDGER, "another-ledger")
    if files.app_hash(state_root(entry, checkpoint), checkpoint.root) != app_hash:
        raise Failed(Check.LOG_PATH, "another-app-hash")
    return Held(entry.ledger, entry.key, entry.state.value, entry.record.height, entry.record.time, ())


def verify(data: bytes, trusted: trust.Trust) -> Held:
    """What a state proof says, if it is genuine: every hash and signature holds.

    Raises:
        Malformed: the file is no state proof.
        Failed: it is one, and a check fails.
    """
    entry = parse(data)
    checkpoint = note.parse_checkpoint(entry.note)
    if entry.ledger != trusted.ledger or checkpoint.origin != trusted.origin:
        raise Failed(Check.LEDGER, "another-ledger")
    if not trusted.is_of_engine(entry.record.validators):
        raise Failed(Check.LEDGER, "another-engine")
    state_root(entry, checkpoint)
    signers = check_signatures(checkpoint, trusted, (entry.record.time, entry.record.time))
    return Held(entry.ledger, entry.key, entry.state.value, entry.record.height, entry.record.time, signers)


def state_root(entry: Entry, checkpoint: note.Checkpoint) -> bytes:
    """Follow the paths from the row to the checkpoint's root; the state root on the way. Raises `Failed`."""
    state = entry.state
    try:
        if state.value is None:
            root = tree.root_of_absent(entry.key, state.other, state.siblings)
        else:
            root = tree.root_of_present(entry.key, state.value, state.siblings)
        module = paths.module_leaf(entry.key.partition(b".")[0].decode("ascii"), root)
        reached = merkle.root_of_sides(module, state.sides, state.modules)
    except (Malformed, UnicodeDecodeError) as error:
        raise Failed(Check.STATE_PATH, "malformed-path") from error
    try:
        logged = merkle.root_of_path(entry.record.leaf(reached), checkpoint.size - 1, checkpoint.size, entry.path)
    except Malformed as error:
        raise Failed(Check.LOG_PATH, "malformed-path") from error
    if logged != checkpoint.root:
        raise Failed(Check.LOG_PATH, "another-root")
    return reached


_GENUINE = {
    "en": "UNCHANGED: the proof is genuine, every hash and signature holds. Signed by: {signers}.\n"
    "As of block {height} of ledger {ledger}, {time} UTC.\n{said}",
    "ru": "БЕЗ ИЗМЕНЕНИЙ: доказательство подлинное, все хэши и подписи верны. Подписали: {signers}.\n"
    "На момент блока {height} реестра {ledger}, {time} UTC.\n{said}",
    "ky": "ӨЗГӨРГӨН ЭМЕС: далил чыныгы, бардык хэштер жана колдор туура. Кол койгондор: {signers}.\n"
    "{ledger} реестринин {height}-блогуна карата, {time} UTC.\n{said}",
}
_SAID = {
    "en": ("{table} holds {value} under {key}.", "{table} held nothing under {key}."),
    "ru": ("{table} содержит {value} под ключом {key}.", "{table} ничего не содержала под ключом {key}."),
    "ky": ("{table} таблицасында {key} ачкычында {value} турат.", "{table} таблицасында {key} ачкычында эч нерсе жок."),
}
_BAD = {
    "en": "{verdict}: {check} ({reason}). Do not rely on this file.",
    "ru": "{verdict}: {check} ({reason}). Не полагайтесь на этот файл.",
    "ky": "{verdict}: {check} ({reason}). Бул файлга ишенбеңиз.",
}
_VERDICTS = {
    "en": ("NOT VALID", "CANNOT BE CHECKED"),
    "ru": ("НЕДЕЙСТВИТЕЛЬНО", "НЕЛЬЗЯ ПРОВЕРИТЬ"),
    "ky": ("ЖАРАКСЫЗ", "ТЕКШЕРҮҮГӨ БОЛБОЙТ"),
}


def judge(data: bytes, trusted: bytes) -> tuple[Exit, dict[str, object]]:
    """The exit code for a state proof and a trust file, and what is told to machines; never raises."""
    check = Check.TRUST_FILE
    try:
        parsed = trust.parse(trusted)
        check = Check.BUNDLE_FILE
        held = verify(data, parsed)
    except Malformed as error:
        return Exit.UNUSABLE, {"format": _TOLD, "exit": int(Exit.UNUSABLE), "check": check, "reason": str(error)}
    except Failed as failed:
        told: dict[str, object] = {"format": _TOLD, "exit": int(Exit.NOT_VALID)}
        return Exit.NOT_VALID, told | {"check": failed.check, "reason": failed.reason}
    return Exit.VALID, {
        "format": _TOLD,
        "exit": int(Exit.VALID),
        "ledger": held.ledger,
        "table": held.key.partition(b"\0")[0].decode("ascii", "replace"),
        "key": held.key.partition(b"\0")[2].hex(),
        "value": None if held.value is None else held.value.hex(),
        "height": held.height,
        "time": held.time,
        "signers": list(held.signers),
    }


def lines(told: dict[str, object], lang: str) -> str:
    """What `judge` told, for a person; `lang` is `ky`, `ru` or `en`."""
    if "check" in told:
        return _BAD[lang].format(verdict=_VERDICTS[lang][told["exit"] == Exit.UNUSABLE], **told)
    said = _SAID[lang][told["value"] is None].format(**told)
    moment = datetime.fromtimestamp(int(str(told["time"])) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    signers = ", ".join(map(str, told["signers"])) if isinstance(told["signers"], list) else ""
    return _GENUINE[lang].format(**{**told, "signers": signers, "time": moment, "said": said})


_TOLD = "kerege-state-verdict/1"
