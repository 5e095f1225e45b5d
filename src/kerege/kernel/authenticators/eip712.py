"""EIP-712: hashing of typed structured data (https://eips.ethereum.org/EIPS/eip-712), compiled once per set of types.

`Types` tells a struct's fields in order; a field's type is an atomic one, a struct's name, or an array of
either (`T[]`, `T[n]`). Values come from objects or mappings, whatever `read` does; their Python types are strict:
`str` for string, `bytes` for bytes, bytesN and address, `int` for intN and uintN, `bool` for bool. Anything else
raises `TypeError` or `ValueError`. `None` under a field of a struct type is the zero word, as wallets hash it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kerege.kernel.authenticators.keccak import keccak

Types = Mapping[str, tuple[tuple[str, str], ...]]
"""Struct name → its fields as (name, type), in order."""

Encoder = Callable[[Any], bytes]
"""Value → its 32-byte word."""

Read = Callable[[Any, str], Any]
"""(struct, field name) → value: `getattr`, or a look-up in a mapping."""

WORD = 32
ZERO = bytes(WORD)
ADDRESS_LENGTH = 20

_ARRAY = re.compile(r"(.*)\[([1-9][0-9]*)?\]", re.DOTALL)
_SIZED = re.compile(r"(uint|int|bytes)([1-9][0-9]*)")


class Schema:
    """Types made ready for hashing; raises `ValueError` on a type that is not defined."""

    def __init__(self, types: Types, read: Read) -> None:
        self.types = types
        self._read = read
        self._hashers: dict[str, Encoder] = {}

    def hash_struct(self, name: str, value: Any) -> bytes:  # noqa: ANN401 - whatever `read` reads
        """The standard's hashStruct: keccak of type hash and encoded fields."""
        return self.hasher(name)(value)

    def encode_type(self, name: str) -> str:
        """The standard's encodeType: the struct's signature, then those of the structs it refers to, sorted by name."""
        found: set[str] = set()
        self._collect(name, found)
        ordered = [name, *sorted(found - {name})]
        return "".join(f"{each}({','.join(f'{kind} {field}' for field, kind in self.types[each])})" for each in ordered)

    def hasher(self, name: str) -> Encoder:
        """The hashing of one struct as a function."""
        if name not in self._hashers:
            type_hash = keccak(self.encode_type(name).encode())
            fields: list[tuple[str, Encoder]] = []
            read = self._read

            def hash_struct(value: Any) -> bytes:  # noqa: ANN401
                return keccak(type_hash + b"".join([encode(read(value, field)) for field, encode in fields]))

            self._hashers[name] = hash_struct  # before its fields: a struct may hold itself
            fields.extend((field, self._encoder(kind)) for field, kind in self.types[name])
        return self._hashers[name]

    def atomic(self, kind: str) -> Encoder | None:
        """Encoder of an atomic type; none where the name is no atomic type."""
        return atomic_encoder(kind)

    def _encoder(self, kind: str) -> Encoder:
        if kind in self.types:
            hash_struct = self.hasher(kind)
            return lambda value: ZERO if value is None else hash_struct(value)
        array = _ARRAY.fullmatch(kind)
        if array is not None:
            return self._array_encoder(self._encoder(array[1]), int(array[2]) if array[2] else None)
        atomic = self.atomic(kind)
        if atomic is None:
            raise ValueError(f"the type {kind!r} is not defined")
        return atomic

    @staticmethod
    def _array_encoder(encode: Encoder, length: int | None) -> Encoder:
        def encode_array(value: Any) -> bytes:  # noqa: ANN401
            if not isinstance(value, list | tuple):
                raise TypeError(f"an array expected, not {type(value).__name__}")
            if length is not None and len(value) != length:
                raise ValueError(f"{length} items expected, not {len(value)}")
            return keccak(b"".join([encode(item) for item in value]))

        return encode_array

    def _collect(self, kind: str, found: set[str]) -> None:
        core = kind.partition("[")[0] if kind not in self.types else kind
        if core in found or self.atomic(core) is not None:
            return
        if core not in self.types:
            raise ValueError(f"the type {core!r} is not defined")
        found.add(core)
        for _, each in self.types[core]:
            self._collect(each, found)


def digest(domain_separator: bytes, struct_hash: bytes) -> bytes:
    """What is signed: keccak of 0x1901, the domain's hash and the message's hash."""
    return keccak(b"\x19\x01" + domain_separator + struct_hash)


def atomic_encoder(kind: str) -> Encoder | None:
    """Encoder of an atomic type; none where the name is no atomic type."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    sized = _SIZED.fullmatch(kind)
    if sized is None:
        return None
    family, size = sized[1], int(sized[2])
    if family == "bytes":
        return _fixed_bytes(size) if size <= WORD else None
    if size % 8 or size > 8 * WORD:
        return None
    return _unsigned(size) if family == "uint" else _signed(size)


def encode_string(value: Any) -> bytes:  # noqa: ANN401
    """Word of a string: keccak of its UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return keccak(value.encode())


def encode_bytes(value: Any) -> bytes:  # noqa: ANN401
    """Word of dynamic bytes: their keccak."""
    if not isinstance(value, bytes):
        raise TypeError(f"bytes expected, not {type(value).__name__}")
    return keccak(value)


def encode_bool(value: Any) -> bytes:  # noqa: ANN401
    """Word of a truth value: 0 or 1."""
    if not isinstance(value, bool):
        raise TypeError(f"true or false expected, not {type(value).__name__}")
    return int(value).to_bytes(WORD)


def encode_address(value: Any) -> bytes:  # noqa: ANN401
    """Word of an address: 20 bytes, padded on the left."""
    if not isinstance(value, bytes) or len(value) != ADDRESS_LENGTH:
        raise ValueError(f"an address of {ADDRESS_LENGTH} bytes expected")
    return value.rjust(WORD, b"\0")


def _fixed_bytes(size: int) -> Encoder:
    def encode(value: Any) -> bytes:  # noqa: ANN401
        if not isinstance(value, bytes) or len(value) != size:
            raise ValueError(f"{size} bytes expected")
        return value.ljust(WORD, b"\0")

    return encode


def _unsigned(bits: int) -> Encoder:
    def encode(value: Any) -> bytes:  # noqa: ANN401
        _check_integer(value, 0, (1 << bits) - 1)
        return int(value).to_bytes(WORD)

    return encode


def _signed(bits: int) -> Encoder:
    def encode(value: Any) -> bytes:  # noqa: ANN401
        _check_integer(value, -(1 << bits - 1), (1 << bits - 1) - 1)
        return int(value).to_bytes(WORD, signed=True)

    return encode


def _check_integer(value: Any, least: int, most: int) -> None:  # noqa: ANN401
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"an integer expected, not {type(value).__name__}")
    if not least <= value <= most:
        raise ValueError("the integer is out of its type's bounds")


_PLAIN: dict[str, Encoder] = {
    "string": encode_string,
    "bytes": encode_bytes,
    "bool": encode_bool,
    "address": encode_address,
}
