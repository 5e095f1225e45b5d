"""Members of a running network fail, as machines and lines do: nothing acknowledged is lost, nothing happens twice."""

import os
import time

import pytest

from kerege.testing.network import (
    Load,
    Running,
    check_stores,
    create,
    plain_commands,
)
from tools.engine import DEFAULT, installed

pytestmark = pytest.mark.skipif(DEFAULT not in installed(), reason="no CometBFT in .tools: make engine")

PEOPLE = [f"person-{number}" for number in range(20)]
LONG = bool(os.environ.get("KEREGE_LONG"))
"""The full times of the fault table: minutes instead of seconds."""
PAUSE, AWAY, PARTED = (20, 300, 20) if LONG else (6, 8, 6)
BACK = 10.0
"""Seconds within which there are blocks again."""


def alike(running: Running) -> bool:
    """All at one height with one hash, and nothing waits."""
    found = running.status()
    return len({(s["height"], s["app_hash"]) for s in found}) == 1 and not any(s["waiting"] for s in found)


def test_killed_paused_and_stopped(tmp_path):
    """One story, because a network takes seconds to start: the load goes on through all of it."""
    network = create(tmp_path, PEOPLE)
    with Running(network, plain_commands) as running, Load(network, PEOPLE) as load:

        def goes_on(seconds: float = BACK) -> None:
            done = len(load.acknowledged)
            running.until(lambda: len(load.acknowledged) > done + len(PEOPLE), seconds)

        goes_on(30)
        for part in (0, 1):  # application, engine
            running.kill("courts", part)
            goes_on(30)
        with running.paused("bank"):
            time.sleep(PAUSE)
            goes_on(30)
        goes_on(30)
        for name in ("bank", "treasury"):
            running.pair(name).close()
        time.sleep(1)
        before = max(running.heights())
        time.sleep(AWAY)
        assert max(running.heights()) <= before + 1, "two of four decide nothing"
        for name in ("bank", "treasury"):
            running.pair(name).open()
        assert running.until(lambda: max(running.heights()) > before + 1, BACK) < BACK
        goes_on(60)
        load.end()
        running.until(lambda: alike(running), 60)
    assert load.faults == []
    check_stores(network, list(load.acknowledged), PEOPLE)
