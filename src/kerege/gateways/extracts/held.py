"""`Known` for an import: who holds what, of this file, of files before it, and of everything registered live."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

from msgspec import Struct

from kerege.consensus.door import PAGE, Door
from kerege.dossiers.controller import Controller
from kerege.dossiers.derivations import Derivations
from kerege.dossiers.store import AtHand, Comparison
from kerege.gateways.extracts import births
from kerege.gateways.extracts.comparing import Act
from kerege.gateways.extracts.index import Index
from kerege.gateways.extracts.row import Row
from kerege.kernel.types import Identifier
from kerege.modules.registries.state import UNIQUE


class Place:
    """A holder: a row of an import, or (`place` 0) a record that was not imported."""

    __slots__ = ("number", "place", "row")

    def __init__(self, place: int, number: int, row: int | None) -> None:
        self.place = place
        self.number = number
        self.row = row
        """Its number where it is of the running file."""

    def same_as(self, other: "Place | None") -> bool:
        """Whether both are one row."""
        return other is not None and (self.place, self.number) == (other.place, other.number)


LIVE = Place(0, 0, None)


class Names(Struct, frozen=True):
    """What a row is known by, computed once."""

    pin: bytes
    """The index's name of its PIN."""
    act: bytes
    """The index's name of its act number."""
    unique: tuple[tuple[bytes, bytes], ...]
    """Uniqueness keys (act, PIN), of the running epoch first; of the one before too while keys are renewed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a chunk, as it was when it was looked up."""

    holders: Mapping[bytes, tuple[int, int]]
    """Names in the index → (place of the import, row)."""
    live: AbstractSet[bytes]
    """Names that are held by something else on the ledger."""
    dossiers: AtHand
    """Of acts that rows of the chunk will be compared with."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file that are judged, kept and sent together."""

    rows: Sequence[Row]
    epoch: int
    """Of the uniqueness keys that they bring."""
    names: Mapping[int, Names]
    """Number of a row → what it is known by."""
    found: Found


_NOTHING = Found({}, frozenset(), {})


class Held:
    """Looks a chunk of rows up at once; rows accepted since stand in memory until they are in the index.

    The next chunk may be looked up on one thread while this one is judged on another.
    """

    def __init__(
        self,
        index: Index,
        place: int,
        keys: Derivations,
        controller: Controller,
        door: Door,
        start_comparison: Callable[[Identifier], None],
    ) -> None:
        """`start_comparison` puts a run of the machine job on the ledger, before the first dossier opens."""
        self._index = index
        self._place = place
        self._keys = keys
        self._controller = controller
        self._door = door
        self._start = start_comparison
        self._open = ExitStack()
        self._comparison: Comparison | None = None
        self._names: Mapping[int, Names] = {}
        """Of the chunk that is judged, as what was found for it."""
        self._found = _NOTHING
        self._fresh: dict[bytes, Row] = {}
        self._sources: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def enter(self, rows: Sequence[Row]) -> Chunk:
        """Compute what the rows of a chunk are known by; nothing is looked up."""
        epoch, renewing = self._controller.ledger.key_epoch(births.REGISTRY)
        return Chunk(rows, epoch, self._names_of(rows, (epoch, epoch - 1) if renewing else (epoch,)), _NOTHING)

    def look_up(self, rows: Sequence[Row]) -> Chunk:
        """Ask index and ledger for everything that the rows of a chunk may ask for when they are judged."""
        chunk = self.enter(rows)
        names = chunk.names.values()
        holders = self._index.find([name for each in names for name in (each.act, each.pin)])
        dossiers = self._look_ahead(names, holders)
        asked = [
            (name, key)
            for each in names
            for act, pin in each.unique
            for name, key in ((each.act, act), (each.pin, pin))
            if name not in holders
        ]
        live: set[bytes] = set()
        for start in range(0, len(asked), PAGE):
            part = asked[start : start + PAGE]
            states = self._door.states([UNIQUE.encode_key(key) for _, key in part])
            live.update(name for (name, _), raw in zip(part, states, strict=True) if raw is not None)
        return replace(chunk, found=Found(holders, live, dossiers))

    def _look_ahead(self, names: Collection[Names], holders: Mapping[bytes, tuple[int, int]]) -> AtHand:
        """Fetch at once the dossiers that rows of the chunk will be compared with, where one was compared before."""
        if self._comparison is None:
            return {}
        held = {
            holders[each.pin] for each in names if each.pin in holders and holders[each.pin] == holders.get(each.act)
        }
        return self._comparison.look_up(self._keys.records([(self._source(place), number) for place, number in held]))

    def turn_to(self, chunk: Chunk, first: int) -> None:
        """Judge the rows of a chunk; rows before `first` were in the index when it was looked up."""
        self._names, self._found = chunk.names, chunk.found
        entered = []
        for name, row in self._fresh.items():  # in order of rows
            if row.number >= first:
                break
            entered.append(name)
        for name in entered:
            del self._fresh[name]

    def _names_of(self, rows: Sequence[Row], epochs: Sequence[int]) -> dict[int, Names]:
        """Number of each row → what it is known by; with uniqueness keys of each of these epochs."""
        indexed = self._keys.names(
            [name for row in rows for name in (("pin", row.pin), ("act", row.office, row.act_number))]
        )
        parts = [part for row in rows for part in births.unique_parts(row)]
        unique = [self._controller.uniqueness.keys(births.REGISTRY, parts, version=epoch) for epoch in epochs]
        of_rows = zip(*(_pairs(keys) for keys in unique), strict=True)
        known_by = zip(rows, _pairs(indexed), of_rows, strict=True)
        return {row.number: Names(*pair, keys) for row, pair, keys in known_by}

    def accept(self, row: Row) -> None:
        """The row holds its PIN and its act number against those that follow it."""
        names = self._names[row.number]
        self._fresh[names.pin] = row
        self._fresh[names.act] = row

    def pin_holder(self, row: Row) -> Place | None:
        """See `Known`."""
        return self._holder(self._names[row.number].pin)

    def act_holder(self, row: Row) -> Place | None:
        """See `Known`."""
        return self._holder(self._names[row.number].act)

    def same_act(self, holder: Place, row: Row) -> bool:
        """See `Known`: a record that was not imported is never a row again."""
        if holder.place == 0 or not holder.same_as(self.act_holder(row)):
            return False
        fresh = self._fresh.get(self._names[row.number].pin)
        if fresh is not None and holder.row == fresh.number:
            return Act.of(fresh).same(Act.of(row))
        return self._compare(holder, row)

    def _holder(self, name: bytes) -> Place | None:
        fresh = self._fresh.get(name)
        if fresh is not None:
            return Place(self._place, fresh.number, fresh.number)
        found = self._found.holders.get(name)
        if found is not None:
            place, number = found
            return Place(place, number, number if place == self._place else None)
        return LIVE if name in self._found.live else None

    def _compare(self, holder: Place, row: Row) -> bool:
        """Ask the machine job, which opens the holder's dossier and says only whether it is the same."""
        if self._comparison is None:
            job = os.urandom(16)
            self._start(job)
            self._comparison = self._open.enter_context(self._controller.dossiers.comparison(job))
        record = self._keys.record(self._source(holder.place), holder.number)
        return self._comparison.same(record, births.values_of(row), self._found.dossiers)

    def _source(self, place: int) -> bytes:
        if place not in self._sources:
            numbers = self._index.sources()
            self._sources.update(numbers)
        return self._sources[place]


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What stands side by side, two by two."""
    return zip(flat[::2], flat[1::2], strict=True)
