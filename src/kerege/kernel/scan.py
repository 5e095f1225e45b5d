"""Bounds of a MessagePack byte string, checked before anything is built from it.

A few bytes can declare four thousand million values or nest a thousand arrays; a decoder that trusts them pays for it.
`scan` walks the heads only. It checks that there is exactly one value, that every declared length and number of values
fits into what remains, and that depth, number and kinds of values stay inside the ledger's bounds. Whether a value is
in its shortest form is decided later, by re-encoding.
"""

REASONS = ("", "truncated", "trailing", "depth", "items", "type")
"""Why bytes are refused, by number; the native twin answers with the number."""

_TRUNCATED, _TRAILING, _DEPTH, _ITEMS, _TYPE = range(1, 6)


class Malformed(ValueError):
    """The bytes are not one MessagePack value inside the bounds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """truncated: a length does not fit into what remains · trailing: bytes follow · depth · items · type."""


def scan(data: bytes, max_depth: int, max_items: int) -> int:
    """The number of values in `data`, each array counted as one too; raises `Malformed`.

    `max_depth` bounds nested arrays (a scalar has depth 0), `max_items` the number of values. Allowed are nil, bool,
    integers, text, bytes and arrays; floats, maps, extensions and the unassigned byte 0xc1 are refused as "type".
    """
    found = _scan(data, max_depth, max_items)
    if found < 0:
        raise Malformed(REASONS[-found])
    return found


def scan_plain(data: bytes, max_depth: int, max_items: int) -> int:
    """The plain twin: number of values, or minus the number of the reason in `REASONS`."""
    open_arrays: list[int] = []  # values still to come in each array around here
    at = items = 0
    while True:
        items += 1
        if items > max_items:
            return -_ITEMS
        is_array, length, at = _head(data, at)
        if length < 0:
            return length
        if is_array and len(open_arrays) == max_depth:
            return -_DEPTH
        if length > len(data) - at:  # a value has at least one byte
            return -_TRUNCATED
        if is_array:
            open_arrays.append(length)
        else:
            at += length
        while open_arrays and open_arrays[-1] == 0:
            open_arrays.pop()
        if not open_arrays:
            return items if at == len(data) else -_TRAILING
        open_arrays[-1] -= 1


def _head(data: bytes, at: int) -> tuple[bool, int, int]:
    """Whether an array begins here, its number of values or the bytes of body to skip, and where the body begins.

    A negative length is minus the reason to refuse.
    """
    if at == len(data):
        return False, -_TRUNCATED, at
    is_array, width, length = _HEADS[data[at]]
    start = at + 1
    if width:
        at = start + width
        return (is_array, int.from_bytes(data[start:at], "big"), at) if at <= len(data) else (False, -_TRUNCATED, start)
    return is_array, length, start


# First byte -> is it an array, bytes of a length that follow, the length where none follow.
_HEADS = [(False, 0, -_TYPE)] * 256
_HEADS[:0x80] = [(False, 0, 0)] * 128  # small integers
_HEADS[0x90:0xA0] = [(True, 0, count) for count in range(16)]
_HEADS[0xA0:0xC0] = [(False, 0, length) for length in range(32)]  # short text
_HEADS[0xC0] = _HEADS[0xC2] = _HEADS[0xC3] = (False, 0, 0)  # nil, false, true
_HEADS[0xC4:0xC7] = [(False, width, 0) for width in (1, 2, 4)]  # bytes
_HEADS[0xCC:0xD4] = [(False, 0, length) for length in (1, 2, 4, 8, 1, 2, 4, 8)]  # integers, unsigned and signed
_HEADS[0xD9:0xDC] = [(False, width, 0) for width in (1, 2, 4)]  # text
_HEADS[0xDC:0xDE] = [(True, width, 0) for width in (2, 4)]
_HEADS[0xE0:] = [(False, 0, 0)] * 32  # small negative integers

try:
    from kerege_native import scan as _scan
except ImportError:
    _scan = scan_plain
