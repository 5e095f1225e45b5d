"""Who looked at personal data: pages of looks, the newest first, without reading what lies before the page."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from kerege.cli.output import when
from kerege.cli.wiring import CommandError
from kerege.consensus.door import Door
from kerege.kernel import addresses
from kerege.kernel.types import MAXIMUM_TIME
from kerege.modules.disclosure.state import LOOKS, LOOKS_AT, LOOKS_BY, LOOKS_FOR, LOOKS_WITH
from kerege.modules.disclosure.types import Look

COLUMNS = ("when", "access", "case", "officer", "office", "role", "ground", "fields", "answer", "until")
GRANTED = "granted"
FEW = 3
"""Fields of a look that people are shown by name: a look may be at seventy."""

About = Callable[[bytes, Sequence[bytes]], bool]
"""Whether a look, by its id and references, was at a certain dossier: the controller can tell, nobody else."""

_DAY = 24 * 3600 * 1000
_BEYOND = b"\xff" * 16
"""After every id of one time."""


def page(
    door: Door,
    *,
    case: bytes | None,
    officer: bytes | None,
    reference: bytes | None,
    after: bytes | None,
    limit: int,
    about: About = lambda _access, _references: True,
) -> list[tuple[Any, ...]]:
    """Rows of one page: looks with a case, by an officer, at a dossier's reference, or all; raises `CommandError`.

    `after`: id of the last look of the page before. `about` tells the looks at one dossier, by id and references.
    """
    start = None if after is None else (_look(door, after).at, after)
    found = ((access, _look(door, access)) for access in _ids(door, case, officer, reference, start))
    fitting = (
        (access, look)
        for access, look in found
        if officer in {None, look.officer}
        and case in {None, look.case}
        and _refers(look, reference)
        and about(access, look.references)
    )
    return [_row(door, access, look) for access, look in islice(fitting, limit)]


def for_people(row: Sequence[Any]) -> list[Any]:
    """A row with the first of its fields and how many more there are."""
    return [_few(item) if isinstance(item, list) else item for item in row]


def _few(fields: list[str]) -> str:
    more = len(fields) - FEW
    return ", ".join(fields[:FEW]) + (f" and {more} more" if more > 0 else "")


def _refers(look: Look, reference: bytes | None) -> bool:
    return reference is None or reference in look.references


def _ids(
    door: Door,
    case: bytes | None,
    officer: bytes | None,
    reference: bytes | None,
    start: tuple[int, bytes] | None,
) -> Iterator[bytes]:
    """Ids of looks by the index that fits best, the newest first, those after `start`."""
    for index, part in ((LOOKS_WITH, reference), (LOOKS_FOR, case), (LOOKS_BY, officer)):
        if part is not None:
            prefix = index.encode_prefix(part)
            after = b"" if start is None else index.encode_key((part, MAXIMUM_TIME - start[0], start[1]))
            yield from (index.decode_key(key)[2] for key in _keys(door, prefix, after))
            return
    yield from _all(door, start)


def _keys(door: Door, prefix: bytes, after: bytes) -> Iterator[bytes]:
    while page := door.scan(prefix, after):
        yield from (key for key, _ in page)
        after = page[-1][0]


def _all(door: Door, start: tuple[int, bytes] | None) -> Iterator[bytes]:
    """Every look, backwards: windows of time that double, each read forwards and told from its end."""
    end = door.head().time + 1 if start is None else start[0] + 1
    last = None if start is None else LOOKS_AT.encode_key(start)
    width = _DAY
    while end > 0:
        begin = max(0, end - width)
        window = _window(door, begin, end)
        yield from (LOOKS_AT.decode_key(key)[1] for key in reversed(window) if last is None or key < last)
        end, width = begin, width * 2


def _window(door: Door, begin: int, end: int) -> list[bytes]:
    """Keys of looks with begin ≤ time < end."""
    after = LOOKS_AT.encode_key((begin - 1, _BEYOND)) if begin else b""
    stop = LOOKS_AT.encode_key((end, bytes(16)))
    found: list[bytes] = []
    for key in _keys(door, LOOKS_AT.prefix, after):
        if key >= stop:
            break
        found.append(key)
    return found


def _look(door: Door, access: bytes) -> Look:
    raw = door.state(LOOKS.encode_key(access))
    if raw is None:
        sentence = f"there is no look {access.hex()}: take the id from the last line of the page before."
        raise CommandError(sentence, 1)
    return LOOKS.decode_value(raw)


def _row(door: Door, access: bytes, look: Look) -> tuple[Any, ...]:
    return (
        when(look.at),
        access.hex(),
        look.case.hex(),
        addresses.encode(door.prefix, look.officer),
        look.office,
        look.role,
        look.ground,
        list(look.fields),
        look.denial or GRANTED,
        "" if look.denial else when(look.until),
    )
