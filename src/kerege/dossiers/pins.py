"""Personal numbers: the embedded PIN authority.

Pattern and pool are dated data of the nation pack. Serials are drawn at random, so that a number says nothing about
the order of births; that it says sex and day of birth is the pattern's law, not ours.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from threading import RLock
from typing import Literal

import msgspec

from kerege.dossiers.books import Book, Reservations
from kerege.dossiers.errors import NumberTaken, PatternAbsent, PoolExhausted
from kerege.dossiers.ports import BookKeys, Change, PinReservation, Rows, Shelf
from kerege.kernel.types import Hash, Identifier, Time

_RANDOM_TRIES = 64


class PinPattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How numbers issued from a day on are made."""

    since: date
    until: date | None = None
    """Last day, where another pattern follows."""
    parts: tuple[Literal["sex", "day", "month", "year", "serial"], ...]
    sex: dict[str, str]
    """Digit for each sex, as in {"female": "1", "male": "2"}."""
    serial_digits: int
    pool: tuple[tuple[int, int], ...]
    """Ranges of serials, both ends included, that the authority may give out for one sex and day."""

    def compose(self, sex: str, birth_date: date, serial: int) -> str:
        """Write the number with this serial; raises `PatternAbsent` for a sex the pattern does not know."""
        if sex not in self.sex:
            raise PatternAbsent(sex=sex)
        values = {
            "sex": self.sex[sex],
            "day": f"{birth_date.day:02}",
            "month": f"{birth_date.month:02}",
            "year": f"{birth_date.year:04}",
            "serial": f"{serial:0{self.serial_digits}}",
        }
        return "".join(values[part] for part in self.parts)

    def size(self) -> int:
        """How many serials the pool has."""
        return sum(last - first + 1 for first, last in self.pool)

    def serial(self, index: int) -> int:
        """Give a serial by its place in the pool."""
        for first, last in self.pool:
            if index <= last - first:
                return first + index
            index -= last - first + 1
        raise IndexError(index)


class PinStatus(StrEnum):
    """What is known of a number."""

    FREE = "free"
    RESERVED = "reserved"
    USED = "used"


class _Held(msgspec.Struct, frozen=True, array_like=True):
    status: PinStatus
    by: bytes
    """The reservation, then the transaction."""


class EmbeddedPinAuthority:
    """`PinAuthority` over the store's own books: never one number for two registrations."""

    def __init__(
        self,
        rows: Rows,
        keys: Callable[[str], BookKeys],
        patterns: Sequence[PinPattern],
        today: Callable[[], date],
        lock: RLock,
    ) -> None:
        self._book = Book(rows, keys("pins"))
        pending = Book(rows, keys("reservations"), Shelf.PENDING)
        self._patterns = tuple(patterns)
        self._today = today
        self._reservations = Reservations(
            "pins", str, self._book, pending, lock=lock, use=self._keep, give_back=self._give_back
        )

    def reserve(
        self, sex: str, birth_date: date, *, reservation: Identifier | None = None, expires: Time | None = None
    ) -> PinReservation:
        """Set a free number aside; the same reservation id gives the same number again.

        Raises `PatternAbsent`, `PoolExhausted`.
        """
        pattern = self._pattern()

        def take(identifier: Identifier) -> tuple[str, list[Change]]:
            pin = self._draw(pattern, sex, birth_date)
            return pin, [self._book.put(_Held(PinStatus.RESERVED, identifier), "pin", pin)]

        return PinReservation(*self._reservations.reserve(reservation, expires, take))

    def commit(self, reservation: Identifier, transaction: Hash) -> None:
        """Note that the transaction with this number is on the ledger."""
        self._reservations.commit(reservation, transaction)

    def release(self, reservation: Identifier) -> None:
        """Return an unused number; twice is no error."""
        self._reservations.release(reservation)

    def release_expired(self, now: Time, used: Callable[[str], bool]) -> int:
        """Settle reservations whose transaction can commit no more, by block time; `used` asks the ledger."""
        return self._reservations.release_expired(now, used)

    def occupy(self, pin: str, transaction: Hash) -> None:
        """Note a number given out elsewhere (an old registry); again by the same transaction is no error.

        Raises `NumberTaken`.
        """
        with self._reservations.lock:
            held = self._book.find(_Held, "pin", pin)
            if held is not None and held != _Held(PinStatus.USED, transaction):
                raise NumberTaken(status=held.status)
            self._book.apply(self._keep(pin, transaction))

    def status(self, pin: str) -> PinStatus:
        """Tell whether a number is free, reserved or used."""
        held = self._book.find(_Held, "pin", pin)
        return PinStatus.FREE if held is None else held.status

    def _keep(self, pin: str, transaction: Hash) -> list[Change]:
        return [self._book.put(_Held(PinStatus.USED, transaction), "pin", pin)]

    def _give_back(self, pin: str) -> list[Change]:
        return [self._book.drop("pin", pin)]

    def _pattern(self) -> PinPattern:
        today = self._today()
        for pattern in self._patterns:
            if pattern.since <= today and (pattern.until is None or today <= pattern.until):
                return pattern
        raise PatternAbsent(day=today)

    def _draw(self, pattern: PinPattern, sex: str, birth_date: date) -> str:
        size = pattern.size()
        if size > 0:
            for _ in range(_RANDOM_TRIES):
                pin = pattern.compose(sex, birth_date, pattern.serial(secrets.randbelow(size)))
                if self.status(pin) is PinStatus.FREE:
                    return pin
            # A nearly empty pool: walk it once, from a random place.
            start = secrets.randbelow(size)
            for step in range(size):
                pin = pattern.compose(sex, birth_date, pattern.serial((start + step) % size))
                if self.status(pin) is PinStatus.FREE:
                    return pin
        raise PoolExhausted(what="serials of this sex and day")
