"""Act numbers: every office counts its acts within a year, without gaps that nobody can explain.

A number returned unused is the next one given out, so that a gap means a reservation still open.
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

import msgspec

from kerege.dossiers.books import Book, Reservations
from kerege.dossiers.errors import NumberTaken
from kerege.dossiers.ports import BookKeys, Change, Rows, Shelf
from kerege.kernel.types import Hash, Identifier, Time


class _Act(msgspec.Struct, frozen=True, array_like=True):
    office: str
    year: int
    number: int


class _Series(msgspec.Struct, frozen=True, array_like=True):
    next: int
    returned: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NumberReservation:
    """An act number set aside for one registration."""

    id: Identifier
    office: str
    year: int
    number: int


class ActNumbers:
    """Numbers of acts per office and year."""

    def __init__(self, rows: Rows, keys: Callable[[str], BookKeys], lock: RLock) -> None:
        self._book = Book(rows, keys("act-numbers"))
        pending = Book(rows, keys("reservations"), Shelf.PENDING)
        self._reservations = Reservations(
            "act-numbers", _Act, self._book, pending, lock=lock, use=self._keep, give_back=self._give_back
        )

    def reserve(
        self, office: str, year: int, *, reservation: Identifier | None = None, expires: Time | None = None
    ) -> NumberReservation:
        """Set the next number aside, a returned one first; the same reservation id gives the same number again."""

        def take(_: Identifier) -> tuple[_Act, list[Change]]:
            series = self._series(office, year)
            if series.returned:
                number, series = series.returned[0], _Series(series.next, series.returned[1:])
            else:
                number = series.next
                while self.used_by(office, year, number) is not None:
                    number += 1
                series = _Series(number + 1, ())
            return _Act(office, year, number), [self._book.put(series, "series", office, year)]

        identifier, act = self._reservations.reserve(reservation, expires, take)
        return NumberReservation(identifier, act.office, act.year, act.number)

    def commit(self, reservation: Identifier, transaction: Hash) -> None:
        """Note that the act with this number is on the ledger; twice is no error."""
        self._reservations.commit(reservation, transaction)

    def release(self, reservation: Identifier) -> None:
        """Return an unused number; twice is no error. Raises `ReservationCommitted`."""
        self._reservations.release(reservation)

    def release_expired(self, now: Time, used: Callable[[str, int, int], bool]) -> int:
        """Settle reservations whose transaction can commit no more, `used` asks the ledger by its parts."""
        return self._reservations.release_expired(now, lambda act: used(act.office, act.year, act.number))

    def occupy(self, office: str, year: int, number: int, transaction: Hash) -> None:
        """Note a number of an old registry; again by the same transaction is no error. Raises `NumberTaken`."""
        with self._reservations.lock:
            known = self.used_by(office, year, number)
            if known == transaction:
                return
            series = self._series(office, year)
            # Below the next number every one is used, returned or set aside; a returned one is free to be taken.
            if known is not None or (number < series.next and number not in series.returned):
                raise NumberTaken(office=office, year=year, number=number)
            returned = tuple(other for other in series.returned if other != number)
            changes = [self._book.put(_Series(series.next, returned), "series", office, year)]
            self._book.apply([*changes, *self._keep(_Act(office, year, number), transaction)])

    def used_by(self, office: str, year: int, number: int) -> Hash | None:
        """Give the transaction that used a number, or None."""
        return self._book.find(bytes, "act", office, year, number)

    def _keep(self, act: _Act, transaction: Hash) -> list[Change]:
        return [self._book.put(transaction, "act", act.office, act.year, act.number)]

    def _give_back(self, act: _Act) -> list[Change]:
        series = self._series(act.office, act.year)
        returned = list(series.returned)
        insort(returned, act.number)
        return [self._book.put(_Series(series.next, tuple(returned)), "series", act.office, act.year)]

    def _series(self, office: str, year: int) -> _Series:
        return self._book.find(_Series, "series", office, year) or _Series(1, ())
