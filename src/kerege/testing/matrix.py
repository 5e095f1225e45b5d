"""Who may send what: every message of every module against every role and every authority."""

from collections.abc import Iterator
from dataclasses import dataclass

from kerege.kernel.messages import Message, tag_of
from kerege.modules import MODULES
from kerege.testing.vectors import PARAMETERS


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether somebody who holds one role, or nothing, may send a message; or a board may."""

    message: type[Message]
    role: str
    """A role, or empty for an account that holds none."""
    board: str
    """A board on whose behalf the message is dispatched, or empty."""
    allowed: bool

    def __str__(self) -> str:
        return f"{tag_of(self.message)}-{self.board or self.role or 'nobody'}"


def roles() -> list[str]:
    """Every role that some message names, sorted."""
    return sorted({name for kind in messages() for name in kind.SENDERS.roles})


def boards() -> list[str]:
    """Every authority that some message names, by itself or by a parameter, sorted."""
    return sorted({name for kind in messages() for name in _bodies(kind)})


def messages() -> list[type[Message]]:
    """Every message of every module, in order."""
    return [kind for module in MODULES for kind in module.handlers]


def matrix() -> Iterator[Entitlement]:
    """Every message × (no role, every role, every authority)."""
    for kind in messages():
        senders = kind.SENDERS
        for role in ["", *roles()]:
            yield Entitlement(kind, role, "", senders.everyone or role in senders.roles)
        for board in boards():
            yield Entitlement(kind, "", board, board in _bodies(kind))


def _bodies(kind: type[Message]) -> list[str]:
    senders = kind.SENDERS
    return [*senders.authorities, *(PARAMETERS[name] for name in senders.parameters)]
