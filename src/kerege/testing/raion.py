"""A fictitious raion with a past of sixty days, made by ordinary signed transactions: what `make up` shows.

Two hundred births move in from an old registry; new ones are notified, declared, accepted, registered and refused;
some cases wait, one is overdue, one has its clock stopped. Block times go with the story: only the block maker of a
dev home takes its clock from outside.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace

from kerege.consensus.embedded import wall_clock
from kerege.dossiers.controller import Controller
from kerege.gateways.extracts.doing import open_wanted, run_import
from kerege.gateways.extracts.importer import Importer
from kerege.gateways.extracts.wanted import Wanted
from kerege.modules.services.messages import Suspend
from kerege.node import devkeys
from kerege.node.home import Home
from kerege.node.importing import IMPORTS, ROLE, setting_of
from kerege.node.ledger import Ledger
from kerege.node.ledger_view import DoorView
from kerege.node.pack.types import Example
from kerege.node.workplace import Workplace, create_dev_home, furnish, open_workplace
from kerege.testing import extracts
from kerege.testing.journey import Journey, Played
from kerege.testing.signers import Ed25519Signer

DAY = 24 * 3_600_000
PAST = 60 * DAY
OLD_BIRTHS = 200
SEED = 1
MATERNITY, CENTRE, REGISTRY = "РД-708203", "ЦОН-708203", "ЗАГС-708203"
SHOWN = ("child.surname", "child.given_names", "birth.date")
Tell = Callable[[str], None]


class Clock:
    """The block maker's clock while the past is made."""

    def __init__(self, time: int) -> None:
        self.time = time

    def __call__(self) -> int:
        """Now, in the story; every look takes a second."""
        self.time += 1_000
        return self.time

    def move(self, days: float) -> None:
        """Let days pass."""
        self.time += int(days * DAY)


@dataclass(frozen=True, slots=True)
class Raion:
    """What a visitor is shown of the past."""

    case: str
    """A live case, hex."""
    name: str
    """A child's name that stands in an act and nowhere on the ledger."""


def seed(home: Home, public: Path, tell: Tell, *, now: Callable[[], int] = wall_clock) -> Raion:
    """Make the raion in a fresh home; leaves certificate.json and trust.json in `public`.

    That folder is none of the home's: the certificate shows names, and no file of a home does.
    """
    clock = Clock(now() - PAST)
    create_dev_home(home, "kg", clock=clock)
    with open_workplace(home, clock=clock) as workplace:
        journey = Journey(workplace)
        tell(f"{OLD_BIRTHS} births move in from an old registry")
        _move_in(home, workplace, clock)
        journey.receive_blanks(REGISTRY, "ЖТ", 1, 50)

        def play(name: str, steps: int | None = None) -> Played:
            return journey.play("birth", _example(workplace, name, clock), steps=steps)

        play("plain", 2)  # nobody at the ЦОН has taken it up since: overdue
        clock.move(20)
        tell("births are notified, declared, accepted, registered; one is refused")
        finished = play("plain")
        play("refusal-with-reasons")
        clock.move(30)
        for name in ("names-uulu-and-tegin", "foundling"):
            play(name)
        clock.move(8)
        stopped = play("plain", 3)
        journey.send(journey.official(REGISTRY, "registrar"), _stop(stopped.case))
        clock.time = max(clock.time, now() - DAY // 4)
        live = [play("plain", steps) for steps in (2, 3, 1, 3)]
        plain = _example(workplace, "plain", clock)
        _publish(public, journey, finished.case, finished.record, finished.papers[0])
        shutil.copy(home.trust, public / "trust.json")
        return Raion(live[1].case.hex(), plain.values["child.surname"])


def _stop(case: bytes) -> Suspend:
    return Suspend(case=case, office=REGISTRY, cause="registry-answer-awaited", blind=os.urandom(16))


def _example(workplace: Workplace, name: str, clock: Clock) -> Example:
    """An example of the pack as it would be on the story's day."""
    example = next(each for each in workplace.pack.service("birth").examples if each.name == name)
    today = datetime.fromtimestamp(clock.time / 1000, UTC).date()
    dates = {"birth.date": today - timedelta(days=3), "evidence.date": today - timedelta(days=2)}
    dated = {code: day.isoformat() for code, day in dates.items() if example.values.get(code)}
    return replace(example, values={**example.values, **dated})


def _publish(public: Path, journey: Journey, case: bytes, record: bytes | None, paper: tuple[bytes, bytes]) -> None:
    """A certificate for the visitor, with three fields disclosed after a look that is on the ledger."""
    public.mkdir(exist_ok=True)
    shown = {}
    if record is not None:
        shown = journey.look(journey.official(REGISTRY, "registrar"), record, case, REGISTRY, SHOWN)
    (public / "certificate.json").write_bytes(journey.bundle(*paper, list(shown.values())))


def _move_in(home: Home, workplace: Workplace, clock: Clock) -> None:
    """An extract of an old registry, imported as any other."""
    file, truth = home.path / "old-registry.csv", home.path / "old-registry.truth.csv"
    day = datetime.fromtimestamp(clock.time / 1000, UTC).date()
    extracts.write(file, truth, OLD_BIRTHS, SEED, today=day)
    name = next(name for name, _ in devkeys.list_keys(home) if name.endswith(ROLE))
    signer = Ed25519Signer(devkeys.read_key(home, name).seed)
    wanted = Wanted(file=file)
    pack = workplace.pack
    importer = Importer(
        workplace.door, workplace.controller, signer, setting_of(pack), home.path / IMPORTS, now=lambda: clock.time
    )
    run_import(importer, open_wanted(wanted, pack.extracts), pack.texts, wanted, lambda _done, _total: None)
    for path in (file, truth):
        path.unlink()  # no clear copy of a row stays


def notify(home: Home, ledger: Ledger, chance: Random) -> None:
    """One ordinary transaction of the raion: a birth is notified. The dossiers are open for this moment only.

    Raises `DossiersLocked` at once where another process has them open: the node has more to do than to wait.
    """
    with Controller.open(home.path, DoorView(ledger.door), patience=0) as controller:
        journey = Journey(furnish(home, ledger.door, controller, now=ledger.engine.now))
        today = datetime.fromtimestamp(ledger.engine.now() / 1000, UTC).date()
        values = {
            "child.sex": chance.choice(["female", "male"]),
            "birth.date": (today - timedelta(days=1)).isoformat(),
            "birth.place_country": "KG",
            "birth.place_territory": "41708203000000",
            "birth.plurality": "1",
            "birth.order": "1",
            "birth.outcome": "live",
        }
        opened, case, _ = journey.desk.begin("birth", "notify", MATERNITY, values)
        journey.send(journey.official(MATERNITY, "midwife"), opened, journey.desk.act(case, MATERNITY, "send"))
