"""The server under real engines: one validator, transactions in by RPC, kill −9 of either side, of both."""

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.consensus.cometbft import messages as m
from kerege.testing.cometbft import Engine, EngineError, Rpc
from tests.consensus.cometbft.kvstore import MALFORMED, OK, TAKEN, KeyValue, State
from tests.consensus.cometbft.test_server import start_process
from tools.engine import DEFAULT, ENGINES, binary, installed

IN_CI = os.environ.get("CI") == "true"
pytestmark = pytest.mark.engine
ASKED = [version for version in ENGINES if version in installed() or version == DEFAULT or not IN_CI]
"""CI must have the default engine; the other one runs wherever it is installed."""


@pytest.fixture(params=ASKED)
def engine_binary(request: pytest.FixtureRequest) -> Path:
    if request.param not in installed():
        pytest.skip(f"CometBFT {request.param} is not in .tools: make engine ENGINE={request.param}")
    return binary(request.param)


class Pair:
    """An engine and its application, each a process."""

    def __init__(self, engine_binary: Path, folder: Path) -> None:
        self.socket = folder / "s"
        self.file = folder / "state"
        self.engine = Engine(engine_binary, folder / "home", f"unix://{self.socket}")
        self.application: subprocess.Popen[str] | None = None
        self.rpc: Rpc | None = None

    def start(self) -> Rpc:
        """Start what does not run."""
        if self.application is None:
            self.application = start_process(f"unix://{self.socket}", self.file)
            while not self.socket.exists():
                time.sleep(0.01)
        if not self.engine.running:
            self.rpc = self.engine.start()
        assert self.rpc is not None
        return self.rpc

    def kill_application(self) -> None:
        if self.application is not None:
            self.application.kill()
            self.application.communicate()
            self.socket.unlink()
            self.application = None

    def stop_all(self) -> None:
        self.engine.kill()
        self.kill_application()


@pytest.fixture
def pair(engine_binary: Path, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(engine_binary, tmp_path)
    yield made
    made.stop_all()


def wait_for(rpc: Rpc, key: str) -> str:
    """The value of a key, once it is committed."""
    deadline = time.monotonic() + 120
    while (answer := rpc.query("", key.encode()))["code"] != 0:
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return _text(answer["value"])


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def committed(rpc: Rpc) -> State:
    return State.decode(_text(rpc.query("/all")["value"]).encode())


def test_transactions_go_in_and_are_read_back(pair):
    rpc = pair.start()
    assert rpc.call("abci_info")["response"]["data"] == "kv"
    assert [rpc.submit(b"k%d=%d" % (n, n)) for n in range(200)] == [OK] * 200
    assert wait_for(rpc, "k199") == "199"
    assert committed(rpc).pairs == {f"k{n}": str(n) for n in range(200)}
    assert rpc.submit(b"no pair") == MALFORMED
    assert rpc.submit(b"k7=again") == TAKEN


def test_a_large_transaction_goes_in_as_a_form(pair):
    rpc, raw = pair.start(), b"large=" + b"x" * 60_000
    assert rpc.hand_in("broadcast_tx_sync", raw)["result"]["code"] == OK
    assert "already exists in cache" in rpc.hand_in("broadcast_tx_sync", raw)["error"]["data"]
    assert rpc.hand_in("broadcast_tx_sync", b"no pair" * 2_000)["result"]["code"] == MALFORMED
    assert wait_for(rpc, "large") == "x" * 60_000


def test_killed_in_any_way_nothing_is_lost_and_nothing_comes_twice(pair):
    """Application, engine, both, in turn and under load; the state equals what a second application makes of it."""
    sent: list[bytes] = []
    for turn, victim in enumerate(["application", "engine", "both"] * 2):
        rpc = pair.start()
        done = b"done%d=1" % turn
        before = [tx for tx in sent if tx.partition(b"=")[0].decode() in committed(rpc).pairs]
        assert before == sent, "an earlier transaction is lost"
        for n in range(100):
            tx = b"t%d.%d=%d" % (turn, n, n)
            assert rpc.submit(tx) == OK
            sent.append(tx)
        assert rpc.submit(done) == OK
        wait_for(rpc, f"done{turn}")  # everything before it is committed
        for n in range(100):
            rpc.submit(b"late%d.%d=%d" % (turn, n, n))  # some are in a block that is being made when the kill comes
        kill(pair, victim)
    rpc = pair.start()
    state = committed(rpc)
    assert {tx.partition(b"=")[0].decode() for tx in sent} <= set(state.pairs)
    assert replayed(rpc, state.height).pairs == state.pairs


def kill(pair: Pair, victim: str) -> None:
    if victim in {"engine", "both"}:
        pair.engine.kill()
    if victim in {"application", "both"}:
        pair.kill_application()
    if victim == "application":
        pair.engine.end_within(5)


def replayed(rpc: Rpc, height: int) -> State:
    """The state that the blocks of the engine make, by the plain application without a server."""
    application = KeyValue()
    for at in range(1, height + 1):
        txs = rpc.call("block", height=str(at))["block"]["data"]["txs"] or []
        application.finalize_block(m.RequestFinalizeBlock(height=at, txs=[base64.b64decode(tx) for tx in txs]))
        application.commit(m.RequestCommit())
    return application.committed


def test_votes_are_extended_where_the_genesis_says_so(pair):
    path = pair.engine.home / "config" / "genesis.json"
    genesis = json.loads(path.read_text())
    genesis["consensus_params"]["abci"] = {"vote_extensions_enable_height": "1"}
    path.write_text(json.dumps(genesis))
    rpc = pair.start()
    for n in range(5):
        assert rpc.submit(b"v%d=1" % n) == OK
        wait_for(rpc, f"v{n}")
    asked = rpc.call("consensus_params", height="2")  # of the newest height the engine may not have written them yet
    assert int(asked["consensus_params"]["abci"]["vote_extensions_enable_height"]) == 1


def test_an_application_that_forgot_everything_is_given_it_again(pair):
    rpc = pair.start()
    rpc.submit(b"a=1")
    wait_for(rpc, "a")
    before = committed(rpc)
    pair.stop_all()
    pair.file.unlink()
    after = committed(pair.start())
    assert after.pairs == before.pairs
    assert after.height >= before.height


def test_an_application_ahead_of_its_engine_is_refused_by_name(pair):
    rpc = pair.start()
    rpc.submit(b"a=1")
    wait_for(rpc, "a")
    pair.stop_all()
    state = State.decode(pair.file.read_bytes())
    pair.file.write_bytes(State(state.height + 5, state.pairs).encode())
    with pytest.raises(EngineError, match="higher than core"):
        pair.start()


def test_a_failing_application_stops_both_and_is_named_in_both_logs(pair):
    rpc = pair.start()
    rpc.submit(b"a=1")
    wait_for(rpc, "a")
    pair.file.unlink()
    pair.file.mkdir()  # the next commit cannot replace it
    rpc.submit(b"b=2")
    assert pair.application is not None
    _, told = pair.application.communicate(timeout=20)
    pair.engine.end_within(5)
    assert "FATAL: the application failed in commit: IsADirectoryError" in told
    assert "the application failed in commit" in pair.engine.log.read_text()


def test_a_signal_between_blocks_loses_nothing(pair):
    rpc = pair.start()
    rpc.submit(b"a=1")
    wait_for(rpc, "a")
    assert pair.application is not None
    pair.application.send_signal(signal.SIGTERM)
    assert pair.application.wait(20) == 0
    pair.engine.end_within(5)
    pair.kill_application()
    assert committed(pair.start()).pairs == {"a": "1"}
