"""The key service on one machine: keys in files, every release checked against the ledger by the service itself.

The caller brings an id; the service asks the ledger what was granted under it. Nobody is believed, and with the ledger
stopped nothing opens.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TypeVar

import msgspec

from kerege.dossiers.errors import (
    AccessExpired,
    AccessNotOnLedger,
    AccessOfAnother,
    BackupExpired,
    DossierErased,
    DossierExists,
    DossierMissing,
    DossierNotGranted,
    DossiersExist,
    FieldNotGranted,
    HeldByLaw,
    JobNotOnLedger,
    JobSpent,
    LedgerUnreachable,
    NotForPersons,
    OwnDossier,
    RetainedByLaw,
    RoleNotAllowed,
    StoreUnwritable,
)
from kerege.dossiers.files import FolderLock, check_private, shred, write_private
from kerege.dossiers.keybook import Keybook
from kerege.dossiers.keyring import Keyring, KeySeries, UniquenessKeys
from kerege.dossiers.ports import (
    Absence,
    BookKeys,
    Entry,
    Erasure,
    JobPass,
    LedgerView,
    Look,
    Rotation,
    RowKeys,
    reference_commitment,
)
from kerege.dossiers.purposes import Audience, Purposes, Retention
from kerege.dossiers.sealing import join, new_keys, same, seal_many, unseal
from kerege.durable import make_private_folder, sync_folder
from kerege.kernel.types import Address, Hash, Identifier, Time

HOUR = 3_600_000
DAY = 24 * HOUR
ROTATION_TERM = 30 * DAY
"""An erasure is complete when the epoch that could open old copies of its wrapped key is destroyed: by then."""
BACKUP_TERM = 14 * DAY
"""A backup of keys lives shorter than that, so that none outlives the epoch it holds."""

IDENTITY = "identity"
REQUESTS = "requests"
_EXPIRES_FILE = "expires"
_BOOK = "wrapped"

_T = TypeVar("_T")
_entry_decoder = msgspec.msgpack.Decoder(tuple[bytes, int, bytes, str, tuple[bytes, ...], int | None])


def account_key(address: Address) -> bytes:
    """What the link of an account to its person is looked up by."""
    return join("account", address)


class _Run:
    """One run of a machine job."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class EmbeddedKeyService:
    """`KeyService` over files in `keys/`, one process, any number of threads."""

    def __init__(self, folder: Path, ledger: LedgerView, purposes: Purposes, clock: Callable[[], Time]) -> None:
        """Open an existing folder; raises `KeysMissing`, `KeysExposed`, `DossiersLocked`, `WrongVersion`."""
        self._keyring = Keyring(folder)
        check_private(folder, besides=folder / _BOOK)
        self._file_lock = FolderLock(folder)
        try:
            self._book = Keybook(folder / _BOOK)
            self.uniqueness = UniquenessKeys(KeySeries(folder / "uniqueness"))
        except BaseException:
            self._file_lock.close()
            raise
        self._ledger = ledger
        self._purposes = purposes
        self._clock = clock
        self._lock = RLock()
        self._runs: list[_Run] = []

    @staticmethod
    def create(folder: Path) -> None:
        """Draw the first keys; raises `DossiersExist` where there are any."""
        if folder.exists() and any(folder.iterdir()):
            raise DossiersExist(folder=folder)
        make_private_folder(folder)
        Keybook.create(folder / _BOOK)
        KeySeries.create(folder / "uniqueness")
        Keyring.create(folder)

    def close(self) -> None:
        """Let the files go. A full disk leaves the log as it is: it is read at the next opening."""
        with self._lock:
            with suppress(StoreUnwritable):
                self._book.settle()
            self._book.close()
            self._file_lock.close()

    # -- writing -----------------------------------------------------------------------------------------------------

    def locate(self, record: bytes, version: int, purpose: str) -> bytes:
        """Compute the keyed name of the row of a dossier; every purpose has names of its own."""
        return self.locate_many([(record, version, purpose)])[0]

    def locate_many(self, rows: Sequence[tuple[bytes, int, str]]) -> list[bytes]:
        """Compute the keyed names of many rows (record, version, purpose)."""
        return self._keyring.names([("row", purpose, record, version) for record, version, purpose in rows])

    def registered(self, locators: Sequence[bytes]) -> set[bytes]:
        """Those of many rows that are registered: no other has ever been written under these keys."""
        with self._lock:
            return set(self._book.pending_of(locators))

    def admit(self, entries: Sequence[Entry], *, again: bool = False) -> list[RowKeys]:
        """Register dossiers about to be written and give the keys to write them; durable on return.

        Raises `DossierErased` for a subject whose dossiers of this purpose were erased, `DossierExists` for one that
        is on the ledger.
        """
        locators = self.locate_many([entry.place for entry in entries])
        handles = self._handles([(entry.subject, entry.purpose) for entry in entries])
        with self._lock, self._book.transaction(sync=False) as written:
            known = self._check_admissible(entries, handles, locators, again=again)
            data_keys = self._data_keys(entries, handles)
            triples = zip(locators, handles, entries, strict=True)
            if again:
                self._register([each for each in triples if each[0] not in known], {})
            else:
                self._register(list(triples), known)
        self._book.sync(written)  # outside the lock: who looks something up does not wait for the medium
        return [
            RowKeys(locator, entry.version, data_keys[handle], None)
            for locator, handle, entry in zip(locators, handles, entries, strict=True)
        ]

    def _check_admissible(
        self, entries: Sequence[Entry], handles: Sequence[bytes], locators: Sequence[bytes], *, again: bool
    ) -> Mapping[bytes, int | None]:
        """Raise `DossierErased` or `DossierExists`; gives the locators registered already, with what they wait for."""
        subjects, rows = self._book.buried(handles, locators)
        known = self._book.pending_of(locators)
        if subjects or rows or (known and not again):
            for entry, handle, locator in zip(entries, handles, locators, strict=True):
                if handle in subjects or locator in rows:
                    raise DossierErased(record=entry.record, purpose=entry.purpose)
                if not again and known.get(locator, 0) is None:
                    raise DossierExists(record=entry.record, version=entry.version)
        return known

    def _data_keys(self, entries: Sequence[Entry], handles: Sequence[bytes]) -> dict[bytes, bytes]:
        """The data key of each (subject, purpose), drawn and wrapped where there was none."""
        subjects = {handle: (entry.subject, entry.purpose) for handle, entry in zip(handles, entries, strict=True)}
        there = self._book.wrapped_of(list(subjects))
        data_keys = {handle: self._unwrap(*subjects[handle], *wrapped) for handle, wrapped in there.items()}
        missing = [handle for handle in subjects if handle not in data_keys]
        fresh = dict(zip(missing, new_keys(len(missing)), strict=True))
        self._wrap([(handle, *subjects[handle], data_key) for handle, data_key in fresh.items()])
        return data_keys | fresh

    def pending(self, before: Time) -> list[Entry]:
        """List dossiers whose transaction could have committed before this time at the latest."""
        with self._lock:
            found = (self._find_entry(locator) for locator in self._book.pending(before))
            return [entry for entry in found if entry is not None]

    def confirm(self, entries: Sequence[Entry]) -> None:
        """Note that these are on the ledger. What a crash of the machine loses of it is noted again when it is due."""
        with self._lock, self._book.transaction(sync=False):
            for locator in self.locate_many([entry.place for entry in entries]):
                self._book.confirm(locator)

    def forget(self, entries: Sequence[Entry]) -> tuple[bytes, ...]:
        """Destroy the registration of dossiers that never reached the ledger, and data keys that open nothing else."""
        locators = self.locate_many([entry.place for entry in entries])
        handles = self._handles([(entry.subject, entry.purpose) for entry in entries])
        with self._lock, self._book.transaction():
            for locator, handle in zip(locators, handles, strict=True):
                self._book.drop_entry(locator)
                if not self._book.entries_of(handle):
                    self._book.drop_wrapped(handle)
        return tuple(locators)

    # -- looks -------------------------------------------------------------------------------------------------------

    def unwrap(self, look: Look) -> RowKeys:
        """Give the keys for a look: only after the ledger showed the grant, only for the fields it names.

        Raises the `AccessRefused` that applies first: not on the ledger, another official's, over, not this dossier,
        not these fields, not under this role, own dossier; then `DossierErased` or `DossierMissing`.
        """
        self._check_grant(look)
        with self._lock:
            entry = self._get_entry(look)
            self._check_of_case(look, entry)
            self._check_not_own(look, entry)
            data_key = self._get_data_key(entry)
        return RowKeys(self.locate(look.record, look.version, look.purpose), look.version, data_key, look.fields)

    def _check_grant(self, look: Look) -> None:
        grant = self._ask(lambda: self._ledger.access_granted(look.access))
        if grant is None:
            raise AccessNotOnLedger(access=look.access)
        if grant.case != look.case:
            raise DossierNotGranted(access=look.access)
        if not same(grant.officer, look.officer):
            raise AccessOfAnother(access=look.access)
        if grant.until < self._now():
            raise AccessExpired(access=look.access, until=grant.until)
        if len(look.reference_salt) != 32 or not _covers(grant.references, look):  # noqa: PLR2004 - a salt
            raise DossierNotGranted(access=look.access)
        for field in look.fields:
            if field not in grant.fields:
                raise FieldNotGranted(access=look.access, field=field)
        self._check_audience(look.purpose, grant.role)

    def _check_audience(self, purpose: str, role: str) -> None:
        defined = self._purposes.get(purpose)
        if defined.audience is Audience.NOBODY:
            raise NotForPersons(purpose=purpose)
        if defined.audience is Audience.ROLES and role not in defined.roles:
            raise RoleNotAllowed(purpose=purpose, role=role)

    def _get_entry(self, look: Look) -> Entry:
        locator = self.locate(look.record, look.version, look.purpose)
        if self._book.erased(locator) is not None:
            raise DossierErased(record=look.record, purpose=look.purpose)
        entry = self._find_entry(locator)
        if entry is None:
            raise DossierMissing(record=look.record, version=look.version)
        if not same(entry.subject, look.subject):
            # The grant is for another subject's dossiers; that this row exists is not said.
            raise DossierNotGranted(access=look.access)
        return entry

    def _check_of_case(self, look: Look, entry: Entry) -> None:
        """A case opens its own dossier, the acts that its dossier names, and the acts written in it; no others."""
        if look.record == look.case or look.case in entry.named:
            return
        case = self._find_entry(self.locate(look.case, look.case_version, REQUESTS))
        if case is None or look.record not in case.named:
            raise DossierNotGranted(access=look.access)

    def _check_not_own(self, look: Look, entry: Entry) -> None:
        link = self._find_entry(self.locate(account_key(look.officer), 0, IDENTITY))
        if link is not None and link.subject in (entry.subject, *entry.named):
            raise OwnDossier(access=look.access)

    # -- machine -----------------------------------------------------------------------------------------------------

    def begin(self, job: Identifier, kind: str) -> JobPass:
        """Begin one run of a machine job; raises `JobNotOnLedger`, `JobSpent`, `LedgerUnreachable`."""
        start = self._ask(lambda: self._ledger.job_started(job))
        if start is None or start.kind != kind:
            raise JobNotOnLedger(job=job, kind=kind)
        with self._lock, self._book.transaction():
            if not self._book.spend(job):
                raise JobSpent(job=job)
        run = _Run(kind)
        self._runs.append(run)
        return run

    def end(self, run: JobPass) -> None:
        """End the run: it opens nothing any more."""
        self._runs = [other for other in self._runs if other is not run]

    def open_for_job(self, run: JobPass, record: Identifier, version: int, purpose: str | None) -> RowKeys | Absence:
        """Give a running job the keys of one dossier, or say why there are none; purpose None tries all.

        The ledger does not say under which purpose a commitment is kept: that alone would tell an adoption.
        """
        self._check_running(run)
        with self._lock:
            absence = Absence.MISSING
            for code in self._purposes.codes() if purpose is None else (purpose,):
                locator = self.locate(record, version, code)
                entry = self._find_entry(locator)
                if entry is not None:
                    return RowKeys(locator, version, self._get_data_key(entry), None)
                tombstone = self._book.erased(locator)
                if tombstone is not None:
                    absence = self._explain(tombstone)
            return absence

    def open_many_for_job(
        self, run: JobPass, records: Sequence[Identifier], version: int, purpose: str
    ) -> dict[Identifier, RowKeys]:
        """Give a running job the keys of those of many dossiers that are there; looked up together."""
        self._check_running(run)
        with self._lock:
            entries = self._find_entries(self.locate_many([(record, version, purpose) for record in records]))
            found = self._handles([(entry.subject, purpose) for entry in entries.values()])
            handles = dict(zip(entries, found, strict=True))
            wrapped = self._book.wrapped_of(list(set(handles.values())))
            return {
                entry.record: RowKeys(
                    locator, version, self._unwrap(entry.subject, purpose, *wrapped[handles[locator]]), None
                )
                for locator, entry in entries.items()
                if handles[locator] in wrapped
            }

    def _check_running(self, run: JobPass) -> None:
        if not any(run is running for running in self._runs):
            raise JobNotOnLedger(kind=run.kind)

    def _explain(self, tombstone: bytes) -> Absence:
        announced = self._ask(lambda: self._ledger.tombstone(tombstone))
        return Absence.ERASED if announced else Absence.UNANNOUNCED

    def open_mapping(self, record: bytes, purpose: str) -> tuple[Entry, RowKeys] | None:
        """Give a row of a purpose that no person is shown, or None; raises `NotForPersons` the other way round."""
        if self._purposes.get(purpose).audience is not Audience.NOBODY:
            raise AccessNotOnLedger(purpose=purpose)
        with self._lock:
            locator = self.locate(record, 0, purpose)
            entry = self._find_entry(locator)
            if entry is None:
                return None
            return entry, RowKeys(locator, 0, self._get_data_key(entry), None)

    def book(self, name: str) -> BookKeys:
        """Keys of an authority table."""
        return BookKeys(self._keyring.name("book-name", name), self._keyring.name("book-row", name))

    # -- erasure and epochs ------------------------------------------------------------------------------------------

    def erase(self, subject: Identifier, purpose: str) -> Erasure:
        """Destroy the data key of a subject and purpose; raises `RetainedByLaw`, `HeldByLaw`, `DossierMissing`.

        Again for one already erased: the same tombstone. The tombstone is a keyed name: it says nothing to the public,
        and the key service recognises it after a restore (`reapply`).
        """
        with self._lock:
            tombstone, handle = self.tombstone(subject, purpose), self._handle(subject, purpose)
            return self._bury(handle) if self._book.tombstone(handle) is None else Erasure(tombstone, ())

    def tombstone(self, subject: Identifier, purpose: str) -> Hash:
        """Give the tombstone of an erasure, done or not; raises `RetainedByLaw`, `HeldByLaw`, `DossierMissing`."""
        if self._purposes.get(purpose).retention is Retention.PERMANENT:
            raise RetainedByLaw(purpose=purpose)
        handle = self._handle(subject, purpose)
        with self._lock:
            self._check_not_held(handle, purpose)
            if self._book.tombstone(handle) is None and self._book.wrapped(handle) is None:
                raise DossierMissing(purpose=purpose)
        return self._tombstone(handle)

    def _bury(self, handle: bytes) -> Erasure:
        tombstone = self._tombstone(handle)
        # The day is enough to know when the epoch must end.
        day = self._now() // DAY * DAY
        with self._book.transaction():
            locators = self._book.bury(handle, tombstone, self._keyring.epochs.newest, day)
        self._book.purge()
        return Erasure(tombstone, tuple(locators))

    def reapply(self, tombstones: Iterable[Hash]) -> int:
        """Erase again whatever a tombstone of the ledger names, after keys came back from a backup."""
        buried = set(tombstones)
        with self._lock:
            again = [handle for handle in self._book.handles() if self._tombstone(handle) in buried]
            for handle in again:
                self._bury(handle)
        return len(again)

    def generation(self) -> int:
        """Count erasures, so that a store restored from before one is recognised."""
        return self._book.counter("generation")

    def advance(self, generation: int) -> None:
        """After `reapply`: count on from where the store was."""
        with self._lock, self._book.transaction():
            self._book.raise_counter("generation", generation)

    def erased(self) -> Iterator[bytes]:
        """Names of all rows that erasures left without a key."""
        return self._book.erased_rows()

    def hold(self, subject: Identifier, purpose: str, ground: str, until: Time | None) -> None:
        """Forbid erasure, on a ground (a code, never a word about a person), until a time or until lifted."""
        with self._lock, self._book.transaction():
            self._book.put_hold(self._handle(subject, purpose), ground, until)

    def lift(self, subject: Identifier, purpose: str) -> None:
        """End a hold; one that does not exist is no error."""
        with self._lock, self._book.transaction():
            self._book.drop_hold(self._handle(subject, purpose))

    def _check_not_held(self, handle: bytes, purpose: str) -> None:
        hold = self._book.hold(handle)
        if hold is not None and (hold[1] is None or hold[1] >= self._now()):
            raise HeldByLaw(purpose=purpose, ground=hold[0])

    def rotate_epoch(self) -> Rotation:
        """Take a new master key, wrap every living data key under it, destroy the old ones.

        Broken off at any point, it is simply run again: an old master key goes only after nothing needs it.
        """
        with self._lock:
            epoch = self._keyring.epochs.add()
            rewrapped = self._rewrap_entries(epoch)
            self._book.purge()
            old = tuple(version for version in self._keyring.epochs.versions() if version != epoch)
            for version in old:
                self._keyring.epochs.destroy(version)
        return Rotation(epoch, rewrapped, old)

    def _rewrap_entries(self, epoch: int) -> int:
        """Move registrations, and with each its data key, to an epoch, a page per transaction."""
        rewrapped = 0
        last = b""
        while page := self._book.locators(last):
            with self._book.transaction():
                rewrapped += sum(self._rewrap(locator, epoch) for locator in page)
            last = page[-1]
        return rewrapped

    def _rewrap(self, locator: bytes, epoch: int) -> bool:
        """Move one registration; tells whether its data key had to move too."""
        entry = self._find_entry(locator)
        if entry is None:
            return False
        handle = self._handle(entry.subject, entry.purpose)
        wrapped = self._book.wrapped(handle)
        moves = wrapped is not None and wrapped[0] != epoch
        if moves:
            self._wrap([(handle, entry.subject, entry.purpose, self._get_data_key(entry))])
        self._register([(locator, handle, entry)], self._book.pending_of([locator]))
        return moves

    def rotation_due(self) -> Time | None:
        """Time by which the epoch must change to complete the erasures under it, or None where none waits."""
        with self._lock:
            earliest = self._book.earliest_erasure(self._keyring.epochs.versions())
        return None if earliest is None else earliest + ROTATION_TERM

    # -- backups -----------------------------------------------------------------------------------------------------

    def backup(self, folder: Path) -> Time:
        """Copy the keys to a new private folder; gives the time at which that copy must be gone."""
        expires = self._clock() + BACKUP_TERM
        with self._lock:
            if folder.exists():
                raise DossiersExist(folder=folder)
            make_private_folder(folder)
            with self._book.transaction():
                self._book.note_backup(str(folder.resolve()), expires)
            for path in sorted(self._keyring.folder.rglob("*.key")):
                target = folder / path.relative_to(self._keyring.folder)
                make_private_folder(target.parent)
                write_private(target, path.read_bytes())
            self._book.backup(folder / _BOOK)
            write_private(folder / _EXPIRES_FILE, str(expires).encode())
        return expires

    def expire_backups(self) -> tuple[Path, ...]:
        """Destroy the copies whose term is over; gives those not found where they were put, to be looked for."""
        now = self._clock()
        absent = []
        with self._lock:
            for name, expires in self._book.backups():
                folder = Path(name)
                if expires > now:
                    continue
                if not folder.is_dir():
                    absent.append(folder)
                    continue
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        shred(path)
                shutil.rmtree(folder)
                sync_folder(folder.parent)
                with self._book.transaction():
                    self._book.drop_backup(name)
        return tuple(absent)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _ask(self, question: Callable[[], _T]) -> _T:
        try:
            return question()
        except OSError as error:
            raise LedgerUnreachable(reason=type(error).__name__) from error

    def _now(self) -> Time:
        """The later of block time and the clock: an idle ledger must not make a grant last."""
        return max(self._ask(self._ledger.time), self._clock())

    def _handle(self, subject: Identifier, purpose: str) -> bytes:
        return self._handles([(subject, purpose)])[0]

    def _handles(self, subjects: Sequence[tuple[Identifier, str]]) -> list[bytes]:
        """Keyed names of many (subject, purpose)."""
        return self._keyring.names([("subject", purpose, subject) for subject, purpose in subjects])

    def _tombstone(self, handle: bytes) -> bytes:
        return self._keyring.name("tombstone", handle)

    def _wrap(self, keys: Iterable[tuple[bytes, Identifier, str, bytes]]) -> None:
        """Store data keys (handle, subject, purpose, data key) under the running epoch."""
        epoch = self._keyring.epochs.newest
        known = list(keys)
        plain = [(data_key, _wrap_bound(subject, purpose, epoch)) for _, subject, purpose, data_key in known]
        sealed = seal_many(self._keyring.wrapping_key(epoch), plain)
        self._book.put_wrapped([(each[0], epoch, row) for each, row in zip(known, sealed, strict=True)])

    def _unwrap(self, subject: Identifier, purpose: str, epoch: int, sealed: bytes) -> bytes:
        return unseal(self._keyring.wrapping_key(epoch), sealed, _wrap_bound(subject, purpose, epoch))

    def _find_data_key(self, subject: Identifier, purpose: str) -> bytes | None:
        wrapped = self._book.wrapped(self._handle(subject, purpose))
        return None if wrapped is None else self._unwrap(subject, purpose, *wrapped)

    def _get_data_key(self, entry: Entry) -> bytes:
        data_key = self._find_data_key(entry.subject, entry.purpose)
        if data_key is None:
            raise DossierMissing(record=entry.record, version=entry.version)
        return data_key

    def _register(self, rows: Sequence[tuple[bytes, bytes, Entry]], known: Mapping[bytes, int | None]) -> None:
        """Note which dossier each row (locator, handle, entry) is, under the running epoch; `known`: as it was."""
        epoch = self._keyring.epochs.newest
        plain = [(_entry_of(entry), _entry_bound(locator, epoch)) for locator, _, entry in rows]
        sealed = seal_many(self._keyring.register_key(epoch), plain)
        told = (
            (locator, handle, epoch, row, _pending(entry))
            for (locator, handle, entry), row in zip(rows, sealed, strict=True)
        )
        self._book.put_entries(told, known)

    def _find_entry(self, locator: bytes) -> Entry | None:
        return self._find_entries([locator]).get(locator)

    def _find_entries(self, locators: Sequence[bytes]) -> dict[bytes, Entry]:
        """Those of many rows that are registered."""
        return {locator: self._open_entry(locator, *row) for locator, row in self._book.entries(locators).items()}

    def _open_entry(self, locator: bytes, _handle: bytes, epoch: int, sealed: bytes, pending: int | None) -> Entry:
        plain = unseal(self._keyring.register_key(epoch), sealed, _entry_bound(locator, epoch))
        record, version, subject, purpose, named, expires = _entry_decoder.decode(plain)
        return Entry(record, version, subject, purpose, named, None if pending is None else expires)


def restore_keys(backup: Path, folder: Path, now: Time) -> None:
    """Put a backup of keys into an empty keys folder; raises `BackupExpired`, `DossiersExist`.

    Opening the store afterwards asks for the ledger's tombstones where something was erased since.
    """
    expires = int((backup / _EXPIRES_FILE).read_text("ascii"))
    if expires <= now:
        raise BackupExpired(folder=backup, expires=expires)
    if folder.exists() and any(folder.iterdir()):
        raise DossiersExist(folder=folder)
    make_private_folder(folder)
    files = [path for path in sorted(backup.rglob("*")) if path.is_file() and path.name != _EXPIRES_FILE]
    # The names key last, as in creation: a restore broken off is seen as no keys.
    for path in sorted(files, key=lambda path: path.name == "names.key"):
        target = folder / path.relative_to(backup)
        make_private_folder(target.parent)
        write_private(target, path.read_bytes())


def _covers(references: Iterable[Hash], look: Look) -> bool:
    wanted = reference_commitment(look.subject, look.purpose, look.reference_salt)
    # Every reference is compared, whichever matches: the time says nothing about its place.
    return sum(same(reference, wanted) for reference in references) > 0


def _wrap_bound(subject: Identifier, purpose: str, epoch: int) -> bytes:
    return join("kerege/wrap/1", subject, purpose, epoch)


def _entry_of(entry: Entry) -> bytes:
    return msgspec.msgpack.encode(
        (entry.record, entry.version, entry.subject, entry.purpose, entry.named, entry.expires)
    )


def _entry_bound(locator: bytes, epoch: int) -> bytes:
    return join("kerege/entry/1", locator, epoch)


def _pending(entry: Entry) -> Time | None:
    """Up to the next full hour: finer would be a trace of the transaction, coarser would keep orphans longer."""
    return None if entry.expires is None else -(-entry.expires // HOUR) * HOUR
