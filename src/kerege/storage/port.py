"""The store port: what the ledger asks of the place where it keeps its bytes.

A store is six ordered maps from bytes to bytes (areas) and one way to change them: a batch that is written as a whole,
over all areas, and is on the disk when `write` returns. Nothing above this port knows which store it is.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESERVED = b"storage."
"""Keys of `Area.META` that begin with this belong to the adapters."""


class Area(IntEnum):
    """The parts of a store. Closed: another area is another format of the home."""

    META = 0
    """A few rows about the store as a whole: format, head of the ledger."""
    STATE = 1
    """State key → schema byte and value, as of the last block."""
    BLOCKS = 2
    """Height (8 bytes, big-endian) → the block with its receipts."""
    INDEX = 3
    """Transaction id → height and position."""
    LOG = 4
    """Tiles and frontier of the receipt log."""
    UNDO = 5
    """Height (8 bytes, big-endian) → what the keys changed by that block held before."""


class AreaReader(Protocol):
    """One area, for reading. Hot paths bind it once; any narrower protocol of the kernel's own fits it."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None."""

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        """The values under `keys`, in their order, None where there is none; one call for a whole block."""

    def scan(
        self, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Every key and value with start <= key < end (None: to the end) in byte order, or from the last one down.

        The view is that of the moment of this call; what is written later is not in it. The cost of the start is a few
        microseconds plus the deleted keys between `start` and the first live one: begin at a cursor, not at a prefix.
        """


class Batch:
    """Changes that take effect together, or not at all.

    Calls take effect in their order: the last word on a key wins, and `delete_range` also drops what this batch put
    into the range before. A batch is plain Python and the same for every adapter; writing does not use it up.
    """

    __slots__ = ("changes", "ranges")

    def __init__(self) -> None:
        self.changes: tuple[dict[bytes, bytes | None], ...] = tuple({} for _ in Area)
        self.ranges: list[tuple[Area, bytes, bytes]] = []

    def put(self, area: Area, key: bytes, value: bytes) -> None:
        """Set `key` to `value`."""
        self.changes[area][key] = value

    def delete(self, area: Area, key: bytes) -> None:
        """Remove `key`; nothing happens where it is absent."""
        self.changes[area][key] = None

    def update(self, area: Area, changes: Mapping[bytes, bytes | None]) -> None:
        """Set every key to its value, or remove it where the value is None. The fast door for a whole block."""
        self.changes[area].update(changes)

    def delete_range(self, area: Area, start: bytes, end: bytes) -> None:
        """Remove every key with start <= key < end; nothing where `end` is not above `start`."""
        if start >= end:
            return
        staged = self.changes[area]
        for key in [key for key in staged if start <= key < end]:
            del staged[key]
        self.ranges.append((area, start, end))

    def __len__(self) -> int:
        """How many keys and ranges this batch touches."""
        return sum(map(len, self.changes)) + len(self.ranges)


class Store(Protocol):
    """The ordered bytes of one node. One writer at a time; readers from any thread, never waiting for the writer."""

    def area(self, area: Area) -> AreaReader:
        """The reader of one area; valid until `close`."""

    def get(self, area: Area, key: bytes) -> bytes | None:
        """`area(area).get(key)`."""

    def multi_get(self, area: Area, keys: list[bytes]) -> list[bytes | None]:
        """`area(area).multi_get(keys)`."""

    def scan(
        self, area: Area, start: bytes = b"", end: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """`area(area).scan(start, end, reverse=reverse)`."""

    def write(self, batch: Batch, *, sync: bool = True) -> None:
        """Make every change of `batch`, or none; with `sync`, on the disk when this returns.

        Without `sync` a crash of the process loses nothing and a power cut may lose the last batches, always whole ones
        from the end. Errors: `DiskFull`, `NotWritable`, `StoreDamaged`, `StoreFailed`, `ReadOnlyStore`, `StoreClosed`;
        TypeError for keys or values that are not bytes, with nothing written. After any storage error the store refuses
        everything but `close`, because what a reader would see might not be on the disk.
        """

    def close(self) -> None:
        """Give the store back. Twice is once. A scan still open raises `StoreClosed` at its next step."""
