"""RFC 8785 canonical JSON, restricted to what proofs need: text, integers, lists and objects.

One meaning has exactly one spelling. The reader refuses duplicate members, fractions, numbers of 2^53 and above, lone
surrogates and every byte sequence that the writer would not have produced itself.
"""

import json
import re
from typing import Never

from .outcome import Malformed

INTEGER_LIMIT = 2**53
"""First integer that JSON readers may round; nothing here reaches it."""
SIZE_LIMIT = 1 << 20
"""Bytes of the largest file that is looked at."""
DEPTH_LIMIT = 32
"""Levels of lists and objects; a bundle has four."""

_STRINGS_AND_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
"""A string counts as a whole, with the brackets in it; one without an end, which is no JSON, to the end of the file."""
_DIGITS_LIMIT = 17


def _number(digits: str) -> int:
    if len(digits) > _DIGITS_LIMIT:
        raise Malformed("a number is too large")
    value = int(digits)
    if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
        raise Malformed("a number is too large")
    return value


def _no_fraction(_digits: str) -> Never:
    raise Malformed("a number is not an integer")


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a member appears twice")
    return members


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_int=_number, parse_float=_no_fraction, parse_constant=_no_fraction
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _utf16_order(name: str) -> bytes:
    """Sort key of RFC 8785 §3.2.3: members are ordered by their UTF-16 code units."""
    return name.encode("utf-16-be")


def _in_order(value: object) -> object:
    match value:
        case None | bool() | str():
            return value
        case int():
            if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
                raise Malformed("a number is too large")
            return value
        case list() | tuple():
            return [_in_order(item) for item in value]
        case dict():
            return {name: _in_order(value[name]) for name in sorted(value, key=_utf16_order)}
        case _:
            raise Malformed("only text, integers, true, false, null, lists and objects have a canonical form here")


def encode(value: object) -> bytes:
    """Return the canonical bytes of `value` (RFC 8785).

    Raises:
        Malformed: `value` holds something that has no canonical form here (a float, bytes, a lone surrogate).
    """
    try:
        return _ENCODER.encode(_in_order(value)).encode()
    except UnicodeEncodeError as error:
        raise Malformed("text holds a lone surrogate") from error
    except RecursionError as error:
        raise Malformed("nested too deeply") from error


def utf8(data: bytes) -> str:
    """Return the text of a file of at most 1 MiB, or raise `Malformed`."""
    if len(data) > SIZE_LIMIT:
        raise Malformed("larger than 1 MiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error


def _check_depth(source: str) -> None:
    """Raise `Malformed` where lists and objects nest deeper than any bundle does.

    Before decoding, for the decoder recurses in C: where a program has raised Python's recursion limit, a hostile file
    would end the process instead of raising `RecursionError`.
    """
    depth = 0
    for mark in _STRINGS_AND_BRACKETS.findall(source):
        if mark in "[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise Malformed("nested too deeply")
        elif mark in "]}":
            depth -= 1


def parse(data: bytes) -> object:
    """Read JSON strictly: UTF-8 without byte order mark, no duplicate members, integers below 2^53 only.

    Spacing and order of members are free; use `decode` where the bytes must be canonical.

    Raises:
        Malformed: the bytes are not such JSON.
    """
    source = utf8(data)
    _check_depth(source)
    try:
        value: object = _DECODER.decode(source)
    except ValueError as error:
        raise Malformed("not JSON") from error
    return value


def decode(data: bytes) -> object:
    """Read canonical JSON and refuse every other spelling of the same value.

    Raises:
        Malformed: not JSON, or not in the one canonical form.
    """
    value = parse(data)
    if encode(value) != data:
        raise Malformed("not in canonical form (RFC 8785)")
    return value


def members(
    value: object, what: str, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, object]:
    """Return `value` as an object with all `required` members and none beyond `optional`.

    Raises:
        Malformed: not an object, a member is missing, or one is unknown.
    """
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    names = value.keys()
    if not names >= required:
        raise Malformed(f"{what} lacks a member: {', '.join(sorted(required - names))}")
    if not names <= required | optional:
        raise Malformed(f"{what} has an unknown member")
    return value


def text(value: object, what: str) -> str:
    """Return `value` if it is text, else raise `Malformed`."""
    if not isinstance(value, str):
        raise Malformed(f"{what} is not text")
    return value


def natural(value: object, what: str) -> int:
    """Return `value` if it is an integer from 0, else raise `Malformed` (`true` is no number)."""
    if type(value) is not int or value < 0:
        raise Malformed(f"{what} is not a natural number")
    return value


def sequence(value: object, what: str) -> list[object]:
    """Return `value` if it is a list, else raise `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    return value
