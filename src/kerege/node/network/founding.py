"""A new network: one genesis, a folder and fresh keys for each member."""

import base64
import json
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from typing import Any

from nacl.signing import SigningKey

from kerege.consensus.door import LocalDoor
from kerege.consensus.prover import Prover
from kerege.dossiers.controller import Controller
from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis
from kerege.node import devkeys
from kerege.node.genesis import Post, genesis_of
from kerege.node.home import Home, HomeError, write_private
from kerege.node.ledger import CHECKPOINT_KEY, new_ledger_id, open_reader
from kerege.node.ledger_view import DoorView
from kerege.node.network.binary import find_engine
from kerege.node.network.layout import NODE, Member, Network
from kerege.node.network.settings import SETTINGS, Setting, written
from kerege.node.pack import Pack
from kerege.node.replica import create_replica
from kerege.node.web import HOST
from kerege.node.workplace import read_nation

POWER = 10
"""Votes of each founding institution: all weigh the same."""
MOST = 16
_PORTS = range(21_000, 31_000)
"""Below those that the operating system gives to callers."""
_EACH = 3
_TRIES = 200


def create_network(home: Path, nation: str, validators: int, *, node: bool, clock: Any) -> Network:  # noqa: ANN401
    """A network of a nation with throw-away keys, in a new folder; raises `HomeError`.

    `node`: beside the validators, the member that has the dossiers, serves clients and does not vote.
    """
    engine, pack = find_engine(), read_nation(nation)
    names = _institutions(pack, validators)
    ledger = new_ledger_id(nation, dev=True)
    network = Network(home, ledger, _members([*names, *([NODE] if node else [])]))
    keys = devkeys.draw_keys(pack)
    genesis = genesis_of(pack, [Post(key.office, key.role, key.public) for key in keys], ledger, clock())
    consensus = {member.name: SigningKey(secrets.token_bytes(32)) for member in network.validators}
    peers = {member.name: SigningKey(secrets.token_bytes(32)) for member in network.members}
    document = _document(genesis, consensus)
    for member in network.members:
        create_replica(network.home(member), genesis, nation=nation, dev=True)
        _set_up(engine, network, member, peers, document)
        if member.votes:
            write_private(network.home(member).secrets / CHECKPOINT_KEY, secrets.token_bytes(32))
            _write_json(network.engine(member) / "config" / "priv_validator_key.json", _key(consensus[member.name]))
    devkeys.write_keys(Home(home), keys, pack.nation.prefix)
    if network.node is not None:
        _create_dossiers(Home(home), pack)
    network.write()
    return network


def _institutions(pack: Pack, count: int) -> list[str]:
    known = [institution.code for institution in pack.institutions if not institution.parent]
    if not 1 <= count <= min(MOST, len(known)):
        reason = f"{count} validators: choose from 1 to {min(MOST, len(known))}, each is an institution of the pack."
        raise HomeError(reason)
    return known[:count]


def _members(names: Sequence[str]) -> tuple[Member, ...]:
    ports = _free_ports(_EACH * len(names))
    return tuple(Member(name, name != NODE, *ports[_EACH * at : _EACH * (at + 1)]) for at, name in enumerate(names))


def _free_ports(count: int) -> list[int]:
    """Neighbouring ports that nobody listens on now: written down, so that a network keeps its addresses."""
    chance = SystemRandom()
    for _ in range(_TRIES):
        first = chance.randrange(_PORTS.start, _PORTS.stop - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind((HOST, port))
            except OSError:
                continue
        return list(range(first, first + count))
    reason = f"no {count} neighbouring ports are free on {HOST}: stop what listens there."
    raise HomeError(reason)


def _set_up(engine: Path, network: Network, member: Member, peers: dict[str, SigningKey], document: str) -> None:
    """The engine's own folder: its settings with their reasons, its keys, the first bytes of the chain."""
    folder = network.engine(member)
    done = subprocess.run([engine, "init", "--home", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"the engine could not be set up in {folder}: {done.stderr.strip()[-300:]}; run `make engine` again."
        raise HomeError(reason)
    others = ",".join(
        f"{_node_id(peers[other.name])}@{HOST}:{other.peers}" for other in network.members if other is not member
    )
    own = (
        Setting("", "moniker", f'"{member.name}"', "the member's name"),
        Setting("rpc", "laddr", f'"tcp://{HOST}:{member.rpc}"', "asked from this machine alone"),
        Setting("p2p", "laddr", f'"tcp://{HOST}:{member.peers}"', "where the other members reach it"),
        Setting("p2p", "persistent_peers", f'"{others}"', "every member is connected with every other"),
        Setting("p2p", "unconditional_peer_ids", f'"{_ids(others)}"', "and none is ever turned away"),
        Setting("instrumentation", "prometheus_listen_addr", f'"{HOST}:{member.metrics}"', "measurements"),
    )
    settings = folder / "config" / "config.toml"
    settings.write_text(written(settings.read_text(encoding="utf-8"), (*SETTINGS, *own)), encoding="utf-8")
    (folder / "config" / "genesis.json").write_text(document, encoding="utf-8")
    secret = {"type": "tendermint/PrivKeyEd25519", "value": _secret(peers[member.name])}
    _write_json(folder / "config" / "node_key.json", {"priv_key": secret})


def _document(genesis: Genesis, validators: dict[str, SigningKey]) -> str:
    """The engine's genesis file: the same bytes for every member."""
    form = {
        "genesis_time": datetime.fromtimestamp(genesis.time / 1_000, UTC).isoformat().replace("+00:00", "Z"),
        "chain_id": genesis.ledger,
        "initial_height": "1",
        "consensus_params": {
            # the application sees all that waits, and keeps to bytes, weight and classes itself
            "block": {"max_bytes": "-1", "max_gas": "-1"},
            "evidence": {"max_age_num_blocks": "1000000", "max_age_duration": "1209600000000000", "max_bytes": "65536"},
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "1"},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [{**_public(key), "power": str(POWER), "name": name} for name, key in validators.items()],
        "app_hash": "",
        "app_state": encode(genesis).hex(),
    }
    return json.dumps(form, indent=1) + "\n"


def _public(key: SigningKey) -> dict[str, Any]:
    raw = bytes(key.verify_key)
    value = base64.b64encode(raw).decode()
    return {"address": _address(raw).upper(), "pub_key": {"type": "tendermint/PubKeyEd25519", "value": value}}


def _key(key: SigningKey) -> dict[str, Any]:
    return {**_public(key), "priv_key": {"type": "tendermint/PrivKeyEd25519", "value": _secret(key)}}


def _secret(key: SigningKey) -> str:
    return base64.b64encode(bytes(key) + bytes(key.verify_key)).decode()


def _address(public: bytes) -> str:
    return sha256(public).digest()[:20].hex()


def _node_id(key: SigningKey) -> str:
    return _address(bytes(key.verify_key))


def _ids(peers: str) -> str:
    return ",".join(peer.partition("@")[0] for peer in peers.split(",") if peer)


def _write_json(path: Path, form: dict[str, Any]) -> None:
    write_private(path, json.dumps(form, indent=1).encode() + b"\n")


def _create_dossiers(home: Home, pack: Pack) -> None:
    """Empty dossiers for the data controller, beside its ledger."""
    modules, store = open_reader(home)
    with store:
        prover = Prover(modules, store, [], home.read_about()["ledger"], [])
        door = LocalDoor(modules, store, prover, home.read_about()["ledger"], pack.nation.prefix, None)
        Controller.create(home.path, DoorView(door)).close()


def remove_network(home: Path) -> None:
    """Remove what a founding that failed has left."""
    shutil.rmtree(home, ignore_errors=True)
