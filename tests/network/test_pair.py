"""What a pair writes does not fill the disk; one that is full ends no pair for good."""

import time
from pathlib import Path

import pytest

from kerege.node.network import pair as module
from kerege.node.network import supervisor
from kerege.node.network.layout import Member, Network
from kerege.node.network.pair import Commands, Pair
from kerege.node.network.status import statuses
from kerege.testing.network import Running, create, plain_commands


def test_a_log_that_has_grown_is_set_aside_while_it_is_written(tmp_path: Path, monkeypatch) -> None:
    """Who writes it has it open, at its end: the next line is the first of the new one."""
    monkeypatch.setattr(module, "LOG_LIMIT", 100)
    member = Member("bank", votes=True, peers=1, rpc=2, metrics=3)
    network = Network(tmp_path, "kg-test", "kg", (member,))
    pair = Pair(network, member, Commands(["nothing"], ["nothing"]), tmp_path)
    log = network.logs(member)[1]
    log.parent.mkdir(parents=True)
    with log.open("ab") as open_log:
        open_log.write(b"old " * 30)
        open_log.flush()
        pair._set_logs_aside()
        assert (log.read_bytes(), log.with_suffix(".log.1").read_bytes()) == (b"", b"old " * 30)
        open_log.write(b"new")
        open_log.flush()
    assert log.read_bytes() == b"new"
    pair._set_logs_aside()
    assert log.read_bytes() == b"new"


def test_what_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """The folder of its logs cannot be made, as on a full disk: that is told, and waited for."""
    member = Member("bank", votes=True, peers=1, rpc=2, metrics=3)
    network = Network(tmp_path, "kg-test", "kg", (member,))
    pair = Pair(network, member, Commands(["nothing"], ["nothing"]), tmp_path)
    folder = network.logs(member)[0].parent
    key = network.engine(member) / "config" / "priv_validator_key.json"
    key.parent.mkdir(parents=True)
    told = pair.tend()
    assert "the key of its votes, is lost" in told, "the engine would draw another one, and say nothing"
    assert "start again in 1.0 s" in told, "and it waits longer each time"
    key.write_text("{}")
    pair.open()
    folder.write_text("in the way")
    assert "could not be started" in pair.tend()
    assert pair.tend() == "", "it waits"


@pytest.mark.engine
def test_a_network_that_decides_nothing_is_started_anew(tmp_path: Path, monkeypatch) -> None:
    """Its processes live and answer, transactions wait, no block comes: only the height shows it."""
    monkeypatch.setattr(supervisor, "WATCH_EVERY", 0.2)
    monkeypatch.setattr(supervisor, "STUCK", 2.0)
    waiting = [0]

    def stalled(members):
        return [{**status, "waiting": status["running"] and waiting[0]} for status in statuses(members)]

    monkeypatch.setattr("kerege.node.network.supervisor.statuses", stalled)
    network = create(tmp_path, ["somebody"], validators=("bank",), node=False)
    with Running(network, plain_commands) as running:
        running.until(lambda: running.pair("bank").runs)
        before = running.pair("bank").processes()
        time.sleep(4)
        assert running.pair("bank").processes() == before, "nothing waits: it idles"
        waiting[0] = 3
        running.until(lambda: "bank: its height stands at 1 while transactions wait" in " ".join(running.told))
        waiting[0] = 0
        running.until(lambda: running.pair("bank").runs and running.pair("bank").processes() != before)
