"""What a pair writes does not fill the disk."""

from pathlib import Path

from kerege.node.network import pair as module
from kerege.node.network.layout import Member, Network
from kerege.node.network.pair import Commands, Pair


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
