"""Words of accounts: who may send, with which keys, how fast."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Address, Count, OptionalCode, Time

KeyBytes = Annotated[bytes, Meta(min_length=32, max_length=33, extra={"form": "key"})]
"""A public key in its kind's one encoding."""

KeyKind = Annotated[int, Meta(ge=1, le=3, extra={"form": "count"})]
"""1 Ed25519, 2 WebAuthn P-256, 3 secp256k1 with EIP-712."""


class AccountKind(StrEnum):
    """What an account is for."""

    PERSON = "person"
    INSTITUTION = "institution"
    OFFICIAL = "official"
    GATEWAY = "gateway"


class AccountStatus(StrEnum):
    """Whether an account may send."""

    OPEN = "open"
    CLOSED = "closed"


class Key(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A key that may act for an account."""

    kind: KeyKind
    """Kind of key."""
    key: KeyBytes
    """The public key."""
    since: Time
    """When it was added."""


class Account(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An opened account: one row read for every transaction of its holder."""

    kind: AccountKind
    """What it is for."""
    status: AccountStatus
    """Whether it may send."""
    sponsor: Address | None
    """Who bears the minimum balance of what it creates; None: itself."""
    opener: OptionalCode
    """Office that opened it; it may start a recovery. Empty at genesis."""
    keys: list[Key]
    """Keys that may act for it."""
    guardians: list[Address]
    """Accounts whose approval a recovery needs."""
    threshold: Count
    """How many of them."""


class Usage(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What the kernel counts for an account: its sequences, its rate bucket, the state it created."""

    sequences: tuple[int, ...]
    """Next sequence of lanes 0, 1, … as far as any was used."""
    tokens: int
    """Thousandths of units of work in the rate bucket at `refilled`."""
    refilled: Time
    """When the tokens were counted."""
    entries: int
    """State entries created and not removed."""


class Recovery(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A recovery under way: a new key takes over after a delay, unless an existing key objects."""

    key: Key
    """The new key."""
    office: OptionalCode
    """Office that started it."""
    ready: Time
    """When it may take effect."""
    approvals: list[Address]
    """Guardians that approved."""
