"""Leaves of the log: what happened to a transaction, what a block's schedules did, and the block itself."""

from typing import Any

from msgspec import Struct

from kerege.kernel.types import Hash, Height, Time


class ReceiptHead(Struct, frozen=True, array_like=True, gc=False, tag="receipt"):
    """What a receipt begins with: enough to know whether a transaction was applied, however many events it made."""

    transaction: Hash
    witness: Hash
    """SHA-256 of the witness, so that the log proves who signed."""
    height: Height
    time: Time
    code: str
    """Empty when applied, else the refusal's number."""
    facts: list[tuple[str, Any]]
    """The refusal's facts, sorted by name."""


class Receipt(ReceiptHead, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="receipt"):
    """Outcome of a transaction; consensus data only."""

    events: list[Any]


class BlockReceipt(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="block-receipt"):
    """What happened in a block that no transaction asked for: because time passed, or a validator misbehaved."""

    height: Height
    time: Time
    events: list[Any]


class BlockRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="block"):
    """Last leaf of every block that is not empty: ties the log to the state."""

    height: Height
    time: Time
    state_root: Hash
    validators: Hash
    """Hash of the set that signs the block of this height, as in its engine's header; of block 0: that of the first.

    32 zero bytes where one operator runs the ledger.
    """


ONE_OPERATOR = bytes(32)
