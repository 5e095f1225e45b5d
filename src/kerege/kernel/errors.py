"""What the ledger says no with: refusals (receipted) and non-transactions (never receipted).

Each is a class with a number that never changes its meaning and with typed facts. Texts for people
live with the nation's texts and use the facts; nothing here is shown as it stands.
"""

from typing import ClassVar, dataclass_transform

Fact = int | str | bytes | bool


class _Numbered(Exception):
    code: ClassVar[str] = ""
    FACTS: ClassVar[tuple[str, ...]] = ()
    """Their names, sorted; in capitals, for a fact may have any name."""

    def __init_subclass__(cls, *, code: str | None = None) -> None:
        super().__init_subclass__()
        if code is not None:
            cls.code = code
        # No dataclass, whose methods are compiled for each class: that was a fifth of the time in which modules load.
        cls.FACTS = tuple(sorted({*cls.FACTS, *cls.__annotations__}))

    def __init__(self, **facts: Fact) -> None:
        if facts.keys() != {*self.FACTS}:
            raise TypeError(f"{type(self).__name__} has the facts {self.FACTS}, not {(*facts,)}")
        super().__init__()
        for name in self.FACTS:
            setattr(self, name, facts[name])

    def facts(self) -> list[tuple[str, Fact]]:
        """Names and values, sorted by name: what a receipt carries."""
        return [(name, getattr(self, name)) for name in self.FACTS]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={v.hex() if isinstance(v, bytes) else v}" for name, v in self.facts())
        return f"{type(self).__name__}({told})"

    def __str__(self) -> str:
        return f"{self.code} {self!r}"


@dataclass_transform(kw_only_default=True)
class Refused(_Numbered):
    """An expected negative outcome: rolled back, the sequence consumed, a receipt with number and facts."""


@dataclass_transform(kw_only_default=True)
class NotATransaction(_Numbered):
    """These bytes are no transaction here and now: no receipt, no state change."""


class KernelFault(Exception):
    """The ledger itself is wrong (a module misdeclared, a store corrupt): the node stops, nothing is receipted."""


# Refusals of the kernel


class NotEntitled(Refused, code="kernel.1"):
    """The message may be sent only by others (`SENDERS`)."""

    message: str
    needed: str


class RateExceeded(Refused, code="kernel.2"):
    """The account sends faster than its bucket refills."""

    weight: int
    available: int
    retry_at: int


class WorkExceeded(Refused, code="kernel.3"):
    """The transaction touched more of the state than one transaction may."""

    operations: int
    limit: int


class MinimumBalance(Refused, code="kernel.4"):
    """State that a person created needs a minimum balance or a sponsor: neither is there, or would be left."""

    needed: int
    available: int


class AmountOutOfBounds(Refused, code="kernel.5"):
    """An amount would fall below zero or above 2⁶³−1."""

    left: int
    right: int


class DispatchTooDeep(Refused, code="kernel.6"):
    """A message dispatched messages that dispatched messages beyond the bound."""

    limit: int


class InvariantBroken(Refused, code="kernel.invariant"):
    """A truth of the ledger would not have held: rolled back, and the node raises an alarm."""

    name: str


class InternalError(Refused, code="kernel.internal"):
    """A handler met something its author did not foresee: rolled back, and the node raises an alarm."""

    message: str


class NotFound(Refused, code="kernel.7"):
    """The table holds nothing under this key."""

    table: str


class BadForm(Refused, code="kernel.8"):
    """A field's value is well-typed but means nothing here."""

    field: str
    reason: str


# Not a transaction


class NotCanonical(NotATransaction, code="kernel.20"):
    """The bytes are not the one canonical encoding of a transaction of this ledger's messages."""

    reason: str


class TooLarge(NotATransaction, code="kernel.21"):
    """The transaction is longer than the bound."""

    size: int
    limit: int


class WrongLedger(NotATransaction, code="kernel.22"):
    """The transaction was made for another ledger."""

    ledger: str


class Expired(NotATransaction, code="kernel.23"):
    """Block time has passed the transaction's `valid_until`."""

    valid_until: int
    time: int


class ValidTooLong(NotATransaction, code="kernel.24"):
    """`valid_until` lies further ahead than the bound."""

    valid_until: int
    time: int
    limit: int


class UnknownSender(NotATransaction, code="kernel.25"):
    """No account is open under the sender's address, or it is closed."""

    sender: bytes


class WrongKey(NotATransaction, code="kernel.26"):
    """The witness' key may not act for the sender now."""

    sender: bytes


class WrongSequence(NotATransaction, code="kernel.27"):
    """The sequence is not the lane's next (replayed, or one is missing)."""

    lane: int
    sequence: int
    expected: int


class BadSignature(NotATransaction, code="kernel.28"):
    """The signature is not the key's over this transaction."""

    kind: int


class UnknownMessage(NotATransaction, code="kernel.29"):
    """The transaction holds a message that no module of this ledger knows, or one with wrong fields."""

    reason: str


class BlockFull(NotATransaction, code="kernel.30"):
    """The block's budget of work is spent: send it again for the next one."""

    limit: int


class TooManyWaiting(NotATransaction, code="kernel.31"):
    """As much of the sender waits to be in a block as may of one: nothing was taken, send it again later."""

    sender: bytes
    waiting: int
    """Transactions of the sender that wait."""
    size: int
    """Their bytes."""
    limit: int
    limit_size: int
    retry_after: int
    """Milliseconds."""


class TooManyOutOfTurn(NotATransaction, code="kernel.32"):
    """It is not this one's turn, and as many of the sender wait for theirs as may: send those before it first."""

    sender: bytes
    lane: int
    sequence: int
    expected: int
    """The lane's next, as far as is known where it was refused."""
    waiting: int
    """Transactions of the sender that wait out of turn."""
    limit: int
    retry_after: int
    """Milliseconds."""
