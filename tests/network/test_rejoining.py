"""Who lost its disk begins anew only where the others can tell at which height it may have voted."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kerege.node.home import HomeError
from kerege.node.network.layout import Member, Network
from kerege.node.network.rejoining import rejoin
from kerege.testing.network import create

pytestmark = pytest.mark.engine


@contextmanager
def answering(network: Network, **heights: int) -> Iterator[None]:
    """Members that answer, each with a height of its own."""
    with ExitStack() as stack:
        for name, height in heights.items():
            stack.enter_context(standing(network.find(name), height))
        yield


@contextmanager
def standing(member: Member, height: int, **more: Any) -> Iterator[None]:
    """An engine of such a height; `more`: what else it answers, by method."""
    sync = {"latest_block_height": str(height), "latest_app_hash": "", "catching_up": False, "latest_block_time": ""}
    plain = {"status": {}, "net_info": {"n_peers": "3"}, "num_unconfirmed_txs": {"total": "0"}}
    results: dict[str, Any] = {**plain, **more}
    results["status"] = {"sync_info": sync, **results["status"]}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"id": asked["id"], "result": results[asked["method"]]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not worth a line."""

    server = ThreadingHTTPServer((member.host, member.rpc), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def test_a_member_votes_again_only_above_what_it_may_have_signed(tmp_path):
    network = create(tmp_path, ["somebody"])
    lost, behind, *others = (member.name for member in network.validators)
    signed = network.engine(network.find(lost)) / "data" / "priv_validator_state.json"
    before = signed.read_bytes()
    for few in ({}, {"node": 90}, {behind: 50}, {behind: 50, "node": 50}):
        with answering(network, **few), pytest.raises(HomeError, match="a third of them"):
            rejoin(network, network.find(lost))
    with answering(network, **{lost: 9, behind: 50}), pytest.raises(HomeError, match="runs"):
        rejoin(network, network.find(lost))
    assert signed.read_bytes() == before
    with answering(network, **{behind: 50, others[0]: 100}):
        assert rejoin(network, network.find(lost)) == 102
    assert json.loads(signed.read_bytes()) == {"height": "102", "round": 0, "step": 3}


@pytest.mark.parametrize("others", [1, 2])
def test_where_all_must_vote_nobody_may_be_silent(tmp_path, others):
    """Of two or three validators all decide: silent for two heights it would be so for ever."""
    network = create(tmp_path, ["somebody"], validators=["bank", "courts", "ministry"][: others + 1])
    lost, *left = network.validators
    with (
        answering(network, **{each.name: 50 for each in left}),
        pytest.raises(HomeError, match=r"bank silent, up to height 52, .* run it with --after-halt ask"),
    ):
        rejoin(network, lost)
    assert (network.home(lost).path / "store").is_dir()


def test_who_lost_its_keys_as_well_is_told_and_nothing_is_emptied(tmp_path):
    network = create(tmp_path, ["somebody"])
    lost, *others = network.validators
    secrets = [network.home(lost).secrets / "checkpoint.key", network.engine(lost) / "config" / "config.toml"]
    with answering(network, **{each.name: 50 for each in others}):
        for path in secrets:
            kept = path.read_bytes()
            path.unlink()
            with pytest.raises(HomeError, match=rf"restore [^,]*{path.name} from"):
                rejoin(network, lost)
            path.write_bytes(kept)
        assert (network.home(lost).path / "store").is_dir()
        assert rejoin(network, lost) == 52


def test_an_engine_that_listens_and_says_nothing_runs(tmp_path):
    network = create(tmp_path, ["somebody"])
    lost, *others = network.validators
    paused = socket.create_server((lost.host, lost.rpc))
    with paused, answering(network, **{each.name: 50 for each in others}), pytest.raises(HomeError, match="runs"):
        rejoin(network, lost)


def test_an_empty_home_of_a_validator_says_how_it_begins_anew(tmp_path):
    network = create(tmp_path, ["somebody"])
    home = network.home(network.validators[0])
    home.about.unlink()
    with pytest.raises(HomeError, match=f"kerege network rejoin bank --home {tmp_path}` begins it anew"):
        home.read_about()


def remember(network: Network, member: Member, height: int, **more: str) -> None:
    memory = {"height": str(height), "round": 0, "step": 3, **more}
    (network.engine(member) / "data" / "priv_validator_state.json").write_text(json.dumps(memory))


def test_a_memory_of_votes_that_is_there_is_kept_and_an_old_one_is_not(tmp_path):
    network = create(tmp_path, ["somebody"])
    lost, *others = network.validators
    with answering(network, **{each.name: 50 for each in others}):
        remember(network, lost, 51, signature="c2lnbmVk")
        assert rejoin(network, lost) == 51
        kept = network.engine(lost) / "data" / "priv_validator_state.json"
        assert json.loads(kept.read_bytes())["signature"] == "c2lnbmVk"
        remember(network, lost, 49, signature="c2lnbmVk")
        assert rejoin(network, lost) == 52


def test_two_that_begin_anew_at_once_would_stop_the_ledger_for_ever(tmp_path):
    """Of four, three decide: while one is silent until it votes again, no other may become so."""
    network = create(tmp_path, ["somebody"])
    first, second, *others = network.validators
    with answering(network, **{each.name: 50 for each in others}):
        assert rejoin(network, first) == 52
        with pytest.raises(HomeError, match="bank began anew and does not vote yet: with courts silent too"):
            rejoin(network, second)
    with answering(network, **{each.name: 52 for each in others}):
        assert rejoin(network, second) == 54
