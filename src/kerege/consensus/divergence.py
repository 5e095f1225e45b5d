"""Where two copies of a ledger part: from the app hash to the block, the module and the rows.

Both may be read while their members go on, and at any height that the undo rows of both still reach.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from kerege.consensus import rows
from kerege.consensus.agreed import read_agreed
from kerege.consensus.past import differences, head_at, rows_at
from kerege.kernel.block import Head
from kerege.kernel.module import Modules
from kerege.storage.port import Area, Batch, Store

COPIED_AT_ONCE = 10_000
"""Rows of one write of a dump."""

Row = tuple[bytes, bytes | None, bytes | None]
"""A state key, and what it holds in the one and in the other."""


class Incomparable(Exception):
    """Two stores that have no state in common to compare; the text says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two copies of one ledger at one height."""

    height: int
    heads: tuple[Head, Head]
    first: int | None
    """The first block whose app hash differs; None where all of those that both still hold are equal."""
    oldest: int
    """The oldest block that both still hold: `first` may be older where it is this one."""
    modules: list[str]
    """Those whose roots differ."""
    rows: list[Row]
    """The first rows that differ, in order of keys, of these modules; of all where no root differs."""
    more: int
    """How many more there are."""

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.first is None and not self.rows


def compare(one: Store, other: Store, modules: Modules, *, height: int | None = None, limit: int = 100) -> Comparison:
    """Compare two copies at a height, None for the newest that both have; raises `Incomparable` or `TooOld`."""
    if rows.read_genesis(one) != rows.read_genesis(other):
        raise Incomparable("they did not begin with the same genesis")
    newest = min(newest_of(one), newest_of(other))
    height = newest if height is None else height
    heads = head_at(one, height), head_at(other, height)
    if height > newest or heads[0] is None or heads[1] is None:
        raise Incomparable(f"height {height} is not in both: the newest common one is {newest}")
    if not len(modules.names) == len(heads[0].module_roots) == len(heads[1].module_roots):
        raise Incomparable(f"they are not of the {len(modules.names)} modules of this program: use the release of both")
    pairs = zip(modules.names, heads[0].module_roots, heads[1].module_roots, strict=True)
    apart = [name for name, first, second in pairs if first != second]
    found = _walk(one, other, height, apart or list(modules.names))
    oldest = max(_oldest_block(one), _oldest_block(other))
    return Comparison(
        height=height,
        heads=(heads[0], heads[1]),
        first=_first_apart(one, other, oldest, height),
        oldest=oldest,
        modules=apart,
        rows=list(islice(found, limit)),
        more=sum(1 for _ in found),
    )


def newest_of(store: Store) -> int:
    """The newest height of a store, an engine's empty ones included; −1 where it holds no ledger."""
    agreed, head = read_agreed(store), rows.read_head(store)
    return agreed.height if agreed is not None else -1 if head is None else head.height


def _walk(one: Store, other: Store, height: int, modules: list[str]) -> Iterator[Row]:
    for name in sorted(modules):
        bounds = f"{name}.".encode(), f"{name}/".encode()
        yield from differences(rows_at(one, height, *bounds), rows_at(other, height, *bounds))


def _oldest_block(store: Store) -> int:
    first = next(store.scan(Area.BLOCKS), None)
    return 0 if first is None else int.from_bytes(first[0][:8], "big")


def _first_apart(one: Store, other: Store, oldest: int, height: int) -> int | None:
    """The first block with another app hash, by halving: the log holds every state root, so hashes never meet again."""

    def apart(at: int) -> bool:
        return _app_hash(one, at) != _app_hash(other, at)

    if not apart(height):
        return None
    low, high = oldest, height
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if apart(middle) else (middle + 1, high)
    return low


def _app_hash(store: Store, height: int) -> bytes:
    head = head_at(store, height)
    return b"" if head is None else head.app_hash


def dump(store: Store, copy: Store) -> Head:
    """Copy into an empty store what a comparison needs: the state, the undo rows, and the heads they reach back to."""
    head = rows.read_head(store)
    if head is None:
        raise Incomparable("this store holds no ledger")
    batch = Batch()
    for key in (rows.GENESIS, rows.AGREED, rows.JOINED):
        value = store.get(Area.META, key)
        if value is not None:
            batch.put(Area.META, key, value)
    undo = [key for key, _ in store.scan(Area.UNDO)]
    before = head_at(store, int.from_bytes(undo[0], "big") - 1) if undo else None
    for key in [rows.height_key((before or head).height), *undo]:
        summary = store.get(Area.BLOCKS, key)
        if summary is not None:
            batch.put(Area.BLOCKS, key, summary)
    for area in (Area.UNDO, Area.STATE):
        for key, value in store.scan(area):
            batch.put(area, key, value)
            if len(batch) >= COPIED_AT_ONCE:
                copy.write(batch, sync=False)
                batch = Batch()
    batch.put(Area.META, rows.HEAD, store.get(Area.META, rows.HEAD) or b"")
    copy.write(batch)
    return head
