"""Typed tables: the only door to the state.

A table is declared once, in a module's `state.py`; from the declaration come the key layout, the
JSON names in state proofs, the export and the documentation.
Keys are order-preserving: fixed bytes stand as they are, integers as 8 bytes big-endian, text as
UTF-8 closed by a zero byte. Values are one schema byte and the canonical MessagePack of the value;
an older schema is upcast when read.
"""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec

from kerege.kernel.codec import encode
from kerege.kernel.errors import KernelFault, NotFound
from kerege.kernel.state import State

K = TypeVar("K")
V = TypeVar("V")

Upcasts = dict[int, tuple[Any, Callable[[Any], Any]]]
Part = tuple[str, int]


def _part_of(kind: Any) -> Part:  # noqa: ANN401 - any annotation
    """("fixed", length), ("int", 8) or ("text", 0)."""
    base, length = kind, 0
    if get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        base = get_args(kind)[0]
        for meta in kind.__metadata__:
            if isinstance(meta, msgspec.Meta) and meta.min_length is not None and meta.min_length == meta.max_length:
                length = meta.min_length
    if base is bytes and length:
        return "fixed", length
    if base is int:
        return "int", 8
    if base is str:
        return "text", 0
    raise KernelFault(f"no order-preserving key for {kind!r}")


def _encode_part(part: Part, value: Any) -> bytes:  # noqa: ANN401
    name, length = part
    if name == "fixed":
        if len(value) != length:
            raise ValueError(f"key part of {len(value)} bytes where {length} are declared")
        return bytes(value)
    if name == "int":
        return int(value).to_bytes(8, "big")
    if "\0" in value:
        raise ValueError("zero byte in a text key")
    return str(value).encode() + b"\0"


def _key_encoder(prefix: bytes, parts: list[Part], *, composite: bool) -> Callable[[Any], bytes]:
    """A closure for the two shapes that the hot path meets, the general one for the rest; all check lengths."""
    length = parts[0][1]

    def encode_fixed(key: bytes) -> bytes:
        if len(key) != length:
            raise ValueError(f"key of {len(key)} bytes where {length} are declared")
        return prefix + key

    def encode_fixed_and_text(key: tuple[bytes, str]) -> bytes:
        first, second = key
        if len(first) != length or "\0" in second:
            raise ValueError(f"key part of {len(first)} bytes where {length} are declared, or zero byte in a text key")
        return prefix + first + second.encode() + b"\0"

    kinds = [name for name, _ in parts]
    if not composite:
        return encode_fixed if kinds == ["fixed"] else lambda key: prefix + _encode_part(parts[0], key)
    if kinds == ["fixed", "text"]:
        return encode_fixed_and_text
    return lambda key: prefix + b"".join([_encode_part(*each) for each in zip(parts, key, strict=True)])


def _decode_part(part: Part, raw: bytes, at: int) -> tuple[Any, int]:
    name, length = part
    if name == "fixed":
        return raw[at : at + length], at + length
    if name == "int":
        return int.from_bytes(raw[at : at + 8], "big"), at + 8
    end = raw.index(b"\0", at)
    return raw[at:end].decode(), end + 1


class Table(Generic[K, V]):
    """A declared table: `Table("bank.balance", key=(Address, Currency), value=Amount, doc="…")`.

    `personal=True`: every value carries a blind and keys are random identifiers (checked by a test).
    `derived=True`: not rebuilt from events (sequences, rate buckets, cursors).
    `few=True`: few keys, often asked for in vain (freezes, orders): the state keeps all its keys in memory while they
    are at most `KNOWN_KEYS`, so that a vain question costs no read of the store.
    `schema`: number stored with each value; `upcasts` = {old number: (old type, function to the next)}.
    """

    def __init__(
        self,
        name: str,
        *,
        key: Any,  # noqa: ANN401 - one annotation or a tuple of them
        value: Any,  # noqa: ANN401 - any type that msgspec encodes
        doc: str,
        personal: bool = False,
        derived: bool = False,
        few: bool = False,
        schema: int = 1,
        upcasts: Upcasts | None = None,
    ) -> None:
        self.name = name
        self.module = name.partition(".")[0]
        self.key = key
        self.value = value
        self.doc = doc
        self.personal = personal
        self.derived = derived
        self.few = few
        self.schema = schema
        self.prefix = name.encode() + b"\0"
        self.composite = isinstance(key, tuple)
        self.parts = [_part_of(part) for part in (key if self.composite else (key,))]
        self._schema_byte = bytes([schema])
        self._decoder: Any = msgspec.msgpack.Decoder(value)
        self._upcasts = upcasts or {}
        if sorted(self._upcasts) != list(range(1, schema)):
            raise KernelFault(f"{name} of schema {schema} needs an upcast from each one before")
        self.encode_key: Callable[[K], bytes] = _key_encoder(self.prefix, self.parts, composite=self.composite)

    def encode_prefix(self, *parts: Any) -> bytes:  # noqa: ANN401
        """Bytes that every key beginning with these parts begins with."""
        if len(parts) > len(self.parts):
            raise ValueError(f"{self.name} has {len(self.parts)} key parts, not {len(parts)}")
        return self.prefix + b"".join(map(_encode_part, self.parts, parts))

    def decode_key(self, raw: bytes) -> K:
        """The key of its bytes (with the table's prefix)."""
        at, values = len(self.prefix), []
        for part in self.parts:
            value, at = _decode_part(part, raw, at)
            values.append(value)
        return tuple(values) if self.composite else values[0]  # type: ignore[return-value]

    def encode_value(self, value: V) -> bytes:
        """Schema byte and canonical bytes."""
        return self._schema_byte + encode(value)

    def decode_value(self, raw: bytes) -> V:
        """The value of stored bytes, upcast step by step from the schema it was written with; raises `ValueError`."""
        number = raw[0]
        if number == self.schema:
            return self._decoder.decode(raw[1:])  # type: ignore[no-any-return]
        _, _, value = self.decode_stored(raw)
        for step in range(number, self.schema):
            value = self._upcasts[step][1](value)
        return value  # type: ignore[no-any-return]

    def type_of(self, schema: int) -> Any:  # noqa: ANN401 - any type that msgspec encodes
        """The type of values stored under a schema number; raises `ValueError` for one that never was."""
        if schema == self.schema:
            return self.value
        if schema not in self._upcasts:
            raise ValueError(f"{self.name} has no schema {schema}")
        return self._upcasts[schema][0]

    def decode_stored(self, raw: bytes) -> tuple[int, Any, Any]:
        """(schema number, type, value) of stored bytes as they were written, not upcast; raises `ValueError`."""
        if not raw:
            raise ValueError(f"{self.name} has no empty values")
        kind = self.type_of(raw[0])
        return raw[0], kind, msgspec.msgpack.decode(raw[1:], type=kind)

    def encode_stored(self, schema: int, value: Any) -> bytes:  # noqa: ANN401
        """Stored bytes of a value of the type of that schema."""
        return bytes([schema]) + encode(value)


class Bound(Generic[K, V]):
    """A table bound to the state of a block."""

    __slots__ = ("_state", "find", "put", "table")

    def __init__(self, table: Table[K, V], state: State) -> None:
        self.table = table
        self._state = state
        column = state.column(table)
        self.find: Callable[[K], V | None] = column.find
        """The value, or None."""
        self.put: Callable[[K, V], None] = column.put
        """Set the value under the key."""

    def get(self, key: K) -> V:
        """The value; raises `NotFound`."""
        value = self.find(key)
        if value is None:
            raise NotFound(table=self.table.name)
        return value

    def delete(self, key: K) -> None:
        """Remove the key; a missing one stays missing."""
        self._state.column(self.table).put(key, None)

    def scan(self, *parts: Any, after: K | None = None, limit: int | None = None) -> Iterator[tuple[K, V]]:  # noqa: ANN401
        """(key, value) in key order, of the keys that begin with `parts`; `after` is a cursor, exclusive.

        Pass the queue's cursor as `after`: seeking through deleted heads costs milliseconds.
        """
        prefix = self.table.encode_prefix(*parts)
        start = prefix if after is None else self.table.encode_key(after) + b"\0"
        for raw, value in self._state.scan(self.table, start, prefix, limit):
            yield self.table.decode_key(raw), value
