"""Who sends more than one sender may have waiting is told so, and when to come again."""

import pytest

from kerege.api.outcomes import Teller
from kerege.consensus.embedded import Answer
from kerege.kernel.errors import NotATransaction, TooManyOutOfTurn, TooManyWaiting
from kerege.testing import names

SENDER = names.address("alice")
WAITING = TooManyWaiting(sender=SENDER, waiting=100, size=30_000, limit=100, limit_size=60_000, retry_after=1_000)
APART = TooManyOutOfTurn(sender=SENDER, lane=0, sequence=9, expected=1, waiting=64, limit=64, retry_after=1_000)


@pytest.mark.parametrize(("reason", "told"), [(WAITING, "waiting 100"), (APART, "expected 1")])
def test_too_many_is_not_for_ever(reason: NotATransaction, told: str) -> None:
    problem = Teller("kg", {}, "en").problem(Answer(bytes(32), None, 0, 0, reason))
    assert (problem.kind.status, problem.kind.name) == (429, "too-many-waiting")
    assert dict(problem.headers or {})["retry-after"] == "1"
    assert (problem.body.code, problem.body.facts["retry_after"]) == (reason.code, 1_000)
    assert problem.body.facts["sender"].startswith("kg1")
    assert told in problem.body.detail
