"""Rows as a stream of bytes, and the stream cut into chunks of one size, wherever that falls.

A row is the length of its key (2 bytes, big-endian), that of its value (4), key and value. Closed chunks of a growing
stream never change, which is why the history of a ledger needs no copy for each snapshot.
"""

from collections.abc import Iterator

CHUNK_BYTES = 8 * 1024 * 1024
"""Bytes of a chunk; the engine carries 16,000,000 at most and advises 10."""
ROW_MAX = 64 * 1024 * 1024
"""Bytes of one row at most: 64 transactions or receipts of the largest kind, with room."""

_HEADER = 6


class BadRows(ValueError):
    """A stream that no honest member sends; the text says what is wrong with it."""


def record(key: bytes, value: bytes) -> bytes:
    """One row of the stream."""
    return b"".join((len(key).to_bytes(2, "big"), len(value).to_bytes(4, "big"), key, value))


Place = tuple[bytes, int]
"""Where a chunk begins: the key of a row, and how many of its bytes in the stream come before."""


class Cutter:
    """Cuts a stream of rows; gives each full chunk with its place, `rest` the last one."""

    def __init__(self, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._size = chunk_bytes
        self._held = bytearray()
        self._place: Place | None = None

    def add(self, key: bytes, value: bytes, skip: int = 0) -> Iterator[tuple[Place, bytes]]:
        """Add a row, without its first bytes where a chunk begins in its middle."""
        raw = memoryview(record(key, value))
        while skip < len(raw):
            if self._place is None:
                self._place = (key, skip)
            taken = raw[skip : skip + self._size - len(self._held)]
            self._held += taken
            skip += len(taken)
            if len(self._held) == self._size:
                yield self._cut()

    def rest(self) -> Iterator[tuple[Place, bytes]]:
        """What is left, where anything is."""
        if self._held:
            yield self._cut()

    def _cut(self) -> tuple[Place, bytes]:
        assert self._place is not None  # noqa: S101 - bytes are held
        chunk = (self._place, bytes(self._held))
        self._held.clear()
        self._place = None
        return chunk


class Splitter:
    """The rows of a stream again, chunk by chunk; holds one incomplete row at most. Raises `BadRows`."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows that a chunk completes; all of them must be taken."""
        self._held += chunk
        held, at = memoryview(bytes(self._held)), 0
        while len(held) - at >= _HEADER:
            key_end = at + _HEADER + int.from_bytes(held[at : at + 2], "big")
            end = key_end + int.from_bytes(held[at + 2 : at + _HEADER], "big")
            if end - at > ROW_MAX:
                raise BadRows(f"a row of {end - at} bytes, {ROW_MAX} at most")
            if end > len(held):
                break
            yield bytes(held[at + _HEADER : key_end]), bytes(held[key_end:end])
            at = end
        self._held = bytearray(held[at:])

    def end(self) -> None:
        """The stream ends here: nothing may be left."""
        if self._held:
            raise BadRows(f"the stream ends {len(self._held)} bytes into a row")
