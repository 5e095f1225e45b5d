"""Members with real engines for tests: they run where the engine is installed."""

from pathlib import Path

from kerege.kernel.genesis import Genesis
from kerege.testing.cometbft import Rpc
from kerege.testing.members import Member
from tests.consensus.test_replica import HOUR, pay, wait_for_sequence
from tools.engine import DEFAULT, binary


def member(folder: Path, genesis: Genesis, first: Member | None = None, trusting: Rpc | None = None) -> Member:
    return Member(folder, binary(DEFAULT), genesis, first, trusting)


def send(rpc: Rpc, sequences: range, now: int) -> None:
    """One payment a block."""
    for sequence in sequences:
        assert rpc.submit(pay("alice", sequence, until=now + HOUR)) == 0
        wait_for_sequence(rpc, "alice", sequence + 1)
