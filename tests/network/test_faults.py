"""Members of a running network fail, as machines and lines do: nothing acknowledged is lost, nothing happens twice."""

import os
import shutil
import time

import pytest

from kerege.consensus import rows
from kerege.consensus.snapshots.shelf import Shelf
from kerege.node.network.layout import Member
from kerege.node.network.pair import Commands
from kerege.node.network.rejoining import rejoin
from kerege.storage.rocks import RocksStore
from kerege.testing.byzantine import WAYS
from kerege.testing.network import (
    VALIDATORS,
    Load,
    Running,
    Wires,
    check_stores,
    create,
    plain_commands,
)

pytestmark = pytest.mark.engine

PEOPLE = [f"person-{number}" for number in range(20)]
LONG = bool(os.environ.get("KEREGE_LONG"))
"""The full times of the fault table: minutes instead of seconds."""
PAUSE, AWAY, PARTED = (20, 300, 20) if LONG else (6, 8, 6)
BACK = 10.0
"""Seconds within which there are blocks again."""


def test_killed_paused_and_stopped(tmp_path):
    """One story, because a network takes seconds to start: the load goes on through all of it."""
    network = create(tmp_path, PEOPLE)
    with Running(network, plain_commands) as running, Load(network, PEOPLE) as load:

        def goes_on() -> None:
            done = len(load.acknowledged)
            running.until(lambda: len(load.acknowledged) > done + len(PEOPLE))

        goes_on()
        for part in (0, 1):  # application, engine
            running.kill("courts", part)
            goes_on()
        with running.paused("bank"):
            time.sleep(PAUSE)
            goes_on()
        goes_on()
        for name in ("bank", "treasury"):
            running.pair(name).close()
        time.sleep(1)
        before = max(running.heights())
        time.sleep(AWAY)
        assert max(running.heights()) <= before + 1, "two of four decide nothing"
        for name in ("bank", "treasury"):
            running.pair(name).open()
        assert running.until(lambda: max(running.heights()) > before + 1, BACK) < BACK
        goes_on()
        load.end()
        running.come_to_rest()
    assert load.faults == []
    check_stores(network, list(load.acknowledged), PEOPLE)


def test_cut_off_and_put_together_again(tmp_path):
    """One cut off: the others go on. Two against two: nobody does, and no fork; then all go on together."""
    with Wires(5) as wires:
        network = create(tmp_path, PEOPLE, host=wires.host)
        with Running(network, wires.commands(network)) as running, Load(network, PEOPLE) as load:

            def goes_on() -> None:
                done = len(load.acknowledged)
                running.until(lambda: len(load.acknowledged) > done + len(PEOPLE))

            goes_on()
            with wires.parted([0]):
                time.sleep(PARTED)
                goes_on()
            goes_on()
            with wires.parted([0, 1]):
                time.sleep(3)
                before = max(running.heights())
                time.sleep(PARTED)
                assert max(running.heights()) <= before + 1, "neither half has two thirds"
            goes_on()
            running.until(lambda: min(running.heights()) > before)
            load.end()
            running.come_to_rest()
        assert load.faults == []
        check_stores(network, list(load.acknowledged), PEOPLE)


@pytest.mark.parametrize("way", ["blocks", "a snapshot"])
def test_a_lost_disk(tmp_path, way):
    """A member that lost its ledger and its engine's blocks, and kept its keys, comes to where the others are."""
    network = create(tmp_path, PEOPLE)
    every = 20 if way == "a snapshot" else 0

    def commands(member: Member) -> Commands:
        plain = plain_commands(member)
        more = ["--snapshot-every", str(every)] if member.votes else []
        return Commands([*plain.application, *more], plain.engine)

    with Running(network, commands) as running, Load(network, PEOPLE) as load:
        running.until(lambda: len(load.acknowledged) > 5 * len(PEOPLE))
        others = [network.home(member) for member in network.validators if member.name != "courts"]
        running.until(lambda: not every or all(Shelf(home.snapshots).heights() for home in others))
        lost = running.pair("courts")
        lost.close()
        for gone in (network.home(lost.member).path / "store", network.engine(lost.member) / "data"):
            shutil.rmtree(gone)
        done = len(load.acknowledged)
        running.until(lambda: len(load.acknowledged) > done + 2 * len(PEOPLE))
        rejoin(network, lost.member)
        lost.open()
        running.until(lambda: bool(running.heights()[1]))
        done = len(load.acknowledged)
        with running.paused("bank"):
            running.until(lambda: len(load.acknowledged) > done + 2 * len(PEOPLE))
        load.end()
        running.come_to_rest()
    assert load.faults == []
    check_stores(network, list(load.acknowledged), PEOPLE)
    with RocksStore(network.home(network.find("courts")).path) as store:
        assert (rows.read_joined(store) is not None) == bool(every), "it came by the way that was asked for"


def test_a_proposer_that_lies(tmp_path):
    """Malformed, oversized, duplicate, expired, badly signed, reordered: refused, or harmless when it is executed."""
    network = create(tmp_path, PEOPLE)

    def commands(member: Member) -> Commands:
        plain = plain_commands(member)
        if member.name != VALIDATORS[0]:
            return plain
        return Commands(["kerege.testing.byzantine", *plain.application[1:]], plain.engine)

    told = network.logs(network.find(VALIDATORS[0]))[0]
    with Running(network, commands) as running, Load(network, PEOPLE) as load:
        running.until(lambda: all(f": {way.__name__}, " in told.read_text() for way in WAYS))
        load.end()
        running.come_to_rest()
    assert load.faults == []
    check_stores(network, list(load.acknowledged), PEOPLE)
    assert not any("start again" in told for told in running.told), running.told
