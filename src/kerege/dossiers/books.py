"""Books of an authority: numbers set aside, used and returned; sealed, found by keyed names.

A reservation is made before the transaction that uses the number, and ends in one of two ways: the transaction is on
the ledger (`commit`), or it can get there no more (`release`). Both may be repeated.
"""

import os
from collections.abc import Callable, Iterable
from threading import RLock
from typing import Generic, TypeVar

import msgspec

from kerege.dossiers.errors import ReservationCommitted, ReservationUnknown
from kerege.dossiers.ports import BookKeys, Change, Rows, Shelf
from kerege.dossiers.sealing import join, pad, prf, seal, unpad, unseal
from kerege.kernel.types import Hash, Identifier, Time

STEP = 256
"""Sizes of rows are multiples of this many bytes."""

FOUND = bytes(32)
"""In place of the transaction that used a number, where the ledger shows only that it was used."""

_T = TypeVar("_T")
ItemT = TypeVar("ItemT")


class Book:
    """One sealed table of an authority: keyed names to sealed values."""

    def __init__(self, rows: Rows, keys: BookKeys, shelf: Shelf = Shelf.BOOKS) -> None:
        self._rows = rows
        self._keys = keys
        self._shelf = shelf

    def find(self, kind: type[_T], *name: bytes | str | int) -> _T | None:
        """Give the value under a name, or None."""
        locator = prf(self._keys.name, *name)
        sealed = self._rows.get(self._shelf, locator)
        return None if sealed is None else self._open(kind, locator, sealed)

    def put(self, value: object, *name: bytes | str | int) -> Change:
        """Prepare a row."""
        locator = prf(self._keys.name, *name)
        plain = pad(msgspec.msgpack.encode(value), STEP)
        return Change(self._shelf, locator, seal(self._keys.row, plain, self._bound(locator)))

    def drop(self, *name: bytes | str | int) -> Change:
        """Prepare the removal of a row."""
        return Change(self._shelf, prf(self._keys.name, *name), None)

    def all(self, kind: type[_T]) -> list[_T]:
        """Open every row of the shelf."""
        return [self._open(kind, locator, sealed) for locator, sealed in self._rows.scan(self._shelf)]

    def apply(self, changes: Iterable[Change]) -> None:
        """Make prepared changes, all or none, durably."""
        self._rows.apply(changes)

    def _open(self, kind: type[_T], locator: bytes, sealed: bytes) -> _T:
        return msgspec.msgpack.decode(unpad(unseal(self._keys.row, sealed, self._bound(locator))), type=kind)

    def _bound(self, locator: bytes) -> bytes:
        return join("kerege/book/1", self._shelf.value, locator)


class _Pending(msgspec.Struct, frozen=True, array_like=True):
    book: str
    reservation: bytes
    expires: int | None
    item: bytes


class _Used(msgspec.Struct, frozen=True, array_like=True):
    transaction: bytes
    item: bytes


class Reservations(Generic[ItemT]):
    """Reservations of one kind of number: pending ones on a short shelf that can be gone through, used ones for good.

    `give_back` and `use` say what else changes in the book when a reservation ends, in the same durable step.
    """

    def __init__(
        self,
        name: str,
        item: type[ItemT],
        book: Book,
        pending: Book,
        *,
        lock: RLock,
        use: Callable[[ItemT, Hash], list[Change]],
        give_back: Callable[[ItemT], list[Change]],
    ) -> None:
        self.lock = lock
        self._name = name
        self._item = item
        self._book = book
        self._pending = pending
        self._use = use
        self._give_back = give_back

    def find(self, reservation: Identifier) -> ItemT | None:
        """Give what is reserved or was used under an id, or None."""
        pending = self._pending.find(_Pending, self._name, reservation)
        if pending is not None:
            return self._decode(pending.item)
        used = self._used(reservation)
        return None if used is None else self._decode(used.item)

    def reserve(
        self,
        reservation: Identifier | None,
        expires: Time | None,
        take: Callable[[Identifier], tuple[ItemT, list[Change]]],
    ) -> tuple[Identifier, ItemT]:
        """Set one aside under an id (drawn where None); the same id again gives the same one."""
        with self.lock:
            identifier = os.urandom(16) if reservation is None else reservation
            known = self.find(identifier)
            if known is not None:
                return identifier, known
            item, changes = take(identifier)
            pending = _Pending(self._name, identifier, expires, msgspec.msgpack.encode(item))
            self._book.apply([*changes, self._pending.put(pending, self._name, identifier)])
            return identifier, item

    def commit(self, reservation: Identifier, transaction: Hash) -> None:
        """Note the transaction that used it; again with the same one is no error.

        Raises `ReservationUnknown`, and `ReservationCommitted` where another transaction used it.
        """
        with self.lock:
            used = self._used(reservation)
            if used is not None:
                if used.transaction not in (transaction, FOUND):
                    raise ReservationCommitted(reservation=reservation)
                return
            pending = self._pending.find(_Pending, self._name, reservation)
            if pending is None:
                raise ReservationUnknown(reservation=reservation)
            kept = self._book.put(_Used(transaction, pending.item), "used", reservation)
            gone = self._pending.drop(self._name, reservation)
            self._book.apply([*self._use(self._decode(pending.item), transaction), kept, gone])

    def release(self, reservation: Identifier) -> None:
        """Return it unused; one returned already is no error. Raises `ReservationCommitted`."""
        with self.lock:
            if self._used(reservation) is not None:
                raise ReservationCommitted(reservation=reservation)
            pending = self._pending.find(_Pending, self._name, reservation)
            if pending is not None:
                gone = self._pending.drop(self._name, reservation)
                self._book.apply([*self._give_back(self._decode(pending.item)), gone])

    def release_expired(self, now: Time, used: Callable[[ItemT], bool]) -> int:
        """Settle reservations whose transaction can commit no more: used where the ledger has it, else returned.

        `now` is the time of the last committed block, `used` asks the ledger. Gives how many were returned.
        """
        released = 0
        with self.lock:
            for pending in self._pending.all(_Pending):
                if pending.book != self._name or pending.expires is None or pending.expires >= now:
                    continue
                if used(self._decode(pending.item)):
                    self.commit(pending.reservation, FOUND)
                else:
                    self.release(pending.reservation)
                    released += 1
        return released

    def _used(self, reservation: Identifier) -> _Used | None:
        return self._book.find(_Used, "used", reservation)

    def _decode(self, item: bytes) -> ItemT:
        return msgspec.msgpack.decode(item, type=self._item)
