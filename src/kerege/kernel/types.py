"""Words of the ledger as types: what a field means, how long it is, how it looks in JSON.

Every alias carries its bounds, so that decoding refuses what lies outside, and a `form` that tells
`kernel.forms` how the value is written for people and in JSON.
"""

from typing import Annotated, Any

from msgspec import Meta

from kerege.kernel.errors import AmountOutOfBounds

MAXIMUM_AMOUNT = 2**63 - 1
MAXIMUM_TIME = 2**53 - 1
"""Milliseconds that JSON numbers still carry exactly."""


def _bytes(length: int, form: str) -> Any:  # noqa: ANN401 - an annotation, not a value
    return Meta(min_length=length, max_length=length, extra={"form": form})


Address = Annotated[bytes, _bytes(20, "address")]
"""An account of the ledger: 20 bytes, shown as bech32m."""

Hash = Annotated[bytes, _bytes(32, "hash")]
"""A SHA-256 digest."""

Commitment = Annotated[bytes, _bytes(32, "hash")]
"""A salted digest of a value that stays outside the ledger: says nothing without the salt."""

Identifier = Annotated[bytes, _bytes(16, "identifier")]
"""A random name for a record, case, person or appointment: 16 bytes, brought by the message."""

Blind = Annotated[bytes, _bytes(16, "blind")]
"""Random bytes that make a leaf unguessable for neighbours who see its hash in a proof path."""

Amount = Annotated[int, Meta(ge=0, le=MAXIMUM_AMOUNT, extra={"form": "amount"})]
"""Money in minor units of its currency; a string in JSON."""

Positive = Annotated[int, Meta(ge=1, le=MAXIMUM_AMOUNT, extra={"form": "amount"})]
"""An amount that moves: at least one minor unit."""

Time = Annotated[int, Meta(ge=0, le=MAXIMUM_TIME, extra={"form": "time"})]
"""Milliseconds since the Unix epoch, UTC. On the ledger: block time."""

Height = Annotated[int, Meta(ge=0, le=MAXIMUM_TIME, extra={"form": "count"})]
"""Number of a block; genesis is 0."""

Count = Annotated[int, Meta(ge=0, le=2**32 - 1, extra={"form": "count"})]
"""A small number of things."""

Day = Annotated[int, Meta(ge=0, le=2_932_896, extra={"form": "day"})]
"""A local date as days since 1970-01-01, up to 9999-12-31; an ISO date in JSON."""

Lane = Annotated[int, Meta(ge=0, le=15, extra={"form": "count"})]
"""One of 16 independent sequences of an account."""

Code = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"\A[0-9A-Za-zА-Яа-яЁёӨөҮүҢң._:/-]+\Z", extra={"form": "code"})
]
"""A name from a public list: office, role, service, parameter, reason. Never a word about a person."""

OptionalCode = Annotated[str, Meta(max_length=64, extra={"form": "code"})]
"""A code, or the empty text for none."""

Flag = Annotated[bool, Meta(extra={"form": "flag", "plain": "a state of a rule or procedure", "readers": "everyone"})]
"""Whether something holds; never a fact about a person."""

PublicDay = Annotated[
    int,
    Meta(
        ge=0, le=2_932_896, extra={"form": "day", "plain": "a day of the calendar or of a law", "readers": "everyone"}
    ),
]
"""A day that is public by nature: a holiday, the reading of a law."""

Currency = Annotated[str, Meta(min_length=3, max_length=12, pattern=r"\A[A-Z][A-Z0-9]+\Z", extra={"form": "code"})]
"""ISO 4217 code, or the code of a registered token."""


def add(left: int, right: int) -> int:
    """Sum of two amounts; raises `AmountOutOfBounds` outside 0 … 2⁶³−1."""
    total = left + right
    if not 0 <= total <= MAXIMUM_AMOUNT:
        raise AmountOutOfBounds(left=left, right=right)
    return total


def subtract(left: int, right: int) -> int:
    """Difference of two amounts; raises `AmountOutOfBounds` below 0."""
    return add(left, -right)
