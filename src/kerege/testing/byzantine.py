"""`python -m kerege.testing.byzantine`, with the words of `kerege.node.replica`: a validator that proposes wrongly.

Its state is as honest as any: only the blocks it proposes are wrong, each in another way, one after the other.
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from kerege.consensus.cometbft import messages as m
from kerege.consensus.embedded import wall_clock
from kerege.consensus.replica import Replica
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Body
from kerege.modules.bank.messages import Transfer
from kerege.node import replica
from kerege.testing import names

_BANK_WEIGHT = 10
HOUR = 3_600_000


def malformed(_txs: Sequence[bytes], _ledger: str) -> list[bytes]:
    """Bytes that are no transaction, and none at all."""
    return [b"no transaction", b""]


def oversized(_txs: Sequence[bytes], ledger: str) -> list[bytes]:
    """More weight than a block may have."""
    return [_pay(ledger, sequence, HOUR) for sequence in range(MAXIMUM_BLOCK_WEIGHT // _BANK_WEIGHT + 1)]


def duplicate(txs: Sequence[bytes], ledger: str) -> list[bytes]:
    """One transaction twice."""
    return [*(txs[:1] or [_pay(ledger, 0, HOUR)])] * 2


def expired(txs: Sequence[bytes], ledger: str) -> list[bytes]:
    """One whose time is over, before honest ones."""
    return [_pay(ledger, 0, -HOUR), *txs]


def badly_signed(txs: Sequence[bytes], ledger: str) -> list[bytes]:
    """One with a signature of another one's, before honest ones."""
    forged = bytearray(_pay(ledger, 0, HOUR))
    forged[-1] ^= 1
    return [bytes(forged), *txs]


def reordered(txs: Sequence[bytes], _ledger: str) -> list[bytes]:
    """Honest ones, each sender's last first."""
    return list(reversed(txs))


WAYS: tuple[Callable[[Sequence[bytes], str], list[bytes]], ...] = (
    malformed,
    oversized,
    duplicate,
    expired,
    badly_signed,
    reordered,
)


class Byzantine(Replica):
    """A replica whose proposals are wrong in turn."""

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - as `Replica`
        super().__init__(*arguments, **more)
        self._ways = itertools.cycle(WAYS)

    def prepare_proposal(self, request: m.RequestPrepareProposal) -> m.ResponsePrepareProposal:
        """The next wrong way, told on standard error."""
        honest = list(super().prepare_proposal(request).txs)
        way = next(self._ways)
        txs = way(honest, self.machine.ledger)
        sys.stderr.write(f"proposed at {request.height}: {way.__name__}, {len(txs)} transactions\n")
        sys.stderr.flush()
        return m.ResponsePrepareProposal(txs=txs)


def _pay(ledger: str, sequence: int, ahead: int) -> bytes:
    """A payment by somebody who has an account, valid for so many milliseconds from now."""
    until = wall_clock() + ahead
    signer = names.signer("person-0")
    message = Transfer(names.address("person-1"), "KGS", 1)
    return signer.transaction(Body(ledger, signer.address, 1, sequence, until, bytes(16), [message]))


if __name__ == "__main__":
    sys.exit(replica.main(Byzantine))
