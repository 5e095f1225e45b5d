"""The machine's clock leaps by hours or years: a running node goes on by its own count, says so once, and nothing
waits for ever.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.cli.signing import KeySigner
from kerege.kernel.codec import decode
from kerege.kernel.receipts import Receipt
from kerege.node import devkeys
from kerege.node.clock import TOLERATED, SteadyClock, behind
from kerege.node.home import Home
from kerege.node.ledger import Ledger, open_ledger
from kerege.node.running import GATEWAY
from kerege.node.ticking import signed_tick
from kerege.node.workplace import create_dev_home

START = 1_795_000_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self) -> None:
        self.wall, self.running = START, 1_000
        self.told: list[str] = []
        self.clock = SteadyClock(self.told.append, lambda: self.wall, lambda: self.running)

    def wait(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.running += milliseconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def ledger(tmp_path: Path, machine: Machine) -> Iterator[Ledger]:
    """A dev ledger of this machine."""
    create_dev_home(Home(tmp_path), "kg", clock=lambda: START)
    with open_ledger(Home(tmp_path), clock=machine.clock) as opened:
        yield opened


def make_block(ledger: Ledger, now: int) -> int:
    """Somebody's transaction, by a clock of theirs that is right; the time of its block."""
    name = next(n for n, _ in devkeys.list_keys(ledger.home) if n.endswith(GATEWAY))
    signer = KeySigner(devkeys.read_key(ledger.home, name).seed)
    (answer,) = ledger.door.submit([signed_tick(ledger, signer, now)])
    assert answer.receipt is not None
    assert decode(answer.receipt, Receipt).code == ""
    return ledger.door.head().time


@pytest.mark.parametrize(("leap", "said"), [(YEAR, "ahead by 365 days"), (-YEAR, "back by 365 days"), (3 * HOUR, "3")])
def test_a_leap_leaves_block_time_where_it_was_and_is_told_once(machine, leap, said):
    machine.wait(HOUR)
    machine.wall += leap
    assert machine.clock() == START + HOUR
    machine.wait(HOUR)
    assert machine.clock() == START + 2 * HOUR
    assert len(machine.told) == 1
    assert all(word in machine.told[0] for word in (said, "set the clock right", "start the node again"))
    machine.wall -= leap
    assert machine.clock() == START + 2 * HOUR
    assert machine.told[1:] == ["the machine's clock is right again."]


def test_what_a_time_service_corrects_is_followed(machine):
    for step in (TOLERATED, -TOLERATED, TOLERATED):
        machine.wall += step
        assert machine.clock() == machine.wall
    assert machine.told == []


def test_a_ledger_goes_on_through_leaps_and_still_takes_what_right_clocks_sign(ledger, machine):
    for leap in (YEAR, -YEAR, 40 * YEAR, -40 * YEAR):
        machine.wall += leap
        machine.wait(HOUR)
        right = START + machine.running - 1_000
        assert make_block(ledger, right) == right


def test_a_clock_that_was_behind_at_the_start_stops_no_block(tmp_path, machine):
    """Block time stands still, and what is due by it is done."""
    create_dev_home(Home(tmp_path), "kg", clock=lambda: START + YEAR)
    with open_ledger(Home(tmp_path), clock=machine.clock) as ledger:
        head = ledger.door.head()
        assert "365 days behind" in behind(head.time, ledger.engine.now())
        assert make_block(ledger, machine.wall) == head.time
        assert ledger.door.head().height == head.height + 1
    assert behind(START, START - TOLERATED) == ""
