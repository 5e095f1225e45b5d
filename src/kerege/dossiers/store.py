"""Dossiers: written before the transaction that commits to them, shown after the transaction that allows the look."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as hidden
from enum import StrEnum
from functools import lru_cache, partial
from threading import RLock

from msgspec import Struct
from msgspec.structs import replace

from kerege.dossiers.books import Book
from kerege.dossiers.errors import (
    DossierExists,
    DossierMissing,
    DraftInvalid,
    FieldUnknown,
    JobNotOnLedger,
    KeysOlderThanDossiers,
    NotForPersons,
    StoreDamaged,
)
from kerege.dossiers.field_lists import FieldLists
from kerege.dossiers.jobs import (
    BORN,
    COMPARED,
    JOBS,
    CheckVerdict,
    Committed,
    CompareVerdict,
    Opened,
    judge_compare,
)
from kerege.dossiers.ports import Absence, Change, Entry, JobPass, KeyService, Look, RowKeys, Rows, Shelf
from kerege.dossiers.purposes import Audience, Purposes
from kerege.dossiers.sealing import cut
from kerege.dossiers.sheets import DIGEST, OpenSheet, Sheet, salts_of, seal_sheets
from kerege.dossiers.values import check_all_canonical
from kerege.kernel.commitments import commitment, content_root, inclusion_path
from kerege.kernel.types import Hash, Identifier, Time

_IDENTIFIER_LENGTH = 16
SEED_LENGTH = 32
_MAXIMUM_NAME_LENGTH = 255
_GENERATION = b"generation"
_TOGETHER = 250
"""Dossiers sealed and put at once: more than anything but an import writes; their rows stand in memory twice."""


_ACTS = "acts"

_Found = tuple[RowKeys, bytes] | Absence | None
"""Keys and sealed bytes of a dossier; why there are none; None where its keys do not open."""

AtHand = Mapping[Identifier, _Found]
"""Sealed dossiers by their records."""

Values = tuple[tuple[str, ...], tuple[str, ...], bytes]
"""Names of fields, their values, and what their salts are drawn from."""


class Draft(Struct, frozen=True, kw_only=True):
    """A dossier to be written: the values of one record version, for one purpose."""

    record: Identifier
    version: int
    subject: Identifier
    """Random id of the person or body; after an adoption a new one, or the keys folder would tie old and new."""
    purpose: str
    names: tuple[str, ...]
    """Every field of the service's list, in its order."""
    values: tuple[str, ...]
    """Canonical value of each; of unused ones empty."""
    expires: Time
    """Validity of the transaction that will commit to it."""
    named: tuple[Identifier, ...] = ()
    """Persons named in it: an official who is one of them is shown nothing. Records, and the case an act was written
    in: what a case names may be looked at for it."""
    seed: bytes | None = None
    """32 bytes from which the salts are drawn, where the same dossier shall get the same ones; None: random."""
    again: bool = False
    """The same dossier may be there already, from a run that was cut off: it is compared instead of written."""

    def __repr__(self) -> str:
        """Values and what the salts are drawn from are not printed."""
        return f"Draft(record={self.record!r}, version={self.version}, purpose={self.purpose!r})"


class Written(Struct, frozen=True):
    """What goes into the transaction: commitments, no value."""

    record: Identifier
    version: int
    fields: tuple[str, ...]
    digests: bytes
    """The commitments, one after another."""
    root: Hash

    @property
    def commitments(self) -> tuple[Hash, ...]:
        """Commitment of each field."""
        return tuple(cut(self.digests, DIGEST))

    def commitment(self, name: str) -> Hash:
        """Commitment of one field; raises `FieldUnknown`."""
        if name not in self.fields:
            raise FieldUnknown(field=name)
        return self.commitments[self.fields.index(name)]


class Admitted(Struct, frozen=True):
    """Dossiers that are registered and not sealed yet."""

    again: dict[int, tuple[Draft, Entry]]
    """Those that were there already, by their places."""
    entries: Sequence[Entry]
    """The others, in their order."""
    sheets: Sequence[Sheet]
    """What these are sealed from."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field shown to a person, as a proof bundle discloses it."""

    field: str
    value: str = hidden(repr=False)
    salt: bytes = hidden(repr=False)
    position: int
    count: int
    path: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Verdict over all commitments of the ledger: sound when `missing`, `wrong` and `unannounced` are 0."""

    total: int
    missing: int
    wrong: int
    erased: int
    """Erased with a tombstone on the ledger."""
    unannounced: int
    """Erased without one: to be put there."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """What became of dossiers whose transaction can commit no more."""

    confirmed: int
    collected: int


class Dossiers:
    """The controller's store of personal data.

    Values enter by `write` and leave by `read` alone. Safe for any number of threads; one process holds the files.
    """

    def __init__(self, rows: Rows, keys: KeyService, purposes: Purposes, tombstones: Iterable[Hash] | None) -> None:
        """Join rows and keys; `tombstones` of the ledger are needed once, after keys came back from a backup.

        Raises `KeysOlderThanDossiers` where they are needed and not given.
        """
        self._rows = rows
        self._keys = keys
        self._purposes = purposes
        self._lists = FieldLists(Book(rows, keys.book("field-lists"), Shelf.LISTS))
        self._lock = RLock()
        self._level(tombstones)

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, batch: Sequence[Draft]) -> tuple[Written, ...]:
        """Seal dossiers and give their commitments: all of them, on the medium when this returns.

        Raises `DraftInvalid`, `NotCanonical`, `PurposeUnknown`, `NotForPersons`, `DossierExists`, `DossierErased`,
        `StoreUnwritable`. What was written for a transaction that never commits is collected after `expires`.
        """
        with self._lock:
            return self._finish(self.admit(batch), durable=True)

    def admit(self, batch: Sequence[Draft]) -> Admitted:
        """Register dossiers and draw their keys, durably; raises as `write`, of which it is the first step.

        An import takes the steps one by one, each on a thread of its own: `admit`, `seal`, `make_durable`. Nothing else
        may write or erase the same records meanwhile. What is registered and never sealed is written again, or
        collected.
        """
        for draft in batch:
            check_draft(draft)
            if self._purposes.get(draft.purpose).audience is Audience.NOBODY:
                raise NotForPersons(purpose=draft.purpose)
        entries = [
            Entry(draft.record, draft.version, draft.subject, draft.purpose, draft.named, draft.expires)
            for draft in batch
        ]
        with self._lock:
            locators = self._keys.locate_many([entry.place for entry in entries])
            held = self._held(locators)
            there = [draft.again and locator in held for draft, locator in zip(batch, locators, strict=True)]
            fresh = [at for at, kept in enumerate(there) if not kept]
            told = [(batch[at].names, batch[at].values, batch[at].seed or _new_seed()) for at in fresh]
            self._check_new([entries[at] for at in fresh], [locators[at] for at in fresh], held)
            again = {at: (batch[at], entries[at]) for at, kept in enumerate(there) if kept}
            fresh_entries = [entries[at] for at in fresh]
            return Admitted(again, fresh_entries, self._sheets(fresh_entries, told))

    def seal(self, admitted: Admitted) -> tuple[Written, ...]:
        """Seal what was admitted; any of it may be lost until `make_durable` has returned.

        Raises `StoreUnwritable`, and of what was there already `DossierExists` and `DossierErased`.
        """
        return self._finish(admitted, durable=False)

    def make_durable(self) -> None:
        """Have on the medium whatever was sealed; raises `StoreUnwritable` where some of it is lost."""
        self._rows.flush()

    def write_mapping(self, entries: Sequence[Entry], fields: Sequence[tuple[tuple[str, str], ...]]) -> None:
        """Write rows of a purpose that no person is shown; they wait for no transaction."""
        told = [(names, values, _new_seed()) for names, values in (zip(*each, strict=True) for each in fields)]
        with self._lock:
            locators = self._keys.locate_many([entry.place for entry in entries])
            self._check_new(entries, locators, self._held(locators))
            waiting = [replace(entry, expires=0) for entry in entries]
            self._seal(waiting, self._sheets(waiting, told), durable=True)
            self._keys.confirm(entries)

    def holds(self, record: Identifier, version: int, purpose: str) -> bool:
        """Whether there is a dossier of this record version for this purpose; says nothing of what is in it."""
        return record in self.held([record], version, purpose)

    def held(self, records: Sequence[bytes], version: int, purpose: str) -> set[bytes]:
        """Those of many records, or names of a mapping, that have a dossier of this version for this purpose."""
        locators = self._keys.locate_many([(record, version, purpose) for record in records])
        named = dict(zip(locators, records, strict=True))
        return {named[locator] for locator in self._held(list(named))}

    def _finish(self, admitted: Admitted, *, durable: bool) -> tuple[Written, ...]:
        """What was admitted, in its order: sealed now, or found there."""
        sealed = iter(self._seal(admitted.entries, admitted.sheets, durable=durable))
        again, count = admitted.again, len(admitted.again) + len(admitted.entries)
        return tuple(self._find_again(*again[at]) if at in again else next(sealed) for at in range(count))

    def _sheets(self, entries: Sequence[Entry], told: Sequence[Values]) -> list[Sheet]:
        """Register dossiers, and give what they are sealed from.

        Keys first: a crash in between leaves a registration without a row, never a row without a key.
        """
        if not entries:
            return []
        lists = {id(names): names for names, _, _ in told}.values()  # of an import: one or two
        for names in lists:
            _check_names(names)  # a name that stood twice would have one key for two values
        keys = self._keys.admit(entries)
        for names in lists:
            self._lists.keep(names)
        return [Sheet(each, *values) for each, values in zip(keys, told, strict=True)]

    def _seal(self, entries: Sequence[Entry], sheets: Sequence[Sheet], *, durable: bool) -> list[Written]:
        written = []
        for at in range(0, len(sheets), _TOGETHER):
            part = slice(at, at + _TOGETHER)
            sealed = seal_sheets(sheets[part])
            rows = [(sheet.keys.locator, done.row) for sheet, done in zip(sheets[part], sealed, strict=True)]
            self._put(rows, durable=durable)
            triples = zip(entries[part], sheets[part], sealed, strict=True)
            written += [_written(entry, sheet.names, done.commitments, done.root) for entry, sheet, done in triples]
        return written

    def _put(self, rows: Sequence[tuple[bytes, bytes]], *, durable: bool) -> None:
        if durable:
            self._rows.apply(Change(Shelf.DOSSIERS, locator, row) for locator, row in rows)
        else:
            self._rows.put_many(Shelf.DOSSIERS, rows)

    def _find_again(self, draft: Draft, entry: Entry) -> Written:
        """What a dossier that is there already commits to; raises `DossierExists` where it is of other values."""
        if draft.seed is None:
            raise DossierExists(record=draft.record, version=draft.version)
        triples = zip(draft.names, salts_of(draft.seed, draft.values), draft.values, strict=True)
        commitments = tuple(commitment(*each) for each in triples)
        (keys,) = self._keys.admit([entry], again=True)
        row = self._rows.get(Shelf.DOSSIERS, keys.locator)
        if row is None or self._open(keys, row).commitments != commitments:
            raise DossierExists(record=draft.record, version=draft.version)
        return _written(entry, draft.names, b"".join(commitments), content_root(commitments))

    def _held(self, locators: Sequence[bytes]) -> set[bytes]:
        """Those of many rows that are there. The few keys are asked first: the many rows lie in more files."""
        registered = self._keys.registered(locators)
        return set(self._rows.find(Shelf.DOSSIERS, sorted(registered))) if registered else registered

    def _check_new(self, entries: Sequence[Entry], locators: Sequence[bytes], held: set[bytes]) -> None:
        """Raise `DossierExists` where a row is there already, or comes twice."""
        if held.isdisjoint(locators) and len(set(locators)) == len(locators):
            return
        twice = (entry for at, entry in enumerate(entries) if locators[at] in held or locators[at] in locators[:at])
        entry = next(twice)
        raise DossierExists(record=entry.record, version=entry.version)

    def collect_orphans(self, now: Time, committed: Callable[[Entry], bool]) -> Orphans:
        """Confirm what reached the ledger and destroy what did not, of all whose transaction has expired.

        `now` is the time of the last committed block, never a clock: block time may lag, and a transaction valid until
        T can be committed while a clock shows later. Where `committed` raises, nothing has changed.
        """
        with self._lock:
            confirmed: list[Entry] = []
            orphans: list[Entry] = []
            for entry in self._keys.pending(now):
                if self._purposes.get(entry.purpose).audience is Audience.NOBODY:
                    # A mapping waits for no transaction: it is whole where its row is.
                    reached = self._rows.get(Shelf.DOSSIERS, self._keys.locate(*entry.place)) is not None
                else:
                    reached = committed(entry)
                (confirmed if reached else orphans).append(entry)
            self._keys.confirm(confirmed)
            # Rows first: what is left after a crash is still registered, and collected next time.
            self._remove(self._keys.locate_many([entry.place for entry in orphans]))
            self._keys.forget(orphans)
        return Orphans(len(confirmed), len(orphans))

    # -- opening -----------------------------------------------------------------------------------------------------

    def read(self, look: Look) -> tuple[Shown, ...]:
        """Show fields to a person: the only way a value leaves.

        Raises `AccessRefused` (its subclasses say why), `LedgerUnreachable`, `DossierMissing`, `DossierErased`,
        `FieldUnknown`, `StoreDamaged`.
        """
        keys = self._keys.unwrap(look)
        row = self._rows.get(Shelf.DOSSIERS, keys.locator)
        if row is None:
            raise DossierMissing(record=look.record, version=look.version)
        sheet = self._open(keys, row)
        return tuple(_show(sheet, name) for name in look.fields)

    def run(self, kind: str, job: Identifier, items: Iterable[Committed]) -> Counter[StrEnum]:
        """Run a machine job of the list over commitments of the ledger and count its verdicts.

        `job` is the id of the start committed on the ledger: checked before the first dossier is opened, used up by
        this run. Raises `JobNotOnLedger`, `JobSpent`, `LedgerUnreachable`.
        """
        if kind not in JOBS:
            raise JobNotOnLedger(kind=kind)
        defined = JOBS[kind]
        run = self._keys.begin(job, kind)
        try:
            opened = self._open_each(run, items)
            # Through the closed enum: whatever else a job might return does not get past this line.
            return Counter(defined.verdicts(defined.judge(item, openings)) for item, openings in opened)
        finally:
            self._keys.end(run)

    def check(self, items: Iterable[Committed], job: Identifier) -> CheckReport:
        """Open every commitment of the ledger (`kerege dossiers check`); raises as `run`."""
        counts = self.run("check", job, items)
        return CheckReport(
            total=counts.total(),
            missing=counts[CheckVerdict.MISSING],
            wrong=counts[CheckVerdict.WRONG],
            erased=counts[CheckVerdict.ERASED],
            unannounced=counts[CheckVerdict.UNANNOUNCED],
        )

    @contextmanager
    def comparison(self, job: Identifier) -> Iterator["Comparison"]:
        """Begin the machine job of an import: it opens dossiers for as long as the import runs, and says same or other.

        Raises as `run`.
        """
        run = self._keys.begin(job, "compare")
        try:
            yield Comparison(partial(self._find_many_for_job, run), partial(self._find_for_job, run), self._opened)
        finally:
            self._keys.end(run)

    def _open_each(self, run: JobPass, items: Iterable[Committed]) -> Iterator[tuple[Committed, Opened]]:
        """Open the dossier of each item, once for neighbours of one record version."""
        last: tuple[bytes, int, str | None] | None = None
        opened: Opened = None
        for item in items:
            name = (item.record, item.version, item.purpose)
            if name != last:
                opened = self._open_for_job(run, item)
                last = name
            yield item, opened

    def _open_for_job(self, run: JobPass, item: Committed) -> Opened:
        """Open a whole dossier for a running job."""
        return self._opened(self._find_for_job(run, item), None)

    def _find_for_job(self, run: JobPass, item: Committed) -> _Found:
        """A dossier of a running job, nothing of it opened."""
        try:
            keys = self._keys.open_for_job(run, item.record, item.version, item.purpose)
            if isinstance(keys, Absence):
                return keys
            row = self._rows.get(Shelf.DOSSIERS, keys.locator)
        except StoreDamaged:
            return None
        return Absence.MISSING if row is None else (keys, row)

    def _find_many_for_job(self, run: JobPass, records: Sequence[Identifier]) -> dict[Identifier, _Found]:
        """Those of many acts in their first version that are there: three look-ups in all, however many."""
        try:
            keys = self._keys.open_many_for_job(run, records, 1, _ACTS)
            rows = self._rows.find(Shelf.DOSSIERS, [each.locator for each in keys.values()])
        except StoreDamaged:
            return {}  # looked for one by one, each finds out whether it is the damaged one
        return {record: (each, rows[each.locator]) for record, each in keys.items() if each.locator in rows}

    def open_mapping(self, record: bytes, purpose: str) -> tuple[Entry, dict[str, str]] | None:
        """Give a row of a purpose that no person is shown, to the machine; None where there is none."""
        found = self._keys.open_mapping(record, purpose)
        if found is None:
            return None
        entry, keys = found
        row = self._rows.get(Shelf.DOSSIERS, keys.locator)
        if row is None:
            return None
        return entry, {opening.field: opening.value for opening in self._open(keys, row).open_all()}

    def _opened(self, found: _Found, fields: Sequence[str] | None) -> Opened:
        """A dossier of a job opened: all of it, or the named fields that it has."""
        if found is None or isinstance(found, Absence):
            return found
        try:
            sheet = self._open(*found)
            wanted = sheet.names if fields is None else [name for name in fields if name in sheet.names]
            return tuple([sheet.open(name) for name in wanted])
        except StoreDamaged:
            return None  # a verdict, not an accident: the check goes on and counts this one as wrong

    def _open(self, keys: RowKeys, row: bytes) -> OpenSheet:
        return OpenSheet(keys, row, self._lists.find)

    # -- erasure -----------------------------------------------------------------------------------------------------

    def erase(self, subject: Identifier, purpose: str) -> Hash:
        """Destroy the key of a subject and purpose and remove the rows; gives the tombstone to put on the ledger.

        Complete when the epoch has changed (`rotate_epoch`, within 30 days) and its backups are gone. What a holder
        has shown to others is out of reach. Raises `RetainedByLaw`, `HeldByLaw`, `DossierMissing`.
        """
        with self._lock:
            erasure = self._keys.erase(subject, purpose)
            self._remove(erasure.locators)
            self._mark_generation()
        return erasure.tombstone

    def tombstone(self, subject: Identifier, purpose: str) -> Hash:
        """Give the tombstone that `erase` will leave, so that it can be recorded first; raises as `erase`."""
        return self._keys.tombstone(subject, purpose)

    def hold(self, subject: Identifier, purpose: str, ground: str, until: Time | None) -> None:
        """Forbid erasure on a ground, until a time or until lifted."""
        self._keys.hold(subject, purpose, ground, until)

    def lift(self, subject: Identifier, purpose: str) -> None:
        """End a hold."""
        self._keys.lift(subject, purpose)

    def reapply(self, tombstones: Iterable[Hash]) -> int:
        """Erase again what the ledger says is erased; gives how many subjects came back and are gone again."""
        with self._lock:
            again = self._keys.reapply(tombstones)
            self._remove(list(self._keys.erased()))
            self._keys.advance(self._generation())
            self._mark_generation()
        return again

    def _remove(self, locators: Sequence[bytes]) -> None:
        if locators:
            self._rows.apply(Change(Shelf.DOSSIERS, locator, None) for locator in locators)
            self._rows.purge()

    def _level(self, tombstones: Iterable[Hash] | None) -> None:
        """Bring rows and keys to one count of erasures, after a crash or a restore of either."""
        if tombstones is not None:
            self.reapply(tombstones)
        rows, keys = self._generation(), self._keys.generation()
        if keys < rows:
            raise KeysOlderThanDossiers(erasures=rows, known=keys)
        if rows < keys:
            self._remove(list(self._keys.erased()))
            self._mark_generation()

    def _generation(self) -> int:
        mark = self._rows.get(Shelf.MARKS, _GENERATION)
        return 0 if mark is None else int.from_bytes(mark, "big")

    def _mark_generation(self) -> None:
        mark = self._keys.generation().to_bytes(8, "big")
        self._rows.apply([Change(Shelf.MARKS, _GENERATION, mark)])


class Comparison:
    """Answers whether rows of an old registry are acts that are there already; values stay inside."""

    def __init__(
        self,
        find_many: Callable[[Sequence[Identifier]], AtHand],
        find: Callable[[Committed], _Found],
        opened: Callable[[_Found, Sequence[str]], Opened],
    ) -> None:
        self._find_many = find_many
        self._find = find
        self._opened = opened

    def look_up(self, records: Sequence[Identifier]) -> AtHand:
        """The sealed dossiers of those of these records that are there, to be compared soon."""
        return self._find_many(records)

    def same(self, record: Identifier, told: Mapping[str, str], at_hand: AtHand) -> bool:
        """Whether the act of a record has these names and this day of birth: same or other, nothing else."""
        found = at_hand.get(record) or self._find(Committed(record, 1, b"", purpose=_ACTS))
        return judge_compare(told, self._opened(found, (*COMPARED, BORN))) is CompareVerdict.SAME


def _new_seed() -> bytes:
    return os.urandom(SEED_LENGTH)


def _written(entry: Entry, names: tuple[str, ...], digests: bytes, root: Hash) -> Written:
    return Written(entry.record, entry.version, names, digests, root)


def check_draft(draft: Draft) -> None:
    """Raise `DraftInvalid` or `NotCanonical` unless the draft is well-formed."""
    for name, identifier in (("record", draft.record), ("subject", draft.subject)):
        if len(identifier) != _IDENTIFIER_LENGTH:
            raise DraftInvalid(part=name, length=len(identifier))
    for identifier in draft.named:
        if len(identifier) != _IDENTIFIER_LENGTH:
            raise DraftInvalid(part="named", length=len(identifier))
    if draft.version < 0:
        raise DraftInvalid(part="version", version=draft.version)
    count = len(draft.names)
    if len(draft.values) != count:
        raise DraftInvalid(part="values", reason="not one for each field")
    if draft.seed is not None and len(draft.seed) != SEED_LENGTH:
        raise DraftInvalid(part="seed", length=len(draft.seed))
    check_all_canonical(draft.values)


@lru_cache(64)
def _check_names(names: tuple[str, ...]) -> None:
    """The field names of a draft, which are the same for all drafts of one service."""
    if not names or len(set(names)) != len(names):
        raise DraftInvalid(part="fields", reason="none, or one name twice")
    for name in names:
        if not 0 < len(name.encode()) <= _MAXIMUM_NAME_LENGTH:
            raise DraftInvalid(part="field name", length=len(name.encode()))


def _show(sheet: OpenSheet, name: str) -> Shown:
    opening = sheet.open(name)
    position = sheet.position(name)
    path = inclusion_path(sheet.commitments, position)
    return Shown(name, opening.value, opening.salt, position, len(sheet.names), path)
