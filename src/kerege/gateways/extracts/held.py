"""`Known` for an import: who holds what, of this file, of files before it, and of everything registered live."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self

from kerege.consensus.door import PAGE, Door
from kerege.dossiers.controller import Controller
from kerege.dossiers.imports import ImportKeys
from kerege.dossiers.store import Comparison
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


class Held:
    """Looks a chunk of rows up at once; rows accepted since stand in memory until the next one."""

    def __init__(
        self,
        index: Index,
        place: int,
        keys: ImportKeys,
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
        self._found: dict[bytes, tuple[int, int]] = {}
        self._live: set[bytes] = set()
        self._fresh: dict[bytes, Row] = {}
        self._sources: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look_up(self, chunk: Sequence[Row]) -> None:
        """Ask index and ledger for everything that these rows may ask for."""
        names: dict[bytes, list[bytes]] = {}
        epoch, renewing = self._controller.ledger.key_epoch(births.REGISTRY)
        epochs = (epoch, epoch - 1) if renewing else (epoch,)
        for row in chunk:
            act, pin = births.unique_parts(row)
            names[pin_name(self._keys, row)] = self._unique(pin, epochs)
            names[act_name(self._keys, row)] = self._unique(act, epochs)
        self._fresh.clear()
        self._found = self._index.find(list(names))
        asked = [(name, key) for name, keys in names.items() if name not in self._found for key in keys]
        self._live = set()
        for start in range(0, len(asked), PAGE):
            part = asked[start : start + PAGE]
            rows = self._door.states([key for _, key in part])
            self._live.update(name for (name, _), raw in zip(part, rows, strict=True) if raw is not None)

    def _unique(self, parts: Sequence[str], epochs: Sequence[int]) -> list[bytes]:
        """State keys of a uniqueness key, under each epoch in which it may be held."""
        key = self._controller.uniqueness.key
        return [UNIQUE.encode_key(key(births.REGISTRY, *parts, version=epoch)) for epoch in epochs]

    def accept(self, row: Row) -> None:
        """The row holds its PIN and its act number against the rest of the chunk."""
        self._fresh[pin_name(self._keys, row)] = row
        self._fresh[act_name(self._keys, row)] = row

    def pin_holder(self, pin: str) -> Place | None:
        """See `Known`."""
        return self._holder(self._keys.name("pin", pin))

    def act_holder(self, office: str, number: str) -> Place | None:
        """See `Known`."""
        return self._holder(self._keys.name("act", office, number))

    def same_act(self, holder: Place, row: Row) -> bool:
        """See `Known`: a record that was not imported is never a row again."""
        if holder.place == 0 or not holder.same_as(self.act_holder(row.office, row.act_number)):
            return False
        fresh = self._fresh.get(pin_name(self._keys, row))
        if fresh is not None and holder.row == fresh.number:
            return Act.of(fresh).same(Act.of(row))
        return self._compare(holder, row)

    def _holder(self, name: bytes) -> Place | None:
        fresh = self._fresh.get(name)
        if fresh is not None:
            return Place(self._place, fresh.number, fresh.number)
        found = self._found.get(name)
        if found is not None:
            place, number = found
            return Place(place, number, number if place == self._place else None)
        return LIVE if name in self._live else None

    def _compare(self, holder: Place, row: Row) -> bool:
        """Ask the machine job, which opens the holder's dossier and says only whether it is the same."""
        if self._comparison is None:
            job = os.urandom(16)
            self._start(job)
            self._comparison = self._open.enter_context(self._controller.dossiers.comparison(job))
        record = self._keys.record(self._source(holder.place), holder.number)
        values = births.values_of(row)
        told = {code: values[code] for code in ("child.surname", "child.given_names", "birth.date")}
        return self._comparison.same(record, 1, told)

    def _source(self, place: int) -> bytes:
        if place not in self._sources:
            numbers = self._index.sources()
            self._sources.update(numbers)
        return self._sources[place]


def pin_name(keys: ImportKeys, row: Row) -> bytes:
    """The index's name of a row's PIN."""
    return keys.name("pin", row.pin)


def act_name(keys: ImportKeys, row: Row) -> bytes:
    """The index's name of a row's act number."""
    return keys.name("act", row.office, row.act_number)
