"""Blanks: strictly accounted forms, each with series and number, each with a status from print to archive.

What the ledger gets of a blank is a commitment; the paper shows series and number, the store ties the two.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import RLock

import msgspec

from kerege.dossiers.books import Book, Reservations
from kerege.dossiers.errors import BlankNotInState, BlankUnknown, DraftInvalid, NumberTaken, PoolExhausted
from kerege.dossiers.ports import BookKeys, Change, Rows, Shelf
from kerege.dossiers.sealing import prf
from kerege.kernel.commitments import SALT_LENGTH, commitment
from kerege.kernel.types import Hash, Identifier, Time


class BlankStatus(StrEnum):
    """Where a blank is in its life."""

    IN_STOCK = "in-stock"
    RESERVED = "reserved"
    USED = "used"
    SPOILED = "spoiled"
    LOST = "lost"
    DESTROYED = "destroyed"


_WRITTEN_OFF = (BlankStatus.SPOILED, BlankStatus.LOST, BlankStatus.DESTROYED)


class _Range(msgspec.Struct, frozen=True, array_like=True):
    series: str
    first: int
    last: int


class _Paper(msgspec.Struct, frozen=True, array_like=True):
    office: str
    series: str
    number: int
    salt: bytes


class _Account(msgspec.Struct, frozen=True, array_like=True):
    status: BlankStatus
    office: str
    ground: str
    by: bytes


@dataclass(frozen=True, slots=True)
class BlankReservation:
    """A blank set aside for one certificate, with the commitment that goes to the ledger."""

    id: Identifier
    series: str
    number: int
    salt: bytes
    commitment: Hash

    def __repr__(self) -> str:
        """Name the reservation, never what it commits to."""
        return f"BlankReservation({self.id.hex()})"


class Blanks:
    """The book of blanks: received by offices, set aside, used, written off."""

    def __init__(self, rows: Rows, keys: Callable[[str], BookKeys], lock: RLock) -> None:
        self._accounting = keys("blank-accounting").name
        self._book = Book(rows, keys("blanks"))
        pending = Book(rows, keys("reservations"), Shelf.PENDING)
        self._reservations = Reservations(
            "blanks", _Paper, self._book, pending, lock=lock, use=self._keep, give_back=self._give_back
        )

    def accounting_key(self, series: str, number: int) -> Hash:
        """What stands for a blank on the ledger: keyed, and by a key that never changes, as the paper does not."""
        return prf(self._accounting, series, number)

    def check_new(self, office: str, series: str, first: int, last: int) -> bool:
        """Whether a run is new; false where this office received the very same one. Raises `NumberTaken`."""
        if not 0 <= first <= last:
            raise DraftInvalid(part="range", first=first, last=last)
        if self._book.find(str, "run", series, first, last) == office:
            return False
        if any(known.first <= last and first <= known.last for known in self._ranges("received", series)):
            raise NumberTaken(series=series, first=first, last=last)
        return True

    def receive(self, office: str, series: str, first: int, last: int) -> None:
        """An office receives a run of blanks; the same again is no error. Raises `NumberTaken` where one was before."""
        with self._reservations.lock:
            if not self.check_new(office, series, first, last):
                return
            run = _Range(series, first, last)
            self._book.apply(
                [
                    self._book.put(office, "run", series, first, last),
                    self._book.put((*self._ranges("received", series), run), "received", series),
                    self._put_stock(office, [*self._ranges("stock", office), run]),
                ]
            )

    def reserve(
        self, office: str, *, reservation: Identifier | None = None, expires: Time | None = None
    ) -> BlankReservation:
        """Set the lowest blank of an office's stock aside; raises `PoolExhausted`."""

        def take(_: Identifier) -> tuple[_Paper, list[Change]]:
            stock = self._ranges("stock", office)
            if not stock:
                raise PoolExhausted(office=office)
            series, number = stock[0].series, stock[0].first
            paper = _Paper(office, series, number, os.urandom(SALT_LENGTH))
            return paper, [
                self._put_stock(office, _without(stock, series, number)),
                self._put_account(series, number, _Account(BlankStatus.RESERVED, office, "", b"")),
            ]

        identifier, paper = self._reservations.reserve(reservation, expires, take)
        digest = commitment("blank", paper.salt, f"{paper.series} {paper.number}")
        return BlankReservation(identifier, paper.series, paper.number, paper.salt, digest)

    def commit(self, reservation: Identifier, transaction: Hash) -> None:
        """Note that the certificate on this blank is on the ledger; twice is no error."""
        self._reservations.commit(reservation, transaction)

    def release(self, reservation: Identifier) -> None:
        """Put an unused blank back into stock; twice is no error. Raises `ReservationCommitted`."""
        self._reservations.release(reservation)

    def release_expired(self, now: Time, used: Callable[[str, int], bool]) -> int:
        """Settle reservations whose transaction can commit no more, `used` asks the ledger by series and number."""
        return self._reservations.release_expired(now, lambda paper: used(paper.series, paper.number))

    def write_off(self, office: str, series: str, number: int, status: BlankStatus, ground: str) -> None:
        """Account for a blank that is spoiled, lost or destroyed, on a ground; the same again is no error.

        Raises `BlankUnknown` for one this office does not have, `BlankNotInState` for one set aside for a certificate
        or written off otherwise.
        """
        if status not in _WRITTEN_OFF:
            raise BlankNotInState(wanted=status)
        with self._reservations.lock:
            account = self._account(office, series, number)
            if account.status is status:
                return
            if account.status not in (BlankStatus.IN_STOCK, BlankStatus.USED):
                raise BlankNotInState(series=series, number=number, status=account.status)
            stock = _without(self._ranges("stock", office), series, number)
            written_off = _Account(status, office, ground, account.by)
            self._book.apply([self._put_stock(office, stock), self._put_account(series, number, written_off)])

    def status(self, office: str, series: str, number: int) -> BlankStatus:
        """Tell where a blank of an office is in its life; raises `BlankUnknown`."""
        return self._account(office, series, number).status

    def _account(self, office: str, series: str, number: int) -> _Account:
        account = self._book.find(_Account, "blank", series, number)
        if account is None and any(_holds(run, series, number) for run in self._ranges("stock", office)):
            account = _Account(BlankStatus.IN_STOCK, office, "", b"")
        if account is None or account.office != office:
            raise BlankUnknown(office=office, series=series, number=number)
        return account

    def _keep(self, paper: _Paper, transaction: Hash) -> list[Change]:
        used = _Account(BlankStatus.USED, paper.office, "", transaction)
        return [self._put_account(paper.series, paper.number, used)]

    def _give_back(self, paper: _Paper) -> list[Change]:
        stock = [_Range(paper.series, paper.number, paper.number), *self._ranges("stock", paper.office)]
        return [self._put_stock(paper.office, stock), self._book.drop("blank", paper.series, paper.number)]

    def _ranges(self, *name: str) -> list[_Range]:
        return self._book.find(list[_Range], *name) or []

    def _put_stock(self, office: str, stock: list[_Range]) -> Change:
        return self._book.put(stock, "stock", office)

    def _put_account(self, series: str, number: int, account: _Account) -> Change:
        return self._book.put(account, "blank", series, number)


def _holds(run: _Range, series: str, number: int) -> bool:
    return run.series == series and run.first <= number <= run.last


def _without(stock: list[_Range], series: str, number: int) -> list[_Range]:
    """Take one blank out of the runs of a stock."""
    rest = []
    for run in stock:
        if not _holds(run, series, number):
            rest.append(run)
            continue
        if run.first < number:
            rest.append(_Range(series, run.first, number - 1))
        if number < run.last:
            rest.append(_Range(series, number + 1, run.last))
    return rest
