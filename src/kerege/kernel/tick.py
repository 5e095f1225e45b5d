"""`kernel.Tick`: wakes the ledger when something is due and nobody else asks for anything."""

from typing import TYPE_CHECKING, ClassVar

from kerege.kernel.messages import Message, Senders, role

if TYPE_CHECKING:
    from kerege.kernel.context import Context


class Tick(Message, frozen=True, tag="kernel.Tick"):
    """Make a block, so that schedules run. Sent by a node from its gateway account when something is due."""

    SENDERS: ClassVar[Senders] = role("gateway")


def tick(_ctx: "Context", _message: Tick) -> None:
    """Nothing: the block that carries the tick runs the schedules."""
