"""What the store needs from others, and what its parts are to each other.

`LedgerView` is filled by the node, `Rows` by an embedded database, `KeyService` by files on one machine (`keys/`) or,
in production, by a service before a hardware module. A part sees no more of another than what stands here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from kerege.dossiers.errors import FieldNotGranted
from kerege.dossiers.sealing import prf
from kerege.kernel.commitments import commitment
from kerege.kernel.types import Address, Hash, Identifier, Time

# -- the ledger ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A committed `disclosure.AccessGranted`: who may look at which fields of which dossiers, and until when."""

    case: Identifier
    references: tuple[Hash, ...]
    """Salted commitments (`reference_commitment`), never ids: two children of one mother would meet in her id."""
    fields: tuple[str, ...]
    officer: Address
    role: str
    until: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStart:
    """A committed start of one run of a machine job."""

    kind: str


class LedgerView(Protocol):
    """What the ledger shows at this moment; every method raises `LedgerUnreachable` when it does not answer."""

    def access_granted(self, access: Identifier) -> Grant | None:
        """Give the grant in force under this id, or None where none was committed or it was withdrawn."""

    def job_started(self, job: Identifier) -> JobStart | None:
        """Give the start of a machine job under this id, or None."""

    def tombstone(self, commitment: Hash) -> bool:
        """Tell whether this tombstone of an erasure is on the ledger."""

    def key_held(self, key: Hash) -> bool:
        """Whether a live record holds this uniqueness key: a number that it was made of is given out."""

    def content(self, about: Identifier) -> Hash | None:
        """Give the content root that a case or a record stands with, or None where there is neither."""

    def blank_used(self, key: Hash) -> bool:
        """Whether a paper was issued on the blank of this accounting key."""

    def key_epoch(self, registry: str) -> tuple[int, bool]:
        """(epoch of a register's uniqueness keys, whether some are still those of the epoch before)."""

    def time(self) -> Time:
        """Give the time of the last committed block: a lower bound of now."""


def reference_commitment(subject: Identifier, purpose: str, salt: bytes) -> Hash:
    """Commit to "the dossiers of this subject kept for this purpose": what a request for access names in public."""
    return commitment("dossier", salt, f"{purpose}/{subject.hex()}")


# -- rows ------------------------------------------------------------------------------------------------------------


class Shelf(StrEnum):
    """The tables of the store; every one maps a keyed name to sealed bytes and nothing else."""

    DOSSIERS = "dossiers"
    BOOKS = "books"
    PENDING = "pending"
    MARKS = "marks"
    """The only plain ones: format and generation of the store."""
    LISTS = "lists"
    """Of field names."""


class Change(Struct, frozen=True):
    """One row put (`sealed`) or taken away (None)."""

    shelf: Shelf
    locator: bytes
    sealed: bytes | None


class Rows(Protocol):
    """A durable map with atomic batches."""

    def get(self, shelf: Shelf, locator: bytes) -> bytes | None:
        """Give the bytes under a locator, or None."""

    def find(self, shelf: Shelf, locators: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of many locators that have a row, with its bytes."""

    def scan(self, shelf: Shelf) -> Iterator[tuple[bytes, bytes]]:
        """Go through one shelf in the order of locators."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes or none; they are on the medium when this returns."""

    def put_many(self, shelf: Shelf, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put rows (locator, sealed) of an import: any of them may be lost until `flush` has returned."""

    def flush(self) -> None:
        """Have on the medium what `put_many` put; raises `StoreUnwritable` where some of it is lost."""

    def purge(self) -> None:
        """Leave no copy of removed rows in journals or free pages of these files."""

    def close(self) -> None:
        """Let the files go."""


# -- keys ------------------------------------------------------------------------------------------------------------


class Entry(Struct, frozen=True):
    """Which dossier a row is: known to the key service alone."""

    record: bytes
    """Record id as on the ledger; for a mapping, what it is looked up by."""
    version: int
    subject: Identifier
    purpose: str
    named: tuple[Identifier, ...] = ()
    """Persons named in it, and records; of an act's dossier, also the case it was written in."""
    expires: Time | None = None
    """Validity of the transaction that will commit to it; None once that is on the ledger."""

    @property
    def place(self) -> tuple[bytes, int, str]:
        """What its row is located by: record, version, purpose."""
        return self.record, self.version, self.purpose


class RowKeys:
    """Keys that open one row: its cover, and the fields they were released for."""

    __slots__ = ("_cover", "_fields", "locator", "version")

    def __init__(self, locator: bytes, version: int, data_key: bytes, fields: Iterable[str] | None) -> None:
        """Derive from the data key; `fields` None releases all (writing, machine jobs), else those named only."""
        self.locator = locator
        self.version = version
        # A data key that may open everything stays; otherwise only the keys of the released fields leave this line.
        self._fields: bytes | dict[str, bytes] = (
            data_key if fields is None else {field: prf(data_key, "field", locator, field) for field in fields}
        )
        self._cover = None if fields is None else prf(data_key, "row", locator)

    def cover(self) -> bytes:
        """Key of the row's cover: opens the commitments, which fields are empty, no value."""
        return prf(self.whole(), "row", self.locator) if self._cover is None else self._cover

    def whole(self) -> bytes:
        """The data key, where all fields were released; raises `FieldNotGranted` where not."""
        if isinstance(self._fields, bytes):
            return self._fields
        raise FieldNotGranted(field="*")

    def field(self, name: str) -> bytes:
        """Key of one field; raises `FieldNotGranted` for one that was not released."""
        if isinstance(self._fields, bytes):
            return prf(self._fields, "field", self.locator, name)
        if name not in self._fields:
            raise FieldNotGranted(field=name)
        return self._fields[name]


class Absence(StrEnum):
    """Why a dossier cannot be opened."""

    MISSING = "missing"
    ERASED = "erased"
    UNANNOUNCED = "unannounced"
    """Erased, and the tombstone is not on the ledger yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A person's wish to see fields of one dossier, under an access granted on the ledger."""

    access: Identifier
    case: Identifier
    case_version: int
    """Version of the case's dossier that the ledger commits to: what it names may be looked at."""
    officer: Address
    """Account of the official, as authenticated by the caller."""
    subject: Identifier
    purpose: str
    record: Identifier
    version: int
    reference_salt: bytes
    """Opens the reference in the grant that covers this dossier."""
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure leaves: a public tombstone, and the names of rows that no key opens any more."""

    tombstone: Hash
    locators: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a change of the master key did."""

    epoch: int
    rewrapped: int
    destroyed: tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)
class BookKeys:
    """Keys of one authority table: its names and its rows."""

    name: bytes
    row: bytes


class JobPass(Protocol):
    """Proof, held in memory for one run, that its start was on the ledger."""

    @property
    def kind(self) -> str:
        """Kind of the job."""


class KeyService(Protocol):
    """Holds every key; gives out what one opening needs, after it has itself seen the ground on the ledger."""

    def locate(self, record: bytes, version: int, purpose: str) -> bytes:
        """Compute the keyed name of the row of a dossier."""

    def locate_many(self, rows: Sequence[tuple[bytes, int, str]]) -> list[bytes]:
        """Compute the keyed names of many rows (record, version, purpose)."""

    def registered(self, locators: Sequence[bytes]) -> set[bytes]:
        """Those of many rows that were registered: no other has ever been written under these keys."""

    def admit(self, entries: Sequence[Entry], *, again: bool = False) -> list[RowKeys]:
        """Register dossiers about to be written and give the keys to write them; durable on return.

        Raises `DossierExists` for one whose transaction is on the ledger, unless `again`.
        """

    def unwrap(self, look: Look) -> RowKeys:
        """Give the keys for a look: only after the ledger showed the grant, only for the fields it names."""

    def begin(self, job: Identifier, kind: str) -> JobPass:
        """Begin one run of a machine job: its start must be on the ledger, and is used up by this."""

    def end(self, run: JobPass) -> None:
        """End the run: it opens nothing any more."""

    def open_for_job(self, run: JobPass, record: Identifier, version: int, purpose: str | None) -> RowKeys | Absence:
        """Give a running job the keys of one dossier, or say why there are none."""

    def open_many_for_job(
        self, run: JobPass, records: Sequence[Identifier], version: int, purpose: str
    ) -> dict[Identifier, RowKeys]:
        """Give a running job the keys of those of many dossiers that are there."""

    def open_mapping(self, record: bytes, purpose: str) -> tuple[Entry, RowKeys] | None:
        """Give a row of a purpose that no person is shown (`Audience.NOBODY`), or None."""

    def pending(self, before: Time) -> list[Entry]:
        """List dossiers whose transaction could have committed before this time at the latest."""

    def confirm(self, entries: Sequence[Entry]) -> None:
        """Note that these are on the ledger."""

    def forget(self, entries: Sequence[Entry]) -> tuple[bytes, ...]:
        """Destroy the registration of dossiers that never reached the ledger; gives the names of their rows."""

    def tombstone(self, subject: Identifier, purpose: str) -> Hash:
        """Give the tombstone that an erasure would leave; raises `RetainedByLaw`, `HeldByLaw`, `DossierMissing`."""

    def erase(self, subject: Identifier, purpose: str) -> Erasure:
        """Destroy the data key of a subject and purpose; raises `RetainedByLaw`, `HeldByLaw`."""

    def reapply(self, tombstones: Iterable[Hash]) -> int:
        """Erase again whatever a tombstone of the ledger names, after keys came back from a backup."""

    def generation(self) -> int:
        """Count erasures, so that a store restored from before one is recognised."""

    def advance(self, generation: int) -> None:
        """Count on from where the store was, after `reapply`."""

    def erased(self) -> Iterator[bytes]:
        """Names of all rows that erasures left without a key."""

    def hold(self, subject: Identifier, purpose: str, ground: str, until: Time | None) -> None:
        """Forbid erasure, on a ground, until a time or until lifted."""

    def lift(self, subject: Identifier, purpose: str) -> None:
        """End a hold; one that does not exist is no error."""

    def rotate_epoch(self) -> Rotation:
        """Take a new master key, wrap every living data key under it, destroy the old ones."""

    def book(self, name: str) -> BookKeys:
        """Keys of an authority table."""


# -- authorities -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PinReservation:
    """A personal number set aside for one registration."""

    id: Identifier
    pin: str

    def __repr__(self) -> str:
        """Name the reservation, never the number."""
        return f"PinReservation({self.id.hex()})"


class PinAuthority(Protocol):
    """Allocates personal numbers: one person one number, one number one person."""

    def reserve(
        self, sex: str, birth_date: date, *, reservation: Identifier | None = None, expires: Time | None = None
    ) -> PinReservation:
        """Set a free number aside; the same reservation id gives the same number again."""

    def commit(self, reservation: Identifier, transaction: Hash) -> None:
        """Note that the transaction with this number is on the ledger."""

    def release(self, reservation: Identifier) -> None:
        """Return an unused number; twice is no error."""
