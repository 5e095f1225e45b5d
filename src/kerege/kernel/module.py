"""The module contract: one declared object per module, one explicit ordered tuple of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from kerege.kernel.context import Context, Handler, Keeper
from kerege.kernel.errors import KernelFault
from kerege.kernel.invariant import Invariant
from kerege.kernel.messages import Event, Message
from kerege.kernel.rows import Projection
from kerege.kernel.tables import Table
from kerege.kernel.tick import Tick, tick
from kerege.kernel.transaction import Decoder


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
    """Writes the module's genesis (an instance of `genesis`) through its keepers."""
    schedule: Schedule | None = None
    ports: dict[type[Any], type[Keeper]] = field(default_factory=dict)


class Modules:
    """The modules of a ledger with what the kernel derives from them."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self.all = modules
        self.names = tuple(m.name for m in modules)
        self.handlers: dict[type[Message], Handler] = {Tick: tick}
        self.ports: dict[type[Any], type[Keeper]] = {}
        self.tables: dict[str, Table[Any, Any]] = {}
        self.projections: dict[type[Event], Projection] = {}
        for module in modules:
            _merge(self.handlers, module.handlers)
            _merge(self.ports, module.ports)
            _merge(self.tables, {t.name: t for t in module.tables})
            _merge(self.projections, module.projections)
        self.invariants = tuple(i for m in modules for i in m.invariants)
        self.decoder = Decoder(tuple(self.handlers))
        self.position = {name: index for index, name in enumerate(self.names)}

    def decode_message(self, raw: bytes) -> Message:
        """A message of its canonical bytes; raises `UnknownMessage`."""
        return self.decoder.message(raw)

    def messages(self) -> Iterator[tuple[Module, type[Message]]]:
        """Every message kind with its module, in order."""
        return ((module, kind) for module in self.all for kind in module.handlers)


def _merge(into: dict[Any, Any], more: dict[Any, Any]) -> None:
    for key, value in more.items():
        if key in into:
            reason = f"declared twice: {key}"
            raise KernelFault(reason)
        into[key] = value
