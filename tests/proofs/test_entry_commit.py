"""A state proof with the engine's commit: the same votes, checked in the same way."""

import json
import time

import pytest

from kerege import proofs
from kerege.proofs import commit, entry
from tests.proofs.light.chain import FOUR
from tests.proofs.light.ledger import SETS, Ledger, signer
from tests.proofs.naive import canonical

LEDGER = Ledger()
SIGNERS = tuple(signer(name) for name in FOUR)
NOW = time.time_ns() // 1_000_000


def proof(height: int = 2, **changes: object) -> bytes:
    """The founding set, proven with votes for the header of a height; something happened in block 1 only."""
    block = LEDGER.block(height)
    shown = commit.members(commit.make(block.header, block.commit, block.validators)) | changes
    members = json.loads(LEDGER.prove(SETS, 0, signers=SIGNERS))
    members["checkpoint"]["commit"] = shown
    return canonical(members)


def judge(data: bytes) -> entry.Judged:
    return entry.judge(data, LEDGER.trust(), now=NOW)


@pytest.mark.parametrize(
    ("height", "changes", "reason"), [(3, {}, "another-header"), (2, {"round": 1}, "bad-signature")]
)
def test_other_votes_are_refused(height: int, changes: dict[str, object], reason: str) -> None:
    judged = judge(proof(height, **changes))
    assert (judged.exit, judged.check, judged.reason) == (1, "final", reason)


def test_what_is_no_commit_is_unusable() -> None:
    assert judge(proof(votes=[])).exit == 2


def test_a_row_is_final() -> None:
    judged = judge(proof())
    assert judged.exit == 0
    assert judged.final == proofs.Final("kg-test", 2, LEDGER.header(2).hash)
    assert judged.lines("en")[-1].startswith("FINAL: header 2 of kg-test")
    assert judged.to_json()["final"] == {"chain": "kg-test", "height": 2, "hash": LEDGER.header(2).hash.hex()}
    assert entry.encode(entry.parse(proof())) == proof()
    assert judge(LEDGER.prove(SETS, 0, signers=SIGNERS)).final is None
