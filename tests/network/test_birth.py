"""A birth on a network of four: registered through its node, proven by the light client, known to no validator."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kerege.consensus.cometbft.rpc import Rpc
from kerege.consensus.embedded import wall_clock
from kerege.node.home import Home
from kerege.node.network.ceremony import create_network
from kerege.node.network.layout import Member, Network
from kerege.node.network.pair import Commands
from kerege.node.network.trusting import trust_network
from kerege.proofs import bundle, canonical, subject
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore
from kerege.testing import demo
from kerege.testing.network import Running, plain_commands
from tests.cli.program import process

pytestmark = pytest.mark.engine

PUBLIC = {"birth.place_territory", "birth.place_country", "evidence.date", "evidence.number"}
SHORT = 6
"""Values shorter than this occur by chance."""


def values() -> dict[str, bytes]:
    """What is personal in the story: names, numbers, dates of the child and the parents."""
    told = {**demo.CHILD, **demo.PARENTS}
    return {
        code: value.encode()
        for code, value in told.items()
        if len(value.encode()) >= SHORT and code not in PUBLIC and not value.isascii()
    } | {code: told[code].encode() for code in ("parent1.identifier_value", "parent2.identifier_value")}


def answers(network: Network, member: Member) -> Iterator[bytes]:
    """Every block that a validator shows, its results, and its pool."""
    rpc = Rpc(member.rpc_url)
    height = int(rpc.call("status")["sync_info"]["latest_block_height"])
    for number in range(1, height + 1):
        for tx in rpc.call("block", height=str(number))["block"]["data"]["txs"] or []:
            yield base64.b64decode(tx)
    yield json.dumps(rpc.call("abci_info"), ensure_ascii=False).encode()
    yield json.dumps(rpc.call("unconfirmed_txs"), ensure_ascii=False).encode()
    rpc.close()


def commands(member: Member) -> Commands:
    """Validators that make snapshots often."""
    plain = plain_commands(member)
    return Commands([*plain.application, *(["--snapshot-every", "20"] if member.votes else [])], plain.engine)


def test_a_birth_on_a_network(tmp_path: Path) -> None:
    """One story, because a network takes seconds to start."""
    home, folder = Home(tmp_path / "net"), tmp_path / "told"
    network = create_network(home.path, "kg", 4, node=True, clock=wall_clock)
    secrets, rpcs = values(), [member.rpc_url for member in network.validators]
    with Running(network, commands) as running:
        running.until(lambda: home.socket.exists() and trust_network(network))
        assert demo.play(folder, Console(quiet=True), home) == 3, "genuine, and superseded in the end"
        given = ["verify", str(folder / "certificate.json"), "--trust", str(folder / "trust.json")]
        online = process(*given, "--rpc", rpcs[0], "--witness", rpcs[1], "--json")
        assert online.code == 0, online.err
        assert online.json["facts"]["final"]["height"] == record_of(folder / "certificate.json")["height"] + 1
        final = prove_with_commit(home, folder / "imported.json", folder / "final.json")
        followed = process(
            "follow",
            "--trust",
            str(home.trust),
            "--rpc",
            rpcs[2],
            "--witness",
            rpcs[3],
            "--out",
            str(folder / "newer.json"),
        )
        assert followed.code == 0, followed.err
        assert process(*given[:3], str(folder / "newer.json")).code == 0
        for member in network.validators:
            shown = b"\n".join(answers(network, member))
            assert len(shown) > 10_000
            assert [code for code, value in secrets.items() if value in shown] == []
        running.until(lambda: all(any(network.home(m).snapshots.glob("[0-9]*")) for m in network.validators))
    check_final(final, folder / "trust.json")
    for member in network.validators:
        check_holds_nothing(network.home(member), secrets)


def record_of(bundle: Path) -> Any:
    """The block record in a bundle."""
    return json.loads(bundle.read_bytes())["record"]


def prove_with_commit(home: Home, before: Path, out: Path) -> Path:
    """Prove the certificate of a bundle anew, with what the engine's validators voted for."""
    receipt = subject.read_receipt(bundle.parse(before.read_bytes()).receipt)
    issued = next(iter(subject.certificates(receipt).values())).issued
    assert receipt.transaction is not None
    asked = ("prove", receipt.transaction.hex(), "--certificate", issued.certificate.hex(), "--with-commit")
    done = process(*asked, "--home", str(home.path), "--out", str(out))
    assert done.code == 0, done.err
    return out


def check_final(file: Path, trust: Path) -> None:
    """With every node gone: the votes of more than two thirds say it, and not with a byte of theirs changed."""
    told = process("verify", str(file), "--trust", str(trust), "--json")
    assert told.code == 0, told
    assert told.json["facts"]["final"]["height"] == record_of(file)["height"] + 1
    assert {c["check"]: c["result"] for c in told.json["checks"]}["final"] == "passed"
    members = json.loads(file.read_bytes())
    members["checkpoint"]["commit"]["round"] += 1
    file.write_bytes(canonical.encode(members))
    assert process("verify", str(file), "--trust", str(trust)).code == 1


def check_holds_nothing(home: Home, secrets: dict[str, bytes]) -> None:
    """Rows of the store, snapshots, logs, everything else that lies in a validator's home."""
    names = {path.name for path in home.path.iterdir()}
    assert not names & {"dossiers", "keys", "dev-keys", "imports", "readmodel"}
    with RocksStore(home.path) as store:
        rows = b"\n".join(key + b"\0" + value for area in Area for key, value in store.scan(area))
    assert [code for code, value in secrets.items() if value in rows] == []
    shutil.rmtree(home.path / "store")  # its rows were looked at, its files are compressed
    for path in home.path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [code for code, value in secrets.items() if value in content] == [], path
