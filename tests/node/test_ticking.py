"""A node makes the block that nobody asks for when something is due."""

from pathlib import Path

from kerege.modules.services.keeper import CaseView
from kerege.node.home import Home
from kerege.node.wiring import NodeWiring
from kerege.node.workplace import create_dev_home, open_workplace
from kerege.testing.journey import HOUR, Journey

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
        wiring = NodeWiring()

        wiring._tick(workplace.ledger)
        assert workplace.ledger.door.head().height == height, "nothing is due yet"

        now[0] += MINUTES
        wiring._tick(workplace.ledger)
        assert workplace.ledger.door.head().height == height + 1
        row = workplace.ledger.door.context().use(CaseView).case(case)
        assert row.due < now[0]
        wiring._tick(workplace.ledger)
        assert workplace.ledger.door.head().height == height + 1, "told once"
