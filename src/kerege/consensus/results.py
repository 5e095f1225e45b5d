"""Results of a block as the engine keeps them: one for each of its own transactions, the same bytes on every node."""

from collections.abc import Sequence

from kerege.consensus import parcels
from kerege.consensus.codes import APPLIED, NOT_A_TRANSACTION, REFUSED
from kerege.consensus.cometbft import messages as m
from kerege.kernel.block import Outcome
from kerege.kernel.codec import decode
from kerege.kernel.crypto import sha256, sha256_many
from kerege.kernel.receipts import Receipt

NOTHING = bytes(32)
"""In a parcel's result, of what was no transaction."""


def results(carried: Sequence[bytes], counts: Sequence[int], outcomes: Sequence[Outcome]) -> list[m.ExecTxResult]:
    """Of each engine transaction, which brought so many of the ledger's, with their outcomes in order."""
    found, start = [], 0
    for raw, count in zip(carried, counts, strict=True):
        own = outcomes[start : start + count]
        found.append(_of_parcel(own) if parcels.is_parcel(raw) else _of_one(own[0]))
        start += count
    return found


def _of_one(outcome: Outcome) -> m.ExecTxResult:
    """Code and receipt."""
    if outcome.receipt is None:
        return m.ExecTxResult(code=NOT_A_TRANSACTION)
    code = decode(outcome.receipt, Receipt).code
    return m.ExecTxResult(code=REFUSED if code else APPLIED, data=outcome.receipt)


def _of_parcel(outcomes: Sequence[Outcome]) -> m.ExecTxResult:
    """Whether any of it left a receipt, and SHA-256 over the hashes of its receipts in order."""
    receipts = [outcome.receipt for outcome in outcomes if outcome.receipt is not None]
    hashes = sha256_many(receipts)
    if len(receipts) < len(outcomes):
        each = iter([hashes[at : at + len(NOTHING)] for at in range(0, len(hashes), len(NOTHING))])
        hashes = b"".join([NOTHING if outcome.receipt is None else next(each) for outcome in outcomes])
    return m.ExecTxResult(code=APPLIED if receipts else NOT_A_TRANSACTION, data=sha256(hashes))
