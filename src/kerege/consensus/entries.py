"""What the engine carries: one transaction of the ledger, or a parcel of them."""

from kerege.consensus import parcels
from kerege.kernel.errors import NotATransaction, NotCanonical
from kerege.kernel.machine import Machine
from kerege.kernel.transaction import Transaction


class Entry:
    """An engine transaction, opened."""

    __slots__ = (
        "good",
        "idle_since",
        "parcel",
        "rank",
        "ranked_by",
        "raw",
        "round",
        "since",
        "transactions",
        "until",
        "weight",
    )

    def __init__(self, raw: bytes, transactions: list[Transaction], parcel: parcels.Parcel | None) -> None:
        self.raw = raw
        self.transactions = transactions
        """What can be decoded of it, in order; at least one."""
        self.parcel = parcel
        """None of a single one."""
        self.weight = sum(transaction.weight for transaction in transactions)
        self.until = max(transaction.body.valid_until for transaction in transactions)
        """When the last of them expires."""
        self.good: list[bool] | None = None
        """Verdicts on its signatures, once they are known."""
        self.round = 0
        """Between which blocks the engine last asked about it."""
        self.rank = 0
        """The last of its transactions' classes, by the table that it was ranked by."""
        self.ranked_by: object = None
        self.since = 0
        """When it was let in, by the node's clock."""
        self.idle_since: int | None = None
        """Since when nothing of it has its turn, though something may have it yet."""

    @property
    def transaction(self) -> Transaction:
        """Of a single one."""
        return self.transactions[0]

    @property
    def worthless(self) -> bool:
        """Whether it is known that not one of its signatures is good."""
        return self.good is not None and True not in self.good


def open_entry(machine: Machine, raw: bytes) -> Entry:
    """What an engine transaction brings; raises `NotATransaction` where it is neither."""
    if not parcels.is_parcel(raw):
        return Entry(raw, [machine.decode(raw)], None)
    parcel = parcels.read(raw)
    found = []
    for inner in parcel.transactions:
        try:
            found.append(machine.decode(inner))
        except NotATransaction:
            continue
    if not found:
        raise NotCanonical(reason="no transaction in the parcel")
    return Entry(raw, found, parcel)
