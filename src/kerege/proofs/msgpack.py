"""The canonical MessagePack of receipts: shortest forms only; no maps, floats, extensions.

The reader accepts exactly what the ledger's encoder writes, so one value has one byte string.
"""

from .outcome import Malformed

DEPTH_LIMIT = 16
"""Receipts nest less than 8 deep."""

Value = None | bool | int | str | bytes | list["Value"]

_LAST_NATURAL = 0x7F
_FIRST_NEGATIVE = 0xE0
_SHORT_TEXT = 0xA0
_SHORT_LIST = 0x90
_WORDS = {0xC0: None, 0xC2: False, 0xC3: True}
# First byte of each longer form: (width of the number that follows, bound that makes it the shortest form).
_UNSIGNED = {0xCC: (1, 0x80), 0xCD: (2, 0x100), 0xCE: (4, 0x1_0000), 0xCF: (8, 0x1_0000_0000)}
_SIGNED = {0xD0: (1, -0x20), 0xD1: (2, -0x80), 0xD2: (4, -0x8000), 0xD3: (8, -0x8000_0000)}
_BYTES = {0xC4: (1, 0), 0xC5: (2, 0x100), 0xC6: (4, 0x1_0000)}
_TEXT = {0xD9: (1, 0x20), 0xDA: (2, 0x100), 0xDB: (4, 0x1_0000)}
_LIST = {0xDC: (2, 0x10), 0xDD: (4, 0x1_0000)}


class _Reader:
    """A cursor over the bytes."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("MessagePack ends too early")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: tuple[int, int]) -> int:
        """Read an unsigned number of `form` (width in bytes, smallest value that needs this width)."""
        width, least = form
        value = int.from_bytes(self.take(width), "big")
        if value < least:
            raise Malformed("MessagePack is not in its shortest form")
        return value

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise Malformed("MessagePack holds text that is not UTF-8") from error

    def items(self, count: int, depth: int) -> list[Value]:
        if depth == DEPTH_LIMIT or count > len(self.data) - self.at:
            raise Malformed("MessagePack is nested too deeply or ends too early")
        return [self.value(depth + 1) for _ in range(count)]

    def value(self, depth: int) -> Value:
        head = self.take(1)[0]
        if head in _WORDS:
            return _WORDS[head]
        if head <= _LAST_NATURAL or head >= _FIRST_NEGATIVE:
            return head if head <= _LAST_NATURAL else head - 0x100
        if head in _UNSIGNED:
            return self.number(_UNSIGNED[head])
        if head in _SIGNED:
            return self.negative(*_SIGNED[head])
        return self.sized(head, depth)

    def sized(self, head: int, depth: int) -> Value:
        """Read what begins with its own size: bytes, text or a list."""
        if head in _BYTES:
            return self.take(self.number(_BYTES[head]))
        if head & 0xE0 == _SHORT_TEXT:
            return self.text(head & 0x1F)
        if head in _TEXT:
            return self.text(self.number(_TEXT[head]))
        if head & 0xF0 == _SHORT_LIST:
            return self.items(head & 0x0F, depth)
        if head in _LIST:
            return self.items(self.number(_LIST[head]), depth)
        raise Malformed("MessagePack holds a map, a float or an extension")

    def negative(self, width: int, bound: int) -> int:
        value = int.from_bytes(self.take(width), "big", signed=True)
        if value >= bound:
            raise Malformed("MessagePack is not in its shortest form")
        return value


def decode(data: bytes) -> Value:
    """Read one canonical value that fills `data`, or raise `Malformed`."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise Malformed("bytes follow the MessagePack value")
    return value


def _sized(size: int, small: int, small_limit: int, forms: dict[int, tuple[int, int]]) -> bytes:
    if size < small_limit:
        return bytes([small | size])
    for head, (width, _) in forms.items():
        if size < 1 << (8 * width):
            return bytes([head]) + size.to_bytes(width, "big")
    raise Malformed("too large for MessagePack")


def encode(value: Value) -> bytes:
    """Write the shortest form of `value`; integers from 0 to 2^64 − 1, or raise `Malformed`."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            if value < 0:
                raise Malformed("negative numbers are not written here")
            return _sized(value, 0, _LAST_NATURAL + 1, _UNSIGNED)
        case str():
            data = value.encode()
            return _sized(len(data), _SHORT_TEXT, 0x20, _TEXT) + data
        case bytes():
            return _sized(len(value), 0, 0, _BYTES) + value
        case list():
            return _sized(len(value), _SHORT_LIST, 0x10, _LIST) + b"".join(map(encode, value))
