"""All a handler has: who asks, when, the keepers, and the power to dispatch another module's message."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from kerege.kernel.errors import BadForm, DispatchTooDeep, KernelFault, NotATransaction, NotEntitled
from kerege.kernel.messages import Event, Message, tag_of
from kerege.kernel.ports import BalancePort, ParameterPort, RolePort, SenderPort
from kerege.kernel.state import State
from kerege.kernel.tables import Bound, Table

if TYPE_CHECKING:
    from kerege.kernel.module import Modules

MAXIMUM_DISPATCH_DEPTH = 4

NOBODY = bytes(20)
"""Sender of what the ledger does by itself (genesis, schedules)."""

KeeperT = TypeVar("KeeperT", bound="Keeper")


class Keeper:
    """What a module lets others do with its state; guards and announces. One instance a block and class."""

    MODULE: ClassVar[str]
    """Name of the module whose tables this keeper reaches."""

    def __init__(self, ctx: "Context") -> None:
        self._ctx = ctx

    def _table(self, table: Table[Any, Any]) -> Bound[Any, Any]:
        """The module's own table, bound to this block's state."""
        if table.module != self.MODULE:
            raise KernelFault(f"keeper of {self.MODULE} reaches {table.name}")
        return Bound(table, self._ctx.state)

    def _announce(self, event: Event) -> None:
        self._ctx.events.append(event)


class Context:
    """The scope of a block, and within it of one transaction.

    Handlers use `sender`, `height`, `time`, `transaction`, `use`, `parameter`, `holds`, `dispatch`; `state`
    and `events` are for keepers only (an architecture test watches).
    """

    __slots__ = (
        "_authority",
        "_depth",
        "_keepers",
        "_modules",
        "events",
        "height",
        "ledger",
        "sender",
        "state",
        "time",
        "transaction",
    )

    def __init__(self, modules: "Modules", state: State, ledger: str, height: int, time: int) -> None:
        self._modules = modules
        self._keepers: dict[type, Any] = {}
        self._authority: str | None = None
        self._depth = 0
        self.state = state
        self.ledger = ledger
        self.height = height
        self.time = time
        self.sender = NOBODY
        self.transaction = bytes(32)
        self.events: list[Event] = []

    def use(self, keeper: type[KeeperT]) -> KeeperT:
        """The keeper bound to this block's state."""
        found = self._keepers.get(keeper)
        if found is None:
            found = self._keepers[keeper] = keeper(self)
        return found

    def port(self, port: type[Any]) -> Any:  # noqa: ANN401 - the keeper that fills the port
        """The keeper that fills a kernel port, or raises `KernelFault`."""
        found = self._keepers.get(port)
        if found is None:
            if port not in self._modules.ports:
                raise KernelFault(f"no module fills {port.__name__}")
            found = self._keepers[port] = self.use(self._modules.ports[port])
        return found

    def parameter(self, name: str) -> Any:  # noqa: ANN401 - a parameter's own type
        """The dated parameter as in force at block time; raises what the policy port raises where there is none."""
        return self.port(ParameterPort).value(name, self.time)

    def holds(self, role: str) -> bool:
        """Whether the sender holds the role by an appointment in force at block time."""
        return bool(self.port(RolePort).holds(self.sender, role))

    @property
    def authority(self) -> str | None:
        """The body on whose behalf the running message was dispatched, or None."""
        return self._authority

    def check_entitled(self, message: Message) -> None:
        """`SENDERS` of the message; raises `NotEntitled`."""
        senders = message.SENDERS
        if senders.everyone or (self._authority is not None and self.may_say(self._authority, message)):
            return
        if self._authority is None and senders.roles:
            roles = self.port(RolePort)
            if any(roles.holds(self.sender, name) for name in senders.roles):
                return
        raise NotEntitled(message=tag_of(message), needed=str(senders))

    def may_say(self, authority: str, message: Message) -> bool:
        """Whether the message names the body as a sender, by itself or by a parameter as in force at block time."""
        senders = message.SENDERS
        if authority in senders.authorities:
            return True
        return any(self.port(ParameterPort).find(name, self.time) == authority for name in senders.parameters)

    def run(self, message: Message) -> None:
        """Check `SENDERS` and run the handler."""
        self.check_entitled(message)
        self._modules.handlers[type(message)](self, message)

    def dispatch(self, message: Message, authority: str) -> None:
        """Run another module's ordinary message, with all its checks, on behalf of `authority`."""
        if self._depth >= MAXIMUM_DISPATCH_DEPTH:
            raise DispatchTooDeep(limit=MAXIMUM_DISPATCH_DEPTH)
        before, self._authority = self._authority, authority
        self._depth += 1
        try:
            self.run(message)
        finally:
            self._authority = before
            self._depth -= 1

    def give_back(self, creator: bytes, entries: int) -> None:
        """State entries removed now were created by `creator`: counted there, not with the sender or schedule."""
        if creator != self.sender:
            self.state.cells.created += entries
            self.port(SenderPort).count_entries(creator, -entries)

    def find(self, table: Table[Any, Any], key: Any) -> Any:  # noqa: ANN401
        """The value under a key, or None: for invariants and for views."""
        return Bound(table, self.state).find(key)

    def scan(self, table: Table[Any, Any], *parts: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
        """All rows of a table, in key order: for invariants in their full form and for views."""
        return Bound(table, self.state).scan(*parts)

    def decode_message(self, raw: bytes) -> Message:
        """A message of its canonical bytes (proposals carry messages); raises `BadForm`."""
        try:
            return self._modules.decode_message(raw)
        except NotATransaction as reason:
            raise BadForm(field="messages", reason=reason.code) from None

    def begin(self, sender: bytes, transaction: bytes) -> None:
        """Open the scope of one transaction (the machine calls this)."""
        self.sender = sender
        self.transaction = transaction
        self.events = []
        self._authority = None
        self._depth = 0


Handler = Callable[[Context, Any], None]

__all__ = ["NOBODY", "BalancePort", "Context", "Handler", "Keeper", "ParameterPort", "RolePort", "SenderPort"]
