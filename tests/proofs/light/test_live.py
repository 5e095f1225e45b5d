"""The light client beside a real engine: what it answers is followed, what is changed in it is refused."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kerege.cli.engine import EngineRpc
from kerege.cli.wiring import CommandError
from kerege.proofs import Malformed, light
from kerege.proofs.light.moments import DAY
from kerege.testing.cometbft import Engine, Rpc
from kerege.testing.members import wait_for
from tools.engine import DEFAULT, ENGINES, binary, installed

RULES = light.Rules(DAY)
HEIGHTS = 6


pytestmark = pytest.mark.engine
ASKED = [each for each in ENGINES if each in installed() or each == DEFAULT or os.environ.get("CI") != "true"]
"""CI must have the default engine; the other one runs wherever it is installed."""


@pytest.fixture(scope="module", params=ASKED)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running engine with some blocks; the path of its RPC socket."""
    if request.param not in installed():
        pytest.skip(f"CometBFT {request.param} is not in .tools: make engine ENGINE={request.param}")
    home = tmp_path_factory.mktemp("engine") / "home"
    with Engine(binary(request.param), home, "kvstore") as started:
        rpc = started.start()
        for number in range(HEIGHTS):
            grow(rpc, number)
        yield home / "rpc"


def grow(rpc: Rpc, number: int) -> None:
    before = rpc.height()
    assert rpc.submit(b"k%d=v" % number) == 0
    wait_for(lambda: rpc.height() != before)


Change = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def forged(engine: Path) -> Iterator[Callable[[Change], EngineRpc]]:
    """An engine's RPC behind somebody who changes its answers."""
    change: list[Change] = []

    class Between(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            method, _, query = self.path.strip("/").partition("?")
            asked = {k: int(v) for k, v in (part.split("=") for part in query.split("&") if part)}
            answer = json.loads(EngineRpc(f"unix://{engine}").ask(method, **asked))
            change[0](method, answer["result"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def make(how: Change) -> EngineRpc:
        change[:] = [how]
        return EngineRpc(f"http://127.0.0.1:{server.server_address[1]}")

    yield make
    server.shutdown()
    server.server_close()
    thread.join()


def begin(engine: Path) -> tuple[EngineRpc, light.Trusted]:
    fetch = EngineRpc(f"unix://{engine}")
    first = fetch(1)
    begun = light.begin(fetch, first.header.chain, 1, first.header.hash)
    return fetch, light.Trusted(begun.header, begun.next_validators)


def test_a_real_chain_is_followed(engine: Path):
    fetch, trusted = begin(engine)
    done = light.follow(trusted, fetch, RULES, time.time_ns(), witnesses={"itself": fetch})
    assert done.block.header.height >= HEIGHTS
    assert done.confirmed_by == ("itself",)
    for height in range(2, HEIGHTS):
        assert light.follow(trusted, fetch, RULES, time.time_ns(), height=height).steps == (height,)
    with pytest.raises(light.NotShown):
        light.follow(trusted, fetch, RULES, time.time_ns(), height=10_000)


HEADER = ["chain_id", "height", "time", *(f"{name}_hash" for name in ("last_commit", "app", "data", "validators"))]


def changed(member: str, old: str) -> str:
    """Another value of the same form."""
    if member == "time":
        return f"{old[:-2]}{'2' if old[-2] == '1' else '1'}Z"
    known = {"chain_id": old + "x", "height": "4"}
    return known.get(member) or old.translate(str.maketrans("0123456789ABCDEF", "123456789ABCDEF0"))


@pytest.mark.parametrize("member", HEADER)
def test_a_changed_header_is_refused(engine: Path, forged: Callable[[Change], EngineRpc], member: str):
    def change(method: str, result: dict[str, Any]) -> None:
        if method == "commit":
            header = result["signed_header"]["header"]
            old = header[member]
            header[member] = changed(member, old)

    with pytest.raises((light.Invalid, Malformed)):
        light.follow(begin(engine)[1], forged(change), RULES, time.time_ns(), height=5)


def _swap_signature(commit: dict[str, Any]) -> None:
    signature = commit["signatures"][0]["signature"]
    commit["signatures"][0]["signature"] = ("B" if signature[0] != "B" else "C") + signature[1:]


def _raise_round(commit: dict[str, Any]) -> None:
    commit["round"] += 1


def _say_nil(commit: dict[str, Any]) -> None:
    commit["signatures"][0]["block_id_flag"] = 3


def _vote_twice(commit: dict[str, Any]) -> None:
    commit["signatures"] *= 2


def _other_parts(commit: dict[str, Any]) -> None:
    commit["block_id"]["parts"]["total"] += 1


@pytest.mark.parametrize("how", [_swap_signature, _raise_round, _say_nil, _vote_twice, _other_parts])
@pytest.mark.parametrize("height", [2, 5])
def test_a_changed_commit_is_refused(engine: Path, forged: Callable[[Change], EngineRpc], how, height: int):
    def change(method: str, result: dict[str, Any]) -> None:
        if method == "commit":
            how(result["signed_header"]["commit"])

    with pytest.raises(light.Invalid):
        light.follow(begin(engine)[1], forged(change), RULES, time.time_ns(), height=height)


@pytest.mark.parametrize("whose", [5, 6])
def test_changed_validators_are_refused(engine: Path, forged: Callable[[Change], EngineRpc], whose: int):
    def change(method: str, result: dict[str, Any]) -> None:
        if method == "validators" and result["block_height"] == str(whose):
            result["validators"][0]["voting_power"] = "11"

    with pytest.raises(light.Invalid):
        light.follow(begin(engine)[1], forged(change), RULES, time.time_ns(), height=5)


@pytest.mark.parametrize("url", ["", "127.0.0.1:26657", "ftp://host", "unix://", "http://", "http://host/?x=1"])
def test_addresses_that_are_none(url: str):
    with pytest.raises(CommandError):
        EngineRpc(url)


def test_nobody_there(tmp_path: Path):
    with pytest.raises(light.NotShown):
        EngineRpc(f"unix://{tmp_path / 'none'}")(1)
