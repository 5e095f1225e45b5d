"""Who may send what, for every message and every role: the kernel refuses everybody else with kernel.1."""

import pytest

from kerege.kernel.codec import encode
from kerege.kernel.messages import Message, Senders
from kerege.modules.authority.messages import Propose
from kerege.testing import names, values, vectors
from kerege.testing.ledger import HOUR, Simulator
from kerege.testing.matrix import boards, matrix, messages, roles

OFFICE = "ЗАГС-1"
NOT_ENTITLED = "kernel.1"


@pytest.fixture
def ledger() -> Simulator:
    """One account a role, one member a board, and somebody who holds nothing."""
    simulator = Simulator()
    people = {f"holder of {role}": {role: OFFICE} for role in roles()}
    form = {"sender": "alice", "roles": people}
    members = [f"member of {board}" for board in boards()]
    simulator.write(vectors.setting(form, simulator, people=("alice", *people, *members)))
    for board, member in zip(boards(), members, strict=True):
        simulator.write(vectors.setting({"sender": member, "board": board}, simulator, people=()))
    return simulator


def _message(kind: type[Message]) -> Message:
    message: Message = values.smallest(kind)
    return message


@pytest.mark.parametrize("kind", messages(), ids=lambda kind: kind.__struct_config__.tag)
def test_everybody_else_is_refused(ledger: Simulator, kind: type[Message]) -> None:
    """A message built from the smallest values meets `kernel.1` exactly where `SENDERS` says so."""
    for number, case in enumerate(e for e in matrix() if e.message is kind):
        message = _message(kind)
        if case.board:
            proposal = names.random_like(f"{case}/{number}", 16)
            sent: Message = Propose(proposal, case.board, [encode(message)], ledger.time + HOUR)
        else:
            sent = message
        sender = f"member of {case.board}" if case.board else f"holder of {case.role}" if case.role else "alice"
        ledger.advance(60_000)
        result = ledger.send(sender, sent)
        assert result.reason is None, f"{case}: {result.reason}"
        assert (result.code == NOT_ENTITLED) == (not case.allowed), f"{case}: {result.code} {result.facts}"


def test_nobody_sends_what_says_nothing() -> None:
    """A message that names no sender is sent by nobody: deny by default."""
    assert all(Senders() != kind.SENDERS for kind in messages())
