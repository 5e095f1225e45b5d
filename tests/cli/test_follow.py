"""`kerege follow`: a trust file brought up to date over the network, and what stops it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kerege import proofs
from kerege.cli import following
from kerege.proofs import Malformed, light
from kerege.proofs.light.moments import DAY
from kerege.proofs.light.rpc import read_commit, read_header, read_validator
from tests.cli.program import kerege
from tests.proofs.light.chain import commit_answer, validators_answer
from tests.proofs.light.ledger import FOUR, SETS, Ledger, signer
from tests.proofs.naive import LOG_KEY, trust

MOVED = Ledger(sets={1: FOUR, 12: {"a": 10, "b": 10, "c": 10, "e": 10}})


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    """The chain's own time, and no waiting for what never comes."""
    monkeypatch.setattr(time, "time_ns", lambda: MOVED.now)
    monkeypatch.setattr(following, "PATIENCE", 0.0)


@contextmanager
def serving(ledger: Ledger) -> Iterator[str]:
    """An engine and a node of a ledger under one address."""

    def engine(path: str, asked: dict[str, int]) -> bytes:
        height = asked.get("height", ledger.length)
        if path == "/commit":
            return commit_answer(ledger.fetch(height))
        if path != "/validators":
            raise light.NotShown(path)
        every = ledger.set(height).members
        page = every[(asked["page"] - 1) * 2 : asked["page"] * 2]  # two on a page, so that there are several
        answer = json.loads(validators_answer(ledger.set(height), height))
        answer["result"]["validators"] = [
            form for form, one in zip(answer["result"]["validators"], every, strict=True) if one in page
        ]
        return json.dumps(answer).encode()

    class Served(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            try:
                if parts.path.startswith("/api/v1/proofs/"):
                    module, table, key = parts.path.removeprefix("/api/v1/proofs/").split("/")
                    data = ledger.prove(f"{module}.{table}", int(key) if key.isdigit() else key)
                else:
                    data = engine(parts.path, {k: int(v[0]) for k, v in parse_qs(parts.query).items()})
            except light.NotShown as error:
                self.send_error(500, str(error))
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., object]:
    file = tmp_path / "trust.json"
    file.write_bytes(MOVED.trust())

    def run(rpc: str, *words: str | Path):
        return kerege("follow", "--trust", file, "--rpc", rpc, *words)

    return run


def test_the_new_file_names_the_newest_header_and_who_signs_then(follow, tmp_path):
    out = tmp_path / "new.json"
    with serving(MOVED) as rpc, serving(MOVED) as other:
        done = follow(rpc, "--node", rpc, "--witness", other, "--out", out, "--json")
    assert done.code == 0, done
    assert (done.json["height"], done.json["validators_changed_at"]) == (20, [12])
    assert done.json["confirmed_by"] == [other]
    assert [each[-9:] for each in done.json["keys"]] == [f"{name} with 10" for name in "abce"]
    written = proofs.trust.parse(out.read_bytes())
    assert written.chain is not None
    assert written.chain.hash == MOVED.header(20).hash
    with serving(replace(MOVED, length=25)) as rpc:
        again = kerege("follow", "--trust", out, "--rpc", rpc)
        assert again.code == 0, again
        assert "25" in again.out


def test_without_a_place_nothing_is_written(follow, tmp_path):
    before = sorted(tmp_path.iterdir())
    with serving(MOVED) as rpc:
        assert follow(rpc, "--node", rpc).code == 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_fork_is_told_and_kept(follow, tmp_path):
    evidence, twin = tmp_path / "both.json", replace(MOVED, salt="another history", salted_from=10)
    with serving(MOVED) as rpc, serving(twin) as other:
        done = follow(rpc, "--node", rpc, "--witness", other, "--evidence", evidence, "--out", tmp_path / "new.json")
    done.one_sentence("THE LEDGER HAS FORKED", str(evidence), code=1)
    assert not (tmp_path / "new.json").exists()
    kept = json.loads(evidence.read_bytes())
    assert (kept["format"], kept["witness"]) == ("kerege-fork/1", other)
    for name, ledger in (("shown", MOVED), ("other", twin)):
        forms = kept[name]
        voters = light.Validators(tuple(map(read_validator, forms["validators"])))
        block = light.LightBlock(read_header(forms["header"]), read_commit(forms["commit"]), voters, voters)
        assert block.header == ledger.header(20)
        light.check_commit(block)


def test_changed_validators_need_a_node(follow):
    with serving(MOVED) as rpc:
        follow(rpc).one_sentence("checkpoint keys need a proof", "--node")


def test_a_file_that_is_too_old(follow, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: MOVED.now + 20 * DAY)
    with serving(MOVED) as rpc:
        follow(rpc).one_sentence("older than the trusting period", "newer trust file", code=3)


def test_another_chain_and_nobody(follow, tmp_path):
    with serving(Ledger(chain="kg-other")) as rpc:
        follow(rpc).one_sentence("kg-other", code=1)
    with serving(MOVED) as rpc:
        other = f"unix://{tmp_path / 'none'}"
        follow(rpc, "--node", rpc, "--witness", other).one_sentence("no witness", "does not answer", code=1)
        follow(rpc, "--node", f"{rpc}/elsewhere").one_sentence("does not show")
    follow(rpc).one_sentence("does not answer")
    follow("ftp://engine").one_sentence("not an address")


NOT_FINAL = {"format": "kerege-state-verdict/1", "exit": 1, "check": "final"}


def test_verify_asks_an_engine_as_well(follow, tmp_path):
    """A state proof that a checkpoint's signatures carry is held against the votes too."""
    four = tuple(signer(name) for name in "abcd")
    proof, file = tmp_path / "proof.json", tmp_path / "trust.json"
    proof.write_bytes(MOVED.prove(SETS, 12, signers=four))
    offline = kerege("verify", proof, "--trust", file)
    assert offline.code == 0, offline
    with serving(MOVED) as rpc, serving(replace(MOVED, seeds={12: {"e": 1}})) as other:
        done = kerege("verify", proof, "--trust", file, "--rpc", rpc)
        assert done.code == 0, done
        assert done.out.splitlines()[-1].startswith("FINAL: header 11 of kg-test carries it")
        refused = kerege("verify", proof, "--trust", file, "--rpc", other)
        assert refused.code == 1
        assert "do not rely on the file" in refused.err
        told = kerege("verify", proof, "--trust", file, "--rpc", rpc, "--json")
        header = MOVED.header(11)
        assert (told.code, told.json["exit"]) == (0, 0)
        assert told.json["final"] == {"chain": "kg-test", "height": 11, "hash": header.hash.hex()}
        told = kerege("verify", proof, "--trust", file, "--rpc", other, "--json")
        assert (told.code, told.json) == (1, NOT_FINAL | {"reason": "not-final"})
        away = kerege("verify", proof, "--trust", file, "--rpc", "http://127.0.0.1:1", "--json")
        assert (away.code, away.json) == (2, NOT_FINAL | {"exit": 2, "reason": "not-shown"})
        kerege("verify", proof, "--trust", file, "--witness", rpc).one_sentence("name an engine with --rpc")
    proof.write_bytes(b"{}")
    assert kerege("verify", proof, "--trust", file, "--rpc", "http://127.0.0.1:1").code == 2


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff"])
def test_what_is_no_trust_file(data, tmp_path):
    file = tmp_path / "t"
    file.write_bytes(data)
    kerege("follow", "--trust", file, "--rpc", "http://127.0.0.1:1").one_sentence("is no trust file")
    with pytest.raises(Malformed):
        proofs.trust.parse(data)


def test_one_operator_has_nothing_to_follow(tmp_path):
    file = tmp_path / "t"
    file.write_bytes(trust([LOG_KEY]))
    kerege("follow", "--trust", file, "--rpc", "http://127.0.0.1:1").one_sentence("one operator")
    kerege("follow", "--trust", tmp_path / "none", "--rpc", "http://127.0.0.1:1").one_sentence("cannot be read")
