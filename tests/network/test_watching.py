"""What an operator sees of a member: figures that count what happened, health that is a height that moves, a log."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client.parser import text_string_to_metric_families

from kerege.consensus.cometbft import messages as m
from kerege.consensus.embedded import wall_clock
from kerege.kernel.transaction import Body
from kerege.modules.bank.messages import Transfer
from kerege.node.home import Home, HomeError
from kerege.node.logs import Log
from kerege.node.network.layout import Member, Network
from kerege.node.network.status import status_of
from kerege.node.replica import create_replica, open_replica
from kerege.node.watching.health import STALL
from kerege.node.watching.member import watched
from kerege.node.watching.page import served
from kerege.node.watching.place import Place
from kerege.testing import names
from kerege.testing.network import (
    CURRENCY,
    HOUR,
    LEDGER,
    Load,
    Running,
    create,
    genesis_of_people,
    plain_commands,
)

ROOT = Path(__file__).parents[2]
PEOPLE = ["alice", "bob", "carol"]
TOO_MUCH = 10**12
NOWHERE = "http://127.0.0.1:1"


def free() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def figures(text: str) -> dict[str, float]:
    """Every value by its name and what distinguishes it."""
    return {
        sample.name + "".join(f" {value}" for name, value in sample.labels.items() if name != "le"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def get(url: str, method: str = "GET") -> tuple[int, str]:
    try:
        with urlopen(Request(url, method=method), timeout=10) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


def pay(sender: str, sequence: int = 0, amount: int = 5) -> bytes:
    signer = names.signer(sender)
    message = Transfer(names.address("carol"), CURRENCY, amount)
    return signer.transaction(Body(LEDGER, signer.address, 0, sequence, wall_clock() + HOUR, bytes(16), [message]))


# One member without its engine


@contextmanager
def member(home: Home, port: int) -> Iterator[tuple[object, str]]:
    """A replica under watch."""
    if not home.about.exists():
        create_replica(home, genesis_of_people(LEDGER, PEOPLE), nation="kg", dev=True)
    log = Log("bank")
    with open_replica(home, log.alarm) as replica, watched(replica, log, Place(f"127.0.0.1:{port}", NOWHERE)):
        if replica.machine.head is None:
            replica.begin(genesis_of_people(LEDGER, PEOPLE))
        yield replica, f"http://127.0.0.1:{port}"


def decide(replica, height: int, *txs: bytes) -> None:
    time = Timestamp(seconds=wall_clock() // 1_000)
    replica.finalize_block(m.RequestFinalizeBlock(height=height, txs=txs, time=time))
    replica.commit(m.RequestCommit())


def test_figures_count_what_became_of_each_transaction(tmp_path):
    with member(Home(tmp_path), free()) as (replica, url):
        first = pay("alice")
        decide(replica, 1, first, pay("bob", amount=TOO_MUCH), b"junk", pay("alice", 9), first)
        decide(replica, 2)
        told = figures(get(f"{url}/metrics")[1])
    assert told["kerege_transactions_total applied"] == 1
    assert told["kerege_transactions_total refused"] == 1
    assert told["kerege_transactions_total not_a_transaction"] == 3
    assert (told["kerege_blocks_total full"], told["kerege_blocks_total empty"]) == (1, 1)
    assert told["kerege_block_bytes_sum"] > 2 * len(first)
    assert told["kerege_block_weight_sum"] >= 2
    assert told["kerege_signatures_total"] == 4
    assert told["kerege_ledger_height"] == 2
    assert 0 <= told["kerege_ledger_block_age_seconds"] < 30


def test_it_goes_on_where_it_was_after_a_restart(tmp_path):
    port = free()
    with member(Home(tmp_path), port) as (replica, _):
        decide(replica, 1, pay("alice"))
    with member(Home(tmp_path), port) as (_, url):
        told = figures(get(f"{url}/metrics")[1])
        assert told["kerege_ledger_height"] == 1
        assert told["kerege_ledger_block_time_seconds"] > time.time() - 60
        assert told["kerege_transactions_total applied"] == 0, "counted since this process began"


def test_without_its_engine_a_member_lives_and_is_not_ready(tmp_path):
    with member(Home(tmp_path), free()) as (_, url):
        assert get(f"{url}/health/live") == (200, '{"status": "live"}\n')
        status, raw = get(f"{url}/health/ready")
        told = json.loads(raw)
        assert status == 503
        assert (told["status"], told["waiting"], told["height"]) == ("not ready", None, 0)
        assert told["reason"] == f"the engine at {NOWHERE} does not answer"
        known = figures(get(f"{url}/metrics")[1])
        assert known["kerege_ready"] == 0
        assert "kerege_pending_transactions" not in known, "nobody knows"


def test_the_page_shows_three_things_and_takes_nothing(tmp_path):
    with member(Home(tmp_path), free()) as (_, url):
        assert get(f"{url}/")[0] == 404
        assert get(f"{url}/metrics/../health")[0] == 404
        assert get(f"{url}/health/live", "HEAD") == (200, "")
        for method in ("POST", "PUT", "DELETE"):
            assert get(f"{url}/metrics", method)[0] == 501


@pytest.mark.parametrize("place", ["127.0.0.1:{taken}", "127.0.0.1:99999", "127.0.0.1", "nowhere", "192.0.2.1:1"])
def test_an_address_where_nobody_can_listen_is_refused(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = pytest.raises(HomeError, match="choose another --watch")
        with refused, served(place.format(taken=taken.getsockname()[1]), {}):
            raise AssertionError("it was served")


def test_a_member_that_cannot_be_watched_does_not_start(tmp_path):
    create_replica(Home(tmp_path), genesis_of_people(LEDGER, PEOPLE), nation="kg", dev=True)
    words = ["--home", tmp_path, "--socket", tmp_path / "s", "--watch", "127.0.0.1:99999", NOWHERE]
    done = subprocess.run(
        [sys.executable, "-m", "kerege.node.replica", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["level"] == "error"
    assert "choose another --watch" in last["text"]


# A network


def watch(network: Network, name: str) -> str:
    told = status_of(network.find(name))["watch"]
    assert isinstance(told, str)
    return told


def agreed(network: Network) -> bool:
    """Whether applications and engines name one app hash: an engine does with the block after."""
    told = {json.loads(get(f"{watch(network, each.name)}/health/ready")[1])["app_hash"] for each in network.members}
    return told == {status_of(each)["app_hash"] for each in network.members}


@pytest.mark.engine
def test_a_network_under_watch(tmp_path):
    """One story, because a network takes seconds to start: one that votes, and the node beside it."""
    network = create(tmp_path, PEOPLE, validators=["bank"])
    with Running(network, plain_commands) as running:
        with Load(network, PEOPLE) as load:
            running.until(lambda: len(load.acknowledged) > 5 * len(PEOPLE))
            load.end()
        running.until(lambda: agreed(network))
        for name in ("bank", "node"):
            url = watch(network, name)
            told = figures(get(f"{url}/metrics")[1])
            assert told["kerege_transactions_total applied"] == len(load.acknowledged)
            assert told["kerege_abci_seconds_count commit"] == told["kerege_ledger_height"]
            assert told["kerege_ready"] == 1
            status, raw = get(f"{url}/health/ready")
            health = json.loads(raw)
            assert (status, health["status"], health["catching_up"]) == (200, "ready", False)
        engine = get(f"http://127.0.0.1:{network.find('bank').metrics}/metrics")[1]
        check_page(get(f"{watch(network, 'bank')}/metrics")[1], get(f"{watch(network, 'node')}/metrics")[1], engine)
        stop_the_only_one_that_votes(running, network)
    for each in network.members:
        check_log(network, each)


def check_page(validator: str, node: str, engine: str) -> None:
    """The page for operators names every figure of ours, and none that is not there."""
    page = (ROOT / "docs/operating/watching.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`((?:kerege|cometbft)_\w+)`", page))
    known = {family.name for text in (validator, node) for family in text_string_to_metric_families(text)}
    ours = {name for name in known if name.startswith("kerege_") and not name.endswith(("_created", "_info"))}
    assert {name.removesuffix("_total") for name in told if name.startswith("kerege_")} == ours
    assert [name for name in told if name.startswith("cometbft_") and name not in engine] == []


def stop_the_only_one_that_votes(running: Running, network: Network) -> None:
    """Transactions wait and no block comes: who waits for blocks says that it is not ready; afterwards it is again."""
    engine, node = running.pair("bank").processes()[1], watch(network, "node")
    os.kill(engine, signal.SIGSTOP)
    try:
        assert get(f"{watch(network, 'bank')}/health/live")[0] == 200
        assert json.loads(get(f"{watch(network, 'bank')}/health/ready")[1])["waiting"] is None
        with Load(network, PEOPLE) as load:
            running.until(lambda: get(f"{node}/health/ready")[0] == 503, STALL + 15)
            reason = json.loads(get(f"{node}/health/ready")[1])["reason"]
            assert "transactions wait" in reason
            os.kill(engine, signal.SIGCONT)
            running.until(lambda: get(f"{node}/health/ready")[0] == 200)
            running.until(lambda: bool(load.acknowledged))
    finally:
        os.kill(engine, signal.SIGCONT)


def check_log(network: Network, member: Member) -> None:
    """Every line of an application is an object that says when, how grave, who."""
    lines = network.logs(member)[0].read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert {"time", "level", "member", "text"} <= set(json.loads(line))
