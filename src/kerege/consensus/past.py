"""The state as it was some blocks ago: what is stored, with the undo rows of the blocks since laid over it.

Works on any store that does not change meanwhile: a secondary, a copy, the owner's between two commits.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from kerege.consensus import rows
from kerege.kernel.block import Head
from kerege.storage.port import Area, Store


class TooOld(Exception):
    """The undo rows do not reach that far back; the text says from which height on they do."""


def head_at(store: Store, height: int) -> Head | None:
    """Head of the last block at or below a height, which an engine's empty blocks leave standing; None before all."""
    last = next(store.scan(Area.BLOCKS, b"", rows.height_key(height + 1), reverse=True), None)
    summary = None if last is None else rows.read_summary(store, int.from_bytes(last[0][:8], "big"))
    return None if summary is None else summary.head


def oldest(store: Store) -> int:
    """The lowest height whose state can be told."""
    undo = next(store.scan(Area.UNDO), None)
    before = None
    if undo is not None:
        before = head_at(store, int.from_bytes(undo[0], "big") - 1)
    head = before if undo is not None else rows.read_head(store)
    return 0 if head is None else head.height


def rows_at(store: Store, height: int, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Every state key with start <= key < end and its stored bytes, as of a height; raises `TooOld` at once."""
    return _overlaid(store.scan(Area.STATE, start, end), _before(store, height), start, end)


def _before(store: Store, height: int) -> dict[bytes, bytes | None]:
    """What the keys held at a height that blocks after it changed."""
    first = next(store.scan(Area.BLOCKS, rows.height_key(height + 1)), None)
    if first is not None and store.get(Area.UNDO, first[0][:8]) is None:
        raise TooOld(f"the state of height {height} is gone: undo rows reach back to height {oldest(store)}")
    changed: dict[bytes, bytes | None] = {}
    for key, _ in store.scan(Area.UNDO, rows.height_key(height + 1), reverse=True):
        changed.update(rows.read_undo(store, int.from_bytes(key, "big")) or ())
    return changed


def _overlaid(
    stored: Iterator[tuple[bytes, bytes]], changed: dict[bytes, bytes | None], start: bytes, end: bytes | None
) -> Iterator[tuple[bytes, bytes]]:
    waiting = sorted((key for key in changed if key >= start and (end is None or key < end)), reverse=True)
    for key, value in stored:
        while waiting and waiting[-1] < key:
            yield from _held(waiting.pop(), changed)
        if waiting and waiting[-1] == key:
            yield from _held(waiting.pop(), changed)
        else:
            yield key, value
    while waiting:
        yield from _held(waiting.pop(), changed)


def _held(key: bytes, changed: dict[bytes, bytes | None]) -> Iterator[tuple[bytes, bytes]]:
    value = changed[key]
    if value is not None:
        yield key, value


def differences(
    one: Iterator[tuple[bytes, bytes]], other: Iterator[tuple[bytes, bytes]]
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """(key, what the one holds, what the other holds) where two ordered runs of rows differ."""
    runs = merge(((key, 0, value) for key, value in one), ((key, 1, value) for key, value in other))
    for key, rows_of_key in groupby(runs, itemgetter(0)):
        pair: list[bytes | None] = [None, None]
        for _, side, value in rows_of_key:
            pair[side] = value
        if pair[0] != pair[1]:
            yield key, pair[0], pair[1]
