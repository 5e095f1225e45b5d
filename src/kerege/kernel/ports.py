"""What the kernel itself needs to know, each filled by one module's keeper in its `MODULE.ports`."""

from typing import Any, Protocol

from kerege.kernel.misbehaviour import Misbehaviour


class SenderPort(Protocol):
    """Accounts: may this key act for this sender, and is it the sender's turn."""

    def check_sender(self, sender: bytes, kind: int, key: bytes) -> None:
        """Raise `UnknownSender` or `WrongKey`; reads state only."""

    def next_sequence(self, sender: bytes, lane: int) -> int:
        """The lane's next sequence; 0 for a sender unknown or silent so far."""

    def admit(self, sender: bytes, lane: int, sequence: int, weight: int) -> int:
        """Consume the sequence and take the weight from the rate bucket, of the sender that was checked last.

        Raises `WrongSequence` and changes nothing. Returns 0, or where the bucket holds too little the time
        at which it will hold enough (the sequence is consumed all the same, nothing is taken).
        """

    def count_entries(self, sender: bytes, created: int) -> int:
        """Add to the number of state entries that the sender has created (negative: removed).

        Returns the entries that need a minimum balance: 0 for a sponsored account.
        """


class RolePort(Protocol):
    """Authority: who holds which role."""

    def holds(self, address: bytes, role: str) -> bool:
        """Whether an appointment in force at block time gives the role, at whatever office."""

    def holds_at(self, address: bytes, role: str, office: str) -> bool:
        """Whether an appointment in force at block time gives the role at this office."""


class ValidatorPort(Protocol):
    """Authority: who signs blocks. A ledger whose modules do not fill it is one operator's."""

    def hash_at(self, height: int) -> bytes:
        """Hash of the set that signs the block of a height; 32 zero bytes where one operator runs the ledger."""

    def report(self, misbehaviour: Misbehaviour) -> None:
        """Put on record what a validator did, with its consequences."""


class ParameterPort(Protocol):
    """Policy: a dated parameter."""

    def value(self, name: str, time: int) -> Any:  # noqa: ANN401 - a parameter's own type
        """The value in force at a time; raises where the name has none."""

    def find(self, name: str, time: int) -> Any | None:  # noqa: ANN401
        """The value in force at a time, or None."""


class BalancePort(Protocol):
    """Bank: the minimum balance that new state needs."""

    def check_minimum(self, address: bytes, entries: int) -> None:
        """Raise `MinimumBalance` where the account holds less than its entries need."""
