"""The engine's times: RFC 3339 text to the nanosecond, here whole nanoseconds since 1970."""

import re
from datetime import UTC, datetime, timedelta

from ..outcome import Malformed

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z", re.ASCII)


def parse(value: object, what: str) -> int:
    """Read a time in UTC, or raise `Malformed`."""
    found = _TEXT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Malformed(f"{what} is not a time in UTC")
    try:
        whole = datetime.fromisoformat(found[1] + "+00:00")
    except ValueError as error:
        raise Malformed(f"{what} is not a time in UTC") from error
    return (whole - _EPOCH) // timedelta(seconds=1) * SECOND + int((found[2] or "").ljust(9, "0"))


NEVER = parse("0001-01-01T00:00:00Z", "the engine's zero time")
"""What the engine writes where there is no time."""


def write(time: int) -> str:
    """The engine's own text of a time: no zeros at the end of the fraction."""
    whole = _EPOCH + timedelta(seconds=time // SECOND)
    part = f"{time % SECOND:09}".rstrip("0")
    return whole.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{part}" if part else "") + "Z"


def show(time: int) -> str:
    """A time for a person: to the second, in UTC."""
    return (_EPOCH + timedelta(seconds=time // SECOND)).strftime("%Y-%m-%d %H:%M:%S UTC")
