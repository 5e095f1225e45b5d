"""A block on its way: executed, then sealed with its roots, then handed to the store as one write."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from kerege.kernel.changes import Changes
from kerege.kernel.crypto import Ticket
from kerege.kernel.errors import NotATransaction
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.receipts import ONE_OPERATOR
from kerege.kernel.state import Fetch
from kerege.kernel.transaction import Transaction
from kerege.kernel.types import Hash, Height, Time


class Head(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-head/1"):
    """Where a ledger stands: the row that makes a block durable, and that the next one builds on."""

    height: Height
    time: Time
    app_hash: Hash
    state_root: Hash
    log_root: Hash
    log_size: int
    module_roots: list[bytes]
    """Roots of the modules' trees in order of modules: where two nodes differ is found by comparing these."""


class StoredBlock(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-block/1"):
    """A block as the ledger keeps it: enough to replay it and to answer for it."""

    height: Height
    time: Time
    transactions: list[bytes]
    """All bytes that were in the block, also those that turned out to be no transaction."""
    first_leaf: int
    """Log index of the block's first leaf."""
    leaves: list[bytes]
    """Receipts, then the block receipt where schedules did something, then the block record."""
    head: Head


class Signatures(NamedTuple):
    """Witnesses being checked."""

    transactions: list[Transaction]
    known: list[bool | None]
    """Verdicts that were found before, in the order of the transactions."""
    ticket: Ticket
    """The verifier's promise of the others."""


class Prepared:
    """The transactions of a block decoded, with their signatures being checked."""

    __slots__ = ("decoded", "fetch", "raw", "signatures")

    def __init__(
        self,
        raw: list[bytes],
        decoded: list[Transaction | NotATransaction],
        signatures: Signatures,
        fetch: Fetch | None,
    ) -> None:
        self.raw = raw
        self.decoded = decoded
        self.signatures = signatures
        """The promise of a verdict for every decoded transaction."""
        self.fetch = fetch
        """State being read for them, where the cache misses it."""


class Outcome:
    """What became of one transaction of a block."""

    __slots__ = ("id", "leaf", "reason", "receipt")

    def __init__(
        self, identifier: bytes, receipt: bytes | None, leaf: int | None, reason: NotATransaction | None = None
    ) -> None:
        self.id = identifier
        self.receipt = receipt
        """Bytes of the receipt; None where it was not a transaction."""
        self.leaf = leaf
        """Position among the block's leaves."""
        self.reason = reason
        """Why it was not a transaction."""


class Executed:
    """A block after execution, before its roots are known."""

    __slots__ = (
        "after",
        "alarms",
        "changes",
        "height",
        "leaves",
        "misbehaviour",
        "outcomes",
        "refused",
        "time",
        "transactions",
        "validators",
        "weight",
    )

    def __init__(self, height: int, time: int, transactions: list[bytes]) -> None:
        self.height = height
        self.time = time
        self.transactions = transactions
        self.misbehaviour: list[Misbehaviour] = []
        """What the engine told with the block."""
        self.outcomes: list[Outcome] = []
        self.leaves: list[bytes] = []
        self.alarms: list[str] = []
        """What a node must shout about: a broken invariant or an unforeseen exception, with its transaction."""
        self.changes: Changes = Changes()
        self.after: tuple[int, int] = (-1, 0)
        """Height and time of the block before."""
        self.validators = ONE_OPERATOR
        """Hash of the set that signs this block."""
        self.refused = 0
        """How many receipts tell a refusal: for whoever watches a node."""
        self.weight = 0
        """Of the transactions with a receipt."""

    @property
    def empty(self) -> bool:
        """Nothing was receipted and nothing changed."""
        return not self.leaves and not self.changes.items


class Sealing(NamedTuple):
    """A block whose roots are being worked out."""

    executed: Executed
    stored: dict[bytes, bytes | None]
    """State key → stored bytes, None to delete."""
    undo: bytes
    """Encoded pairs of state key and stored bytes before the block."""
    roots: Callable[[], list[bytes]]
    """Waits for the roots of the modules' trees."""


class Block:
    """A sealed block: everything of it that the store must hold, in one atomic write."""

    __slots__ = ("before", "executed", "head", "index", "state", "stored", "tiles", "undo")

    def __init__(self, executed: Executed, head: Head, stored: StoredBlock) -> None:
        self.executed = executed
        self.head = head
        self.stored = stored
        self.before: Head | None = None
        """The sealed block before it."""
        self.state: dict[bytes, bytes | None] = {}
        """State key → stored bytes, None to delete."""
        self.undo = b""
        """Encoded pairs of state key and stored bytes before the block."""
        self.tiles: dict[tuple[int, int], bytes] = {}
        """Tiles of the log that changed."""
        self.index: dict[bytes, bytes] = {}
        """Transaction id → encoded (height, position among the leaves)."""
