"""A state proof: what the state held under one key after a block, or that it held nothing.

For all that no paper stands for: a record of an old registry, an office, a case, a rule. Bound as a bundle is: the row
by the module's tree, that by the state root, that by the block record, that by the log, that by the signatures.
"""

from dataclasses import dataclass, replace

from . import bundle as files
from . import canonical, commit, merkle, note, paths, text, texts, tree, trust
from .commit import EngineCommit
from .make import CannotMake, StateProof, record_part, state_part
from .outcome import Check, Exit, Failed, Final, Malformed, Unusable
from .verify import Checks, Question, check_age, check_newer, check_signatures

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
    commit: EngineCommit | None = None


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
    checkpoint: note.Checkpoint
    """To which the proof leads."""
    final: Final | None = None
    """By the engine's commit; None: the proof holds none."""

    @property
    def table(self) -> str:
        """The table's name."""
        return self.key.partition(b"\0")[0].decode("ascii", "replace")

    @property
    def rest(self) -> bytes:
        """The parts of the key."""
        return self.key.partition(b"\0")[2]


def is_entry(data: bytes) -> bool:
    """Whether a file means to be a state proof."""
    return f'"format":"{FORMAT}"'.encode() in data[: canonical.SIZE_LIMIT]


def parse(data: bytes) -> Entry:
    """Read a state proof from its canonical bytes; raises `Malformed`."""
    members = canonical.members(canonical.decode(data), "the state proof", _MEMBERS)
    if members["format"] != FORMAT:
        raise Malformed(f"the format is not {FORMAT}")
    signed, shown = files.read_checkpoint(members["checkpoint"])
    key = text.from_base64url(members["key"], "the state key")
    if not 0 < len(key) <= KEY_LIMIT or b"." not in key.partition(b"\0")[0]:
        raise Malformed("the state key names no table")
    return Entry(
        canonical.text(members["ledger"], "the ledger id"),
        key,
        files.hashes(members["path"], "the log path"),
        signed,
        files.read_record(members["record"], with_root=False),
        files.read_state(members["state"]),
        shown,
    )


def encode(entry: Entry) -> bytes:
    """The canonical bytes of a state proof."""
    return canonical.encode(
        {
            "checkpoint": files.checkpoint_members(entry.note, entry.commit),
            "format": FORMAT,
            "key": text.to_base64url(entry.key),
            "ledger": entry.ledger,
            "path": text.from_hashes(entry.path),
            "record": files.record_members(entry.record),
            "state": files.state_members(entry.state),
        }
    )


def make(
    ledger: str,
    key: bytes,
    signed: str,
    path: tuple[bytes, ...],
    record: bytes,
    state: StateProof,
    commit: EngineCommit | None = None,
) -> bytes:
    """The bytes of a state proof; raises `CannotMake` where its parts do not lead to the root of the note `signed`."""
    try:
        block = record_part(record, with_root=False)
        data = encode(Entry(ledger, key, path, signed, block, state_part(state), commit))
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
    return Held(entry.ledger, entry.key, entry.state.value, entry.record.height, entry.record.time, (), checkpoint)


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
    root, record = state_root(entry, checkpoint), entry.record
    signers = check_signatures(checkpoint, trusted, (record.time, record.time))
    final = None
    if entry.commit is not None:
        final = commit.check(entry.commit, record.height, files.app_hash(root, checkpoint.root), trusted)
    return Held(entry.ledger, entry.key, entry.state.value, record.height, record.time, signers, checkpoint, final)


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
    "en": "UNCHANGED: the proof is genuine, every hash and signature holds. Signed by: {signers}. {run_by}\n"
    "As of block {height} of ledger {ledger}, {time} (checkpoint {age} old).{stale}\n{said}",
    "ru": "НЕ ИЗМЕНЕНО: доказательство подлинное, все хеши и подписи верны. Подписали: {signers}. {run_by}\n"
    "На момент блока {height} реестра {ledger}, {time} (контрольной точке {age}).{stale}\n{said}",
    "ky": "ӨЗГӨРТҮЛГӨН ЭМЕС: далил чыныгы, бардык хештер жана кол тамгалар туура. Кол койгондор: {signers}. {run_by}\n"
    "{ledger} реестринин {height}-блогуна карата, {time} (көзөмөл чекитинин жашы: {age}).{stale}\n{said}",
}
_SAID = {
    "en": ("{table} holds {value} under {key}.", "{table} held nothing under {key}."),
    "ru": ("{table} содержит {value} под ключом {key}.", "{table} ничего не содержала под ключом {key}."),
    "ky": ("{table} таблицасында {key} ачкычында {value} турат.", "{table} таблицасында {key} ачкычында эч нерсе жок."),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a state proof."""

    exit: Exit
    check: Check | None = None
    """The check that decided against the proof (exit 1 and 2), and why."""
    reason: str = ""
    held: Held | None = None
    """None unless every hash and signature was verified."""
    engine: str = ""
    age: int = 0
    """Milliseconds from the block's time to the moment of verification, at least 0."""
    stale: tuple[texts.Stale, ...] = ()
    final: Final | None = None
    """None: nobody asked whether the engine's validators voted for it."""

    def confirmed(self, final: Final) -> "Judged":
        """The same, once an engine has shown that it is final."""
        return replace(self, final=final)

    def unconfirmed(self, exit_: Exit, reason: str) -> "Judged":
        """What it comes to where an engine that was asked has not shown that."""
        return Judged(exit_, Check.FINAL, reason)

    def to_json(self) -> dict[str, object]:
        """What is told to machines."""
        told: dict[str, object] = {"format": "kerege-state-verdict/1", "exit": int(self.exit)}
        held = self.held
        if held is None:
            return told | {"check": self.check, "reason": self.reason}
        return told | {
            "ledger": held.ledger,
            "table": held.table,
            "key": held.rest.hex(),
            "value": None if held.value is None else held.value.hex(),
            "height": held.height,
            "time": held.time,
            "age": self.age,
            "signers": list(held.signers),
            "engine": self.engine,
            "stale": [each.check for each in self.stale],
            "final": None if self.final is None else self.final.to_json(),
        }

    def lines(self, lang: str) -> list[str]:
        """What is told to a person, in `ky`, `ru` or `en`: three lines, or one where the proof does not hold.

        A fourth says that it is final, where that was asked.
        """
        words, held = texts.TEXTS[lang], self.held
        if held is None:
            if self.check is None:
                raise AssertionError("a verdict without facts names the check that failed")
            form = words.unusable if self.exit is Exit.UNUSABLE else words.not_valid
            return [form.format(check=words.checks[self.check], reason=texts.safe(self.reason))]
        value = None if held.value is None else held.value.hex()
        told = _GENUINE[lang].format(
            signers=", ".join(map(texts.safe, held.signers)),
            run_by=words.run_by[self.engine],
            height=held.height,
            ledger=texts.safe(held.ledger),
            time=texts.date(held.time),
            age=texts.age(self.age, words),
            stale="".join(f" {each.sentence(words)}" for each in self.stale),
            said=_SAID[lang][value is None].format(table=texts.safe(held.table), key=held.rest.hex(), value=value),
        )
        return [*told.split("\n"), *texts.final_lines(self.final, words)]


def judge(
    data: bytes, trusted: bytes, *, now: int, max_age_days: int | None = None, checkpoint: bytes | None = None
) -> Judged:
    """Judge a state proof as `kerege.proofs.verify` judges a bundle; never raises for what a file holds."""
    checks, check = Checks(), Check.TRUST_FILE
    try:
        asked = Question(trust.parse(trusted), now, max_age_days, checkpoint)
        check = Check.BUNDLE_FILE
        held = verify(data, asked.trust)
        check_newer(held.checkpoint, held.time, asked, checks)
    except Malformed as error:
        return Judged(Exit.UNUSABLE, check, str(error))
    except Unusable as bad:
        return Judged(Exit.UNUSABLE, bad.check, bad.reason)
    except Failed as failed:
        return Judged(Exit.NOT_VALID, failed.check, failed.reason)
    check_age(held.time, asked, checks)
    stale = tuple(texts.Stale(each, checks.results[each].reason, max_age_days) for each in checks.stale())
    outcome = Exit.NOT_CURRENT if stale else Exit.VALID
    age = max(0, now - held.time)
    return Judged(outcome, held=held, engine=asked.trust.engine, age=age, stale=stale, final=held.final)
