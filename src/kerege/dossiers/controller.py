"""The data controller on one machine: store, keys and authority tables of one node home, opened by one process."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from kerege.dossiers.blanks import Blanks
from kerege.dossiers.derivations import Derivations
from kerege.dossiers.embedded_keys import EmbeddedKeyService
from kerege.dossiers.errors import DossiersAbsent, DossiersExist
from kerege.dossiers.files import PATIENCE, FolderLock
from kerege.dossiers.keyring import UniquenessKeys
from kerege.dossiers.numbers import ActNumbers
from kerege.dossiers.pins import EmbeddedPinAuthority, PinPattern
from kerege.dossiers.ports import LedgerView
from kerege.dossiers.pseudonyms import Pseudonyms
from kerege.dossiers.purposes import PURPOSES, Purpose, Purposes
from kerege.dossiers.rocks_rows import RocksRows
from kerege.dossiers.store import Dossiers
from kerege.durable import make_private_folder
from kerege.kernel.types import Hash, Time

DOSSIERS_FOLDER = "dossiers"
KEYS_FOLDER = "keys"
_ROWS = "rows"


def wall_clock() -> Time:
    """Milliseconds of the machine's clock."""
    return time.time_ns() // 1_000_000


class Controller:
    """Everything the data controller holds under one home.

    ```
    home/dossiers/   rows/: sealed rows under keyed names; says nothing without home/keys/
    home/keys/       the key service's folder: on another machine, or in hardware, in production
    ```
    """

    def __init__(
        self,
        home: Path,
        ledger: LedgerView,
        purposes: Sequence[Purpose],
        clock: Callable[[], Time],
        tombstones: Iterable[Hash] | None,
        patience: float = PATIENCE,
    ) -> None:
        folder = home / DOSSIERS_FOLDER
        if not (folder / _ROWS).is_dir():
            raise DossiersAbsent(folder=folder)
        defined = Purposes(purposes)
        self._clock = clock
        self.ledger = ledger
        self._opened: list[FolderLock | EmbeddedKeyService | RocksRows] = []
        try:
            self._opened.append(FolderLock(folder, patience))
            self.keys = EmbeddedKeyService(home / KEYS_FOLDER, ledger, defined, clock)
            self._opened.append(self.keys)
            self._rows = RocksRows(folder / _ROWS)
            self._opened.append(self._rows)
            self.dossiers = Dossiers(self._rows, self.keys, defined, tombstones)
        except BaseException:
            self.close()
            raise
        self.pseudonyms = Pseudonyms(self.dossiers)
        self.imports = Derivations(self.keys.book("imports"))
        self.amendments = Derivations(self.keys.book("amendments"))
        self.looks = Derivations(self.keys.book("looks"))
        # One lock over all books: two authorities over the same rows never read past each other.
        self._books_lock = RLock()
        self.act_numbers = ActNumbers(self._rows, self.keys.book, self._books_lock)
        self.blanks = Blanks(self._rows, self.keys.book, self._books_lock)

    @classmethod
    def create(
        cls,
        home: Path,
        ledger: LedgerView,
        *,
        purposes: Sequence[Purpose] = PURPOSES,
        clock: Callable[[], Time] = wall_clock,
    ) -> Self:
        """Make an empty store with fresh keys and open it; raises `DossiersExist`."""
        cls.prepare(home)
        return cls(home, ledger, purposes, clock, None)

    @staticmethod
    def prepare(home: Path) -> None:
        """Make an empty store with fresh keys; raises `DossiersExist`."""
        folder = home / DOSSIERS_FOLDER
        if (folder / _ROWS).exists():
            raise DossiersExist(folder=folder)
        EmbeddedKeyService.create(home / KEYS_FOLDER)
        make_private_folder(folder)
        RocksRows.create(folder / _ROWS).close()

    @classmethod
    def open(
        cls,
        home: Path,
        ledger: LedgerView,
        *,
        purposes: Sequence[Purpose] = PURPOSES,
        clock: Callable[[], Time] = wall_clock,
        tombstones: Iterable[Hash] | None = None,
        patience: float = PATIENCE,
    ) -> Self:
        """Open an existing store for this process alone.

        `tombstones` of the ledger are brought after a restore of keys; `patience`: seconds to wait for another process
        that has it open. Raises `DossiersAbsent`, `DossiersLocked`, `KeysMissing`, `KeysExposed`,
        `KeysOlderThanDossiers`, `WrongVersion`, `StoreDamaged`.
        """
        return cls(home, ledger, purposes, clock, tombstones, patience)

    @property
    def uniqueness(self) -> UniquenessKeys:
        """Keys of uniqueness of the civil-registration authority."""
        return self.keys.uniqueness

    def pins(self, patterns: Sequence[PinPattern], *, offset_minutes: int) -> EmbeddedPinAuthority:
        """The embedded PIN authority, with the dated patterns of a nation pack and the offset of its local date."""

        def today() -> date:
            return datetime.fromtimestamp(self._clock() / 1000, timezone(timedelta(minutes=offset_minutes))).date()

        return EmbeddedPinAuthority(self._rows, self.keys.book, patterns, today, self._books_lock)

    def backup(self, folder: Path) -> None:
        """Copy the sealed rows to a new folder while work goes on; without the keys the copy says nothing."""
        if folder.exists():
            raise DossiersExist(folder=folder)
        make_private_folder(folder)
        self._rows.backup(folder / _ROWS)

    def close(self) -> None:
        """Let everything go; twice is no error."""
        while self._opened:
            self._opened.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
