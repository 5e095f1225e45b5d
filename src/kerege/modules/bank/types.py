"""Words of bank: currencies, holds, freezes."""

from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Address, Amount, Code, Commitment, Currency, Identifier, Time

Decimals = Annotated[int, Meta(ge=0, le=8, extra={"plain": "a rule, public", "readers": "public"})]
"""How many decimals a unit has: the minor unit is 10 to the minus that."""


class CurrencyRow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A unit of account."""

    decimals: Decimals
    """Decimals of a unit."""
    issuer: Code
    """Authority on whose behalf supply is created and destroyed."""


class Hold(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Money set aside for somebody until it is captured or released."""

    owner: Address
    """Whose money it is."""
    beneficiary: Address
    """Who may capture it."""
    currency: Currency
    """Currency."""
    amount: Amount
    """Minor units still on hold."""
    expires: Time
    """After this anybody may release it, and the schedule does."""


class Freeze(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That an account may not move money, with its ground and end."""

    ground: Commitment
    """Commitment to the order and its ground."""
    basis: Code
    """Public kind of the ground: court, aml, sanctions, …"""
    office: Code
    """Office that ordered it."""
    appointment: Identifier
    """The official's appointment."""
    since: Time
    """From when."""
    expires: Time
    """Until when."""
