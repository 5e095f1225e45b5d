"""A node makes the block that nobody asks for when something is due."""

import time
from pathlib import Path

from kerege.consensus.bodies import HOUR
from kerege.consensus.embedded import Answer, Busy, Submission
from kerege.kernel.errors import Expired, WrongSequence
from kerege.modules.services.keeper import CaseView
from kerege.node import ticking
from kerege.node.home import Home
from kerege.node.running import gateway
from kerege.node.ticking import Ticker
from kerege.node.workplace import create_dev_home, open_workplace
from kerege.testing.journey import Journey

MINUTES = 400 * 24 * HOUR
"""Longer than every term of the pack."""


def test_a_case_whose_term_passed_is_told_without_anybody_asking(
    tmp_path: Path,
) -> None:
    """The clock moves past every deadline; one tick later the ledger has said so."""
    now = [1_795_000_000_000]
    home = Home(tmp_path)
    create_dev_home(home, "kg", clock=lambda: now[0])
    with open_workplace(home, clock=lambda: now[0]) as workplace:
        journey = Journey(workplace)
        values = next(e for e in workplace.pack.service("birth").examples if e.name == "plain").values
        office = journey.offices["maternity"]
        opened, case, _ = journey.desk.begin("birth", "notify", office, values)
        journey.send(journey.official(office, "midwife"), opened)
        height = workplace.ledger.door.head().height
        told: list[str] = []
        ticker = Ticker(told.append)

        def tick() -> None:
            ticker.tick(workplace.ledger, lambda: gateway(home))

        tick()
        assert workplace.ledger.door.head().height == height, "nothing is due yet"

        now[0] += MINUTES
        tick()
        assert workplace.ledger.door.head().height == height + 1
        row = workplace.ledger.door.context().use(CaseView).case(case)
        assert row.due < now[0]
        tick()
        assert workplace.ledger.door.head().height == height + 1, "told once"
        assert told == []


def test_a_node_without_a_quorum_goes_on_with_its_other_work(tmp_path, monkeypatch):
    """One tick waits, nobody waits for it, and the next one goes when that has come to an end."""
    now = [1_795_000_000_000]
    home = Home(tmp_path)
    create_dev_home(home, "kg", clock=lambda: now[0])
    with open_workplace(home, clock=lambda: now[0]) as workplace:
        engine = workplace.ledger.engine
        sent, told = list[Submission](), list[str]()
        monkeypatch.setattr(ticking, "next_due", lambda *_: now[0])
        monkeypatch.setattr(ticking, "WAIT_SECONDS", 0.05)

        def submit(_raws: list[bytes]) -> Submission:
            sent.append(Submission(1))
            return sent[-1]

        def busy(_raws: list[bytes]) -> Submission:
            raise Busy(1, 1)

        ticker = Ticker(told.append)

        def tick() -> None:
            ticker.tick(workplace.ledger, lambda: gateway(home))

        monkeypatch.setattr(engine, "submit", busy)
        tick()
        monkeypatch.setattr(engine, "submit", submit)
        began = time.monotonic()
        for _ in range(5):
            tick()
        assert time.monotonic() - began < 2
        assert len(sent) == 1
        sent[0].answer(0, Answer(bytes(32), None, 0, 0, Expired(valid_until=1, time=2)))
        tick()
        for _ in range(3):
            tick()
            sent[-1].answer(0, Answer(bytes(32), None, 0, 0, WrongSequence(lane=0, sequence=1, expected=2)))
            tick()
        assert len(sent) == 4
        assert ["kernel.23" in told[0], "kernel.27" in told[1]] == [True, True]
        assert len(told) == 2, "each reason once"
        monkeypatch.undo()
        height = workplace.ledger.door.head().height
        monkeypatch.setattr(ticking, "next_due", lambda *_: now[0])
        tick()
        assert workplace.ledger.door.head().height == height + 1
