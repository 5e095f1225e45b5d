"""What a message and an event are, and how a message says who may send it."""

from dataclasses import dataclass
from typing import ClassVar

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may send a message: data, enforced by the kernel before the handler runs.

    `roles`: a holder of any of these roles, by an appointment in force at block time.
    `authorities`: not a person at all, but a dispatch on behalf of one of these bodies
    (a passed proposal, an outcome of a case). `parameters`: the same for the body that a dated parameter names.
    `everyone`: any opened account.
    """

    everyone: bool = False
    roles: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def __or__(self, other: "Senders") -> "Senders":
        return Senders(
            self.everyone or other.everyone,
            self.roles + other.roles,
            self.authorities + other.authorities,
            self.parameters + other.parameters,
        )

    def __str__(self) -> str:
        if self.everyone:
            return "any account"
        told = [f"role {name}" for name in self.roles] + [f"authority {name}" for name in self.authorities]
        told += [f"the authority that {name} names" for name in self.parameters]
        return " or ".join(told)


any_account = Senders(everyone=True)
"""Any opened account; what depends on state is the handler's first phase."""


def role(*names: str) -> Senders:
    """Holders of one of these roles."""
    return Senders(roles=names)


def authority(*names: str) -> Senders:
    """Only as dispatched on behalf of one of these authorities."""
    return Senders(authorities=names)


def authority_of(*names: str) -> Senders:
    """Only as dispatched on behalf of the authority that one of these dated parameters names."""
    return Senders(parameters=names)


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A request inside a transaction: one frozen struct per kind, imperative, `tag="module.Name"`.

    A published message is frozen: a change is a new tag (`bank.Transfer.2`).
    """

    SENDERS: ClassVar[Senders] = Senders()
    """Deny by default: a message that says nothing is sent by nobody."""

    WEIGHT: ClassVar[int] = 1
    """Units of work, counted against the sender's rate bucket and the block's budget."""


class Event(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A fact announced by a keeper: past participle, `tag="module.Name"`. Consensus bytes, never texts."""


def tag_of(kind: type[Struct] | Struct) -> str:
    """The name on the wire, e.g. `bank.Transfer`."""
    tag = kind.__struct_config__.tag
    return str(tag)
