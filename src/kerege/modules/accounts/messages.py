"""What can be asked of accounts."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, any_account, role
from kerege.kernel.types import Address, Code, Count
from kerege.modules.accounts.types import AccountKind, KeyBytes, KeyKind

OPENERS = (
    "acceptor",
    "consul",
    "data-protection-officer",
    "midwife",
    "pin-officer",
    "registrar",
    "system-operator",
)
"""Roles at whose office a person's account is opened: by identity (ЦОН, ЗАГС, consul) or as the sponsor of a case."""

OPERATORS = ("system-operator",)
"""Roles that open accounts of officials, institutions and gateways: these need no minimum balance."""

_PUBLIC_KEY = Meta(
    description="Public key in its kind's one encoding.", extra={"plain": "a public key", "readers": "public"}
)
_KIND = Meta(description="1 Ed25519, 2 WebAuthn P-256, 3 secp256k1.", extra={"plain": "a kind", "readers": "public"})


class Open(Message, frozen=True, tag="accounts.Open"):
    """Open an account for a key, at an office that identified its holder or sponsors a case."""

    SENDERS: ClassVar[Senders] = role(*OPENERS)

    office: Annotated[Code, Meta(description="Office that opens it; the sender's appointment there is checked.")]
    kind: Annotated[AccountKind, Meta(description="What the account is for.")]
    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]
    sponsored: Annotated[
        bool,
        Meta(
            description="Whether the sender's account bears the minimum balance of what it creates.",
            extra={"plain": "a rule of the ledger", "readers": "public"},
        ),
    ]


class Sponsor(Message, frozen=True, tag="accounts.Sponsor"):
    """Open an account at the expense of the sender's own: an agency for its customers."""

    SENDERS: ClassVar[Senders] = any_account

    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class AddKey(Message, frozen=True, tag="accounts.AddKey"):
    """Add a key to the sender's account: another device, another kind."""

    SENDERS: ClassVar[Senders] = any_account

    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class RemoveKey(Message, frozen=True, tag="accounts.RemoveKey"):
    """Remove a key of the sender's account, but not the last."""

    SENDERS: ClassVar[Senders] = any_account

    key: Annotated[KeyBytes, _PUBLIC_KEY]


class RotateKey(Message, frozen=True, tag="accounts.RotateKey"):
    """Replace a key of the sender's account by another in one step."""

    SENDERS: ClassVar[Senders] = any_account

    old: Annotated[KeyBytes, _PUBLIC_KEY]
    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class SetGuardians(Message, frozen=True, tag="accounts.SetGuardians"):
    """Name the accounts whose approval a recovery needs, and how many of them."""

    SENDERS: ClassVar[Senders] = any_account

    guardians: Annotated[list[Address], Meta(max_length=8, description="Accounts, sorted, none twice.")]
    threshold: Annotated[Count, Meta(description="How many must approve; 0 without guardians.")]


class StartRecovery(Message, frozen=True, tag="accounts.StartRecovery"):
    """The office that opened an account, and has identified the holder anew, starts its recovery."""

    SENDERS: ClassVar[Senders] = role("acceptor", "consul", "pin-officer", "registrar")

    office: Annotated[Code, Meta(description="Office; the sender's appointment there is checked.")]
    account: Annotated[Address, Meta(description="Account to recover.")]
    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class AskRecovery(Message, frozen=True, tag="accounts.AskRecovery"):
    """A guardian starts the recovery of a lost account; the own approval counts."""

    SENDERS: ClassVar[Senders] = any_account

    account: Annotated[Address, Meta(description="Account to recover.")]
    key_kind: Annotated[KeyKind, _KIND]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class ApproveRecovery(Message, frozen=True, tag="accounts.ApproveRecovery"):
    """A guardian approves a recovery for one key: an approval counts for no other."""

    SENDERS: ClassVar[Senders] = any_account

    account: Annotated[Address, Meta(description="Account to recover.")]
    key: Annotated[KeyBytes, _PUBLIC_KEY]


class CancelRecovery(Message, frozen=True, tag="accounts.CancelRecovery"):
    """The holder, who still has a key, objects to every recovery under way."""

    SENDERS: ClassVar[Senders] = any_account


class CloseAccount(Message, frozen=True, tag="accounts.CloseAccount"):
    """Close the sender's account: it sends no more; what it holds stays."""

    SENDERS: ClassVar[Senders] = any_account
