"""Snapshots are made beside a member that runs: by a process of their own, one at a time, also after a restart."""

import subprocess
import sys
from pathlib import Path

import pytest

from kerege.consensus.snapshots.shelf import Shelf
from kerege.node.home import Home
from kerege.node.replica import create_replica
from kerege.node.snapshots import Maker
from kerege.storage.rocks import RocksStore
from kerege.testing.members import wait_for
from tests.consensus.test_replica import GENESIS, START, begun, decide, pay


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "member")
    create_replica(home, GENESIS, nation="kg", dev=True)
    return home


def test_a_member_goes_on_while_its_snapshot_is_made(home):
    shelf = Shelf(home.snapshots)
    with RocksStore(home.path) as store, Maker(home, shelf, 10) as maker:
        each = begun(store)
        for height in range(1, 26):
            decide(each, height, pay("alice", height - 1), time=START + height)
            maker.on_block(height)
        wait_for(lambda: 10 in shelf.heights())


def test_one_that_a_stop_left_out_is_made_at_the_next_start(home):
    shelf = Shelf(home.snapshots)
    with RocksStore(home.path) as store, Maker(home, shelf, 10) as maker, Maker(home, shelf, 0) as never:
        each = begun(store)
        for height in range(1, 26):
            decide(each, height, pay("alice", height - 1), time=START + height)
        never.at_start(store)
        never.on_block(30)
        maker.at_start(store)
        wait_for(lambda: shelf.heights() == [20])
        maker.at_start(store)


def test_a_height_that_cannot_be_made_is_told(home):
    command = [sys.executable, "-m", "kerege.node.snapshots", "--home", str(home.path), "--height", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "no snapshot of height 7: this store is not at height 7 yet\n"


def test_a_member_goes_on_where_no_process_can_be_started(home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", str(home.path / "nothing"))
    with RocksStore(home.path) as store, Maker(home, Shelf(home.snapshots), 10) as maker:
        each = begun(store)
        for height in range(1, 21):
            decide(each, height, pay("alice", height - 1), time=START + height)
            maker.on_block(height)
        maker.at_start(store)
    assert capsys.readouterr().err.count("is left out") == 3
