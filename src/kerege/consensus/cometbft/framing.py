"""The engine's socket framing: each message is preceded by its length in bytes, as an unsigned varint.

No input and output here: bytes in, messages out. The engine bounds a message by 2 GiB only; `Frames` by what it is
told, before it keeps a byte of the message.
"""

MESSAGE_MAX = 128 * 1024 * 1024
"""Bytes of one message where nothing else is said: the engine's largest block, 100 MiB, and what goes with it."""

_CONTINUES = 0x80
"""The bit of a varint's byte that says that another byte follows."""
_LENGTH_BYTES_MAX = 5
"""Bytes of a length: 35 bits, more than the engine's 2 GiB."""


class Malformed(Exception):
    """What came is none of the engine's messages, or came out of order: its connection is closed, the others live."""


def varint(number: int) -> bytes:
    """An unsigned number in its shortest form, seven bits a byte, the lowest first."""
    if number < _CONTINUES:
        return bytes((number,))
    encoded = bytearray()
    while number >= _CONTINUES:
        encoded.append(number & 0x7F | _CONTINUES)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


class Frames:
    """Cuts a stream into messages: `feed` what came, `take` until it has none."""

    __slots__ = ("_at", "_buffer", "_limit")

    def __init__(self, limit: int = MESSAGE_MAX) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._at = 0
        """Everything before this position was taken; it is dropped once a chunk, not once a message."""

    def feed(self, data: bytes) -> None:
        """Add bytes as they came."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def take(self) -> bytes | None:
        """The next whole message without its length, or None until more bytes come.

        Raises `Malformed` for a length beyond the limit, or in a longer form than it needs.
        """
        buffer, start = self._buffer, self._at
        if start == len(buffer):
            return None
        length = buffer[start]
        if length >= _CONTINUES:
            read = self._read_length(start)
            if read is None:
                return None
            length, start = read
        else:
            start += 1
        if length > self._limit:
            raise Malformed(f"a message of {length} bytes, {self._limit} at most")
        end = start + length
        if end > len(buffer):
            return None
        self._at = end
        with memoryview(buffer) as view:
            return bytes(view[start:end])

    def _read_length(self, start: int) -> tuple[int, int] | None:
        """(length, position behind it) of a length of several bytes, or None where it is not all there."""
        length = 0
        for position, byte in enumerate(self._buffer[start : start + _LENGTH_BYTES_MAX]):
            length |= (byte & 0x7F) << (7 * position)
            if byte < _CONTINUES:
                if not byte:
                    raise Malformed("a length that is not in its shortest form")
                return length, start + position + 1
        if len(self._buffer) - start >= _LENGTH_BYTES_MAX:
            raise Malformed(f"a length of more than {_LENGTH_BYTES_MAX} bytes")
        return None

    @property
    def cut_off(self) -> bool:
        """Whether a message has begun that is not all there."""
        return self._at < len(self._buffer)
