"""The few forms of Protocol Buffers in which the engine hashes and signs (encoding only; nothing here is decoded).

A field that holds its type's zero is left out, except where the engine always writes it: the caller says so by
writing it with `always`.
"""

_SECOND = 1_000_000_000


def varint(number: int) -> bytes:
    """A whole number; a negative one as its 64-bit two's complement."""
    rest, out = number % 2**64, bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A field of kind int32, int64, uint32, uint64 or enum."""
    return varint(field << 3) + varint(value) if value else b""


def fixed(field: int, value: int) -> bytes:
    """A field of kind sfixed64."""
    return varint(field << 3 | 1) + value.to_bytes(8, "little", signed=True) if value else b""


def data(field: int, value: bytes, *, always: bool = False) -> bytes:
    """A field of kind bytes, string or message."""
    return varint(field << 3 | 2) + varint(len(value)) + value if value or always else b""


def prefixed(message: bytes) -> bytes:
    """A message behind its length, as it is signed."""
    return varint(len(message)) + message


def timestamp(time: int) -> bytes:
    """A `google.protobuf.Timestamp` of nanoseconds since 1970."""
    return number(1, time // _SECOND) + number(2, time % _SECOND)
