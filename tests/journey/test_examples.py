"""Every example of the Kyrgyz pack that reaches an outcome walks through a real ledger and ends there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.modules.registries.state import UNIQUE
from kerege.modules.services.keeper import CaseView
from kerege.node.home import Home
from kerege.node.workplace import create_dev_home, open_workplace, read_nation
from kerege.testing.journey import Journey

PACK = read_nation("kg")
ENDED = [(s.definition.code, e) for s in PACK.services for e in s.examples if e.outcome]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A workplace of the pack, with blanks at hand."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    create_dev_home(home, "kg")
    with open_workplace(home) as workplace:
        played = Journey(workplace)
        for number, kind in enumerate(("zags", "consulate")):
            played.receive_blanks(played.offices[kind], "ЖТ", 1 + 100 * number, 100 + 100 * number)
        yield played


@pytest.fixture(scope="module")
def record(journey: Journey) -> bytes:
    """A registered birth."""
    plain = next(e for code, e in ENDED if code == "birth" and e.name == "plain")
    played = journey.play("birth", plain)
    assert played.record is not None
    return played.record


@pytest.mark.parametrize(("service", "name"), [(code, e.name) for code, e in ENDED])
def test_example_ends_as_told(journey: Journey, service: str, name: str) -> None:
    """The case ends in the outcome the domain expert wrote."""
    example = next(e for code, e in ENDED if (code, e.name) == (service, name))
    act = None
    if service != "birth":
        plain = next(e for code, e in ENDED if code == "birth" and e.name == "plain")
        act = journey.play("birth", plain).record
    played = journey.play(service, example, act)
    row = journey.workplace.ledger.door.context().use(CaseView).case(played.case)
    assert row.outcome == example.outcome
    assert journey.workplace.ledger.machine.full_invariants() == []


def test_an_act_of_an_old_registry_keeps_its_numbers(tmp_path: Path) -> None:
    """It holds the PIN and the act number that it says, under the keys that an import and a registration compare."""
    home = Home(tmp_path)
    create_dev_home(home, "kg")
    example = next(e for code, e in ENDED if (code, e.name) == ("birth-import-review", "accepted"))
    with open_workplace(home) as workplace:
        journey = Journey(workplace)
        prf = workplace.controller.uniqueness.key
        values = [example.values[name] for name in ("act.office", "act.year", "act.number")]
        keys = {prf("birth", "act", *values), prf("birth", "pin", example.values["child.pin"])}
        played = journey.play("birth-import-review", example)
        assert played.papers == [], "its paper was given out long ago"
        assert {key for key, _ in workplace.ledger.door.context().scan(UNIQUE)} == keys
