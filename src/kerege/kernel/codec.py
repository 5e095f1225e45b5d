"""The one encoding: MessagePack of frozen structs, canonical by re-encoding."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")

encode: Callable[[Any], bytes] = _ENCODER.encode
"""Canonical bytes of a value."""


def decode(raw: bytes, kind: type[T]) -> T:
    """The value of canonical bytes; raises `msgspec.DecodeError` or `ValueError` on anything else."""
    value = msgspec.msgpack.decode(raw, type=kind)
    if encode(value) != raw:
        raise ValueError("not the canonical encoding")
    return value
