"""The key service's own table book: wrapped data keys, which dossier is whose, tombstones, holds, spent job starts.

It lies in `keys/`, where no adversary of the store looks. What ties a row to a subject is sealed under the running
epoch all the same, so that after an epoch's end an old copy of this folder says nothing about what was erased: nor does
the medium, where a file that RocksDB let go may lie on. Master keys are files of their own, and overwritten.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from kerege.dossiers.errors import DossiersAbsent, KeysMissing, StoreDamaged
from kerege.dossiers.files import write_private
from kerege.dossiers.rocks import MIB, Form, RocksFolder
from kerege.durable import make_private_folder

FORM = Form(b"kerege-keys/2", buffer=2 * MIB, cache=3 * MIB, merge=16)
_PAGE = 1000
"""Rows of one question."""

# First byte of a name: what stands under it.
_WRAPPED = b"w"
"""handle: keyed name of (subject, purpose)."""
_ENTRY = b"e"
"""locator: keyed name of (record, version, purpose)."""
_OF_HANDLE = b"h"
"""handle ‖ locator."""
_PENDING = b"p"
"""hour ‖ locator: the hour after which the row's transaction cannot commit."""
_TOMBSTONE = b"t"
"""handle."""
_ERASED = b"r"
"""locator → tombstone."""
_HOLD = b"l"
"""handle."""
_JOB = b"j"
_BACKUP = b"b"
_COUNTER = b"c"


class _Row(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Bytes of a book are what was written there."""


class _Wrapped(_Row, frozen=True):
    epoch: int
    sealed: bytes


class _Entry(_Row, frozen=True):
    handle: bytes
    epoch: int
    sealed: bytes
    pending: int | None


class _Tombstone(_Row, frozen=True):
    tombstone: bytes
    epoch: int
    at: int


class _Hold(_Row, frozen=True):
    ground: str
    until: int | None


R = TypeVar("R", bound=_Row)
_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[type[_Row], msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (_Wrapped, _Entry, _Tombstone, _Hold)
}


@dataclass(slots=True)
class Unsynced:
    """What a transaction wrote, for `sync`."""

    opening: int
    """Which opening of the folder it was written in."""
    anything: bool = False


class Keybook:
    """Typed rows of the folder `wrapped`; every method that changes runs inside `transaction()`, by one thread."""

    def __init__(self, path: Path) -> None:
        try:
            self._rows = RocksFolder(path, FORM)
        except DossiersAbsent:
            raise KeysMissing(file=path) from None
        self._path = path
        self._changed: dict[bytes, bytes | None] = {}
        """Of the transaction under way."""

    @staticmethod
    def create(path: Path) -> None:
        """Make an empty book in a private folder."""
        RocksFolder.create(path, FORM)

    @contextmanager
    def transaction(self, *, sync: bool = True) -> Iterator[Unsynced]:
        """All changes inside or none, with `sync` on the medium at the end; what is asked inside sees them."""
        self._changed.clear()
        written = Unsynced(self._rows.opening)
        try:
            yield written
            if self._changed:
                self._rows.write(self._changed.items(), sync=sync)
                written.anything = True
        finally:
            self._changed.clear()

    def sync(self, written: Unsynced) -> None:
        """Have on the medium what a transaction without `sync` wrote; raises `StoreUnwritable`."""
        if written.anything:
            self._rows.sync(written.opening)

    # -- data keys ---------------------------------------------------------------------------------------------------

    def wrapped(self, handle: bytes) -> tuple[int, bytes] | None:
        """Give epoch and wrapped data key of a (subject, purpose), or None."""
        found = self._find(_Wrapped, _WRAPPED + handle)
        return None if found is None else (found.epoch, found.sealed)

    def wrapped_of(self, handles: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        """Epoch and wrapped data key of those of many (subject, purpose) that have one."""
        found = self._among(_WRAPPED, handles)
        rows = ((handle, self._read(_Wrapped, raw)) for handle, raw in found)
        return {handle: (row.epoch, row.sealed) for handle, row in rows}

    def put_wrapped(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Store wrapped data keys (handle, epoch, sealed), in place of older wrappings."""
        self._changed.update((_WRAPPED + handle, _encode((epoch, sealed))) for handle, epoch, sealed in rows)

    def drop_wrapped(self, handle: bytes) -> None:
        """Remove a wrapped data key."""
        self._remove(_WRAPPED + handle)

    def handles(self) -> Iterator[bytes]:
        """Go through all (subject, purpose) that have a data key."""
        return (name[1:] for name, _ in self._rows.scan(_WRAPPED))

    # -- entries -----------------------------------------------------------------------------------------------------

    def entries(self, locators: Sequence[bytes]) -> dict[bytes, tuple[bytes, int, bytes, int | None]]:
        """(handle, epoch, sealed entry, pending until) of those of many rows that are registered."""
        rows = ((locator, self._read(_Entry, raw)) for locator, raw in self._among(_ENTRY, locators))
        return {locator: (row.handle, row.epoch, row.sealed, row.pending) for locator, row in rows}

    def pending_of(self, locators: Sequence[bytes]) -> dict[bytes, int | None]:
        """Those of many rows that are registered, with the hour until which each waits for its transaction."""
        return {locator: self._read(_Entry, raw).pending for locator, raw in self._among(_ENTRY, locators)}

    def put_entries(
        self, rows: Iterable[tuple[bytes, bytes, int, bytes, int | None]], known: Mapping[bytes, int | None]
    ) -> None:
        """Register rows (locator, handle, epoch, sealed, pending), in place of those `known` (`pending_of` them)."""
        for locator, pending in known.items():
            self._wait_no_more(locator, pending)
        for locator, handle, epoch, sealed, pending in rows:
            self._changed[_ENTRY + locator] = _encode((handle, epoch, sealed, pending))
            self._changed[_OF_HANDLE + handle + locator] = b""
            if pending is not None:
                self._changed[_pending_name(pending, locator)] = b""

    def confirm(self, locator: bytes) -> None:
        """Note that the row's commitment is on the ledger."""
        found = self._find(_Entry, _ENTRY + locator)
        if found is not None:
            self._wait_no_more(locator, found.pending)
            self._changed[_ENTRY + locator] = _encode((found.handle, found.epoch, found.sealed, None))

    def drop_entry(self, locator: bytes) -> None:
        """Remove the registration of a row."""
        found = self._find(_Entry, _ENTRY + locator)
        if found is not None:
            self._wait_no_more(locator, found.pending)
            self._changed[_OF_HANDLE + found.handle + locator] = None
            self._changed[_ENTRY + locator] = None

    def entries_of(self, handle: bytes) -> list[bytes]:
        """List the rows of a (subject, purpose)."""
        start = _OF_HANDLE + handle
        names = {name for name, _ in self._rows.scan(start)}
        for name, value in self._changed.items():
            if name.startswith(start):
                (names.discard if value is None else names.add)(name)
        return [name[len(start) :] for name in sorted(names)]

    def pending(self, before: int) -> list[bytes]:
        """List the rows whose time to commit was over before this."""
        end = _pending_name(before, b"")
        found: list[bytes] = []
        for name, _ in self._rows.scan(_PENDING):
            if name >= end:
                break
            found.append(name[len(end) :])
        return found

    def locators(self, after: bytes) -> list[bytes]:
        """Give the next page of registered rows, in order."""
        return [name[1:] for name, _ in islice(self._rows.scan(_ENTRY, _ENTRY + after), _PAGE)]

    def _wait_no_more(self, locator: bytes, pending: int | None) -> None:
        if pending is not None:
            self._changed[_pending_name(pending, locator)] = None

    # -- erasure -----------------------------------------------------------------------------------------------------

    def tombstone(self, handle: bytes) -> bytes | None:
        """Give the tombstone of an erased (subject, purpose), or None."""
        found = self._find(_Tombstone, _TOMBSTONE + handle)
        return None if found is None else found.tombstone

    def buried(self, handles: Sequence[bytes], locators: Sequence[bytes]) -> tuple[set[bytes], set[bytes]]:
        """Those of many (subject, purpose), and of many rows, that were erased."""
        if not self.counter("generation"):
            return set(), set()
        subjects, rows = self._among(_TOMBSTONE, handles), self._among(_ERASED, locators)
        return {handle for handle, _ in subjects}, {locator for locator, _ in rows}

    def bury(self, handle: bytes, tombstone: bytes, epoch: int, at: int) -> list[bytes]:
        """Replace data key and registrations of a (subject, purpose) by its tombstone; gives the rows left over."""
        locators = self.entries_of(handle)
        self._changed[_TOMBSTONE + handle] = _encode((tombstone, epoch, at))
        for locator in locators:
            self.drop_entry(locator)
            self._changed[_ERASED + locator] = tombstone
        self.drop_hold(handle)
        self.drop_wrapped(handle)
        self.count("generation")
        return locators

    def erased(self, locator: bytes) -> bytes | None:
        """Give the tombstone under which a row was erased, or None."""
        return self._get(_ERASED + locator)

    def erased_rows(self) -> Iterator[bytes]:
        """Go through all rows that erasures left without a key."""
        return (name[1:] for name, _ in self._rows.scan(_ERASED))

    def earliest_erasure(self, epochs: tuple[int, ...]) -> int | None:
        """Time of the first erasure whose old wrapped keys one of these epochs could still open."""
        rows = (self._read(_Tombstone, raw) for _, raw in self._rows.scan(_TOMBSTONE))
        return min((row.at for row in rows if row.epoch in epochs), default=None)

    # -- holds, jobs, backups, counters ------------------------------------------------------------------------------

    def hold(self, handle: bytes) -> tuple[str, int | None] | None:
        """Give ground and end of a hold, or None."""
        found = self._find(_Hold, _HOLD + handle)
        return None if found is None else (found.ground, found.until)

    def put_hold(self, handle: bytes, ground: str, until: int | None) -> None:
        """Place a hold, in place of an older one."""
        self._changed[_HOLD + handle] = _encode((ground, until))

    def drop_hold(self, handle: bytes) -> None:
        """End a hold."""
        self._remove(_HOLD + handle)

    def spend(self, job: bytes) -> bool:
        """Use up the start of a machine job; False where it was used already."""
        if self._get(_JOB + job) is not None:
            return False
        self._changed[_JOB + job] = b""
        return True

    def note_backup(self, folder: str, expires: int) -> None:
        """Remember where a copy of the keys lies and when it must be gone."""
        self._changed[_BACKUP + folder.encode()] = _encode(expires)

    def backups(self) -> list[tuple[str, int]]:
        """List the copies of the keys with the end of their term."""
        rows = self._rows.scan(_BACKUP)
        return [(name[1:].decode(), msgspec.msgpack.decode(raw, type=int)) for name, raw in rows]

    def drop_backup(self, folder: str) -> None:
        """Forget a copy that is gone."""
        self._remove(_BACKUP + folder.encode())

    def count(self, name: str) -> None:
        """Add one to a counter."""
        self._changed[_COUNTER + name.encode()] = _encode(self.counter(name) + 1)

    def counter(self, name: str) -> int:
        """Give a counter, 0 where it never counted."""
        raw = self._get(_COUNTER + name.encode())
        return 0 if raw is None else msgspec.msgpack.decode(raw, type=int)

    def raise_counter(self, name: str, value: int) -> None:
        """Set a counter to at least this value."""
        self._changed[_COUNTER + name.encode()] = _encode(max(self.counter(name), value))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _get(self, name: bytes) -> bytes | None:
        return self._changed[name] if name in self._changed else self._rows.get(name)

    def _remove(self, name: bytes) -> None:
        if self._get(name) is not None:
            self._changed[name] = None

    def _find(self, kind: type[R], name: bytes) -> R | None:
        raw = self._get(name)
        return None if raw is None else self._read(kind, raw)

    def _read(self, kind: type[R], raw: bytes) -> R:
        try:
            row: R = _decoders[kind].decode(raw)
        except msgspec.DecodeError as error:
            raise StoreDamaged(folder=self._path, reason=error) from error
        return row

    def _among(self, mark: bytes, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Those of many keys that have a row, with it."""
        names = [mark + key for key in keys]
        found = zip(keys, names, self._rows.get_many(names), strict=True)
        told = ((key, self._changed.get(name, raw)) for key, name, raw in found)
        return [(key, raw) for key, raw in told if raw is not None]

    # -- files -------------------------------------------------------------------------------------------------------

    def purge(self) -> None:
        """Leave no copy of what was removed, or wrapped and sealed anew, in any file."""
        self._rows.purge(_WRAPPED, _ENTRY)

    def settle(self) -> None:
        """Leave no copy of what was removed in any file."""
        self._rows.purge()

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new folder: of its own, so that it can be overwritten when its term is over."""
        linked = target.with_name(".linked")
        self._rows.backup(linked)
        make_private_folder(target)
        for path in sorted(linked.iterdir()):
            write_private(target / path.name, path.read_bytes())
        shutil.rmtree(linked)

    def close(self) -> None:
        """Let the folder go."""
        self._rows.close()


def _pending_name(hour: int, locator: bytes) -> bytes:
    return _PENDING + hour.to_bytes(8, "big") + locator
