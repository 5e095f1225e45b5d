"""The module contract: one declared object per module, one explicit ordered tuple of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from kerege.kernel.context import Context, Handler, Keeper
from kerege.kernel.errors import KernelFault
from kerege.kernel.invariant import Invariant
from kerege.kernel.messages import Event, Message, tag_of
from kerege.kernel.rows import Projection
from kerege.kernel.tables import Table
from kerege.kernel.tick import Tick, tick
from kerege.kernel.transaction import MAXIMUM_MESSAGE_WEIGHT, Decoder

Declare = Callable[[bytes, Any], tuple[tuple[Table[Any, Any], Any], ...]]
"""(sender, message) → tables and keys. Wrong or missing ones cost time, never a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What happens because time passes.

    `run(ctx)` does what is due, bounded per block; `due(ctx)` tells the earliest due time, or None.
    """

    run: Callable[[Context], None]
    due: Callable[[Context], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A domain package. Nothing registers itself: `modules/__init__.py` lists them."""

    name: str
    handlers: dict[type[Message], Handler]
    tables: tuple[Table[Any, Any], ...]
    events: tuple[type[Event], ...] = ()
    projections: dict[type[Event], Projection] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    genesis: type[Struct] | None = None
    load: Callable[[Context, Any], None] | None = None
    """Writes the module's genesis (an instance of `genesis` or `genesis_more`) through its keepers."""
    genesis_more: tuple[type[Any], ...] = ()
    """Further forms of a genesis: a published one is frozen, what later ledgers begin with besides has its own."""
    schedule: Schedule | None = None
    declares: dict[type[Message], Declare] = field(default_factory=dict)
    """Message → the rows that its handler will most likely read: fetched ahead in one call where the cache misses."""
    sender_tables: tuple[Table[bytes, Any], ...] = ()
    """Tables by address whose row of the sender every transaction reads."""
    ports: dict[type[Any], type[Keeper]] = field(default_factory=dict)


class Modules:
    """The modules of a ledger with what the kernel derives from them; raises `KernelFault` where they do not fit."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self.all = modules
        self.names = tuple(m.name for m in modules)
        self.handlers: dict[type[Message], Handler] = {Tick: tick}
        self.ports: dict[type[Any], type[Keeper]] = {}
        self.tables: dict[str, Table[Any, Any]] = {}
        self.projections: dict[type[Event], Projection] = {}
        self.declares: dict[type[Message], Declare] = {}
        for module in modules:
            _check(module)
            _merge(self.handlers, module.handlers)
            _merge(self.ports, module.ports)
            _merge(self.tables, {t.name: t for t in module.tables})
            _merge(self.projections, module.projections)
            _merge(self.declares, module.declares)
        self.sender_tables = tuple(table for m in modules for table in m.sender_tables)
        self.invariants = tuple(i for m in modules for i in m.invariants)
        _check_unique("module", self.names)
        _check_unique("message", [tag_of(kind) for kind in self.handlers])
        _check_unique("invariant", [i.name for i in self.invariants])
        self.decoder = Decoder(tuple(self.handlers))
        self.position = {name: index for index, name in enumerate(self.names)}

    def decode_message(self, raw: bytes) -> Message:
        """A message of its canonical bytes; raises `UnknownMessage`."""
        return self.decoder.message(raw)

    def messages(self) -> Iterator[tuple[Module, type[Message]]]:
        """Every message kind with its module, in order."""
        return ((module, kind) for module in self.all for kind in module.handlers)


def _check(module: Module) -> None:
    """What is misdeclared is found when the ledger opens, not in the middle of a block."""
    for table in module.tables:
        if table.module != module.name:
            raise KernelFault(f"table {table.name} is not of module {module.name}")
    for kind in (*module.handlers, *module.events):
        if not tag_of(kind).startswith(f"{module.name}."):
            raise KernelFault(f"{tag_of(kind)} is not of module {module.name}")
    for message in module.handlers:
        if not 0 < message.WEIGHT <= MAXIMUM_MESSAGE_WEIGHT:
            raise KernelFault(f"{tag_of(message)} weighs {message.WEIGHT}, not 1 to {MAXIMUM_MESSAGE_WEIGHT}")
    if (module.genesis is None) != (module.load is None):
        raise KernelFault(f"module {module.name} has a genesis without a loader, or a loader without")


def _check_unique(what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise KernelFault(f"{what} declared twice: {name}")
        seen.add(name)


def _merge(into: dict[Any, Any], more: dict[Any, Any]) -> None:
    for key, value in more.items():
        if key in into:
            raise KernelFault(f"declared twice: {key}")
        into[key] = value
