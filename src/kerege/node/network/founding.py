"""A new network: one genesis, a folder and fresh keys for each member."""

import base64
import json
import secrets
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from typing import Any

from nacl.signing import SigningKey

from kerege import proofs
from kerege.consensus.checkpoints import OwnCheckpoints, origin_of
from kerege.consensus.door import LocalDoor
from kerege.consensus.embedded import Clock
from kerege.consensus.prover import Prover
from kerege.dossiers.controller import Controller
from kerege.kernel.codec import encode
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.node import devkeys
from kerege.node.genesis import Post, ValidatorPost, genesis_of
from kerege.node.home import Home, HomeError, write_private
from kerege.node.ledger import CHECKPOINT_KEY, new_ledger_id, open_reader
from kerege.node.ledger_view import DoorView
from kerege.node.network.binary import find_engine
from kerege.node.network.layout import HOST, NODE, Member, Network
from kerege.node.network.settings import SETTINGS, Setting, written
from kerege.node.pack import Pack
from kerege.node.replica import create_replica
from kerege.node.workplace import read_nation

POWER = 10
"""Votes of each founding institution: all weigh the same."""
MOST = 16
_PORTS = range(21_000, 31_000)
"""Below those that the operating system gives to callers."""
_EACH = 4
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Keys:
    """What a member signs with: blocks, checkpoints, and its connections with the others."""

    name: str
    consensus: SigningKey
    checkpoint: SigningKey
    peer: SigningKey

    @property
    def post(self) -> ValidatorPost:
        """The member as genesis names it."""
        return ValidatorPost(self.name, bytes(self.consensus.verify_key), bytes(self.checkpoint.verify_key), POWER)


def draw_keys(name: str) -> Keys:
    """Fresh keys of a member."""
    return Keys(name, *(SigningKey(secrets.token_bytes(32)) for _ in range(3)))


def create_network(home: Path, nation: str, validators: int, *, node: bool, clock: Clock) -> Network:
    """A network of a nation with throw-away keys, in a new folder; raises `HomeError`.

    `node`: beside the validators, the member that has the dossiers, serves clients and does not vote.
    """
    pack = read_nation(nation)
    keys = [draw_keys(name) for name in _institutions(pack, validators)]
    officials = devkeys.draw_keys(pack)
    posts = [Post(key.office, key.role, key.public) for key in officials]
    ledger = new_ledger_id(nation, dev=True)
    genesis = genesis_of(pack, posts, ledger, clock(), [each.post for each in keys])
    network = lay_out(home, nation, genesis, keys, node=node)
    devkeys.write_keys(Home(home), officials, pack.nation.prefix)
    return network


def lay_out(
    home: Path,
    nation: str,
    genesis: Genesis,
    validators: Sequence[Keys],
    *,
    node: bool,
    host: Callable[[int], str] = lambda _number: HOST,
) -> Network:
    """The folders of a network that begins with this genesis, which names these validators; raises `HomeError`.

    `host` gives the address of each member, by its number.
    """
    engine = find_engine()
    members = [*validators, *([draw_keys(NODE)] if node else [])]
    network = Network(home, genesis.ledger, nation, _members(members, host))
    document = _document(genesis, validators)
    for member, keys in zip(network.members, members, strict=True):
        create_replica(network.home(member), genesis, nation=nation, dev=True)
        _set_up(engine, network, member, members, document)
        if member.votes:
            write_private(network.home(member).secrets / CHECKPOINT_KEY, bytes(keys.checkpoint))
            _write_json(network.engine(member) / "config" / "priv_validator_key.json", _key(keys.consensus))
    if network.node is not None:
        _create_dossiers(Home(home), genesis)
    for member in network.members:
        write_private(network.home(member).trust, trust_file(genesis, network), mode=0o644)
    network.write()
    return network


def trust_file(genesis: Genesis, network: Network) -> bytes:
    """What verifiers of the network's proofs need: the validators' checkpoint keys, more than two thirds of them."""
    origin = origin_of(genesis.ledger)
    return proofs.trust.make(
        ledger=genesis.ledger,
        genesis=genesis_hash(genesis),
        origin=origin,
        threshold=2 * len(network.validators) // 3 + 1,
        keys=[
            proofs.TrustedKey(f"{origin}/{each.name}", bytes.fromhex(each.checkpoint_key), genesis.time, None)
            for each in network.validators
        ],
    )


def _institutions(pack: Pack, count: int) -> list[str]:
    known = [institution.code for institution in pack.institutions if not institution.parent]
    if not 1 <= count <= min(MOST, len(known)):
        reason = f"{count} validators: choose from 1 to {min(MOST, len(known))}, each is an institution of the pack."
        raise HomeError(reason)
    return known[:count]


def _members(members: Sequence[Keys], host: Callable[[int], str]) -> tuple[Member, ...]:
    ports = _free_ports(_EACH * len(members))
    return tuple(_member(keys, host(at), ports[_EACH * at : _EACH * (at + 1)]) for at, keys in enumerate(members))


def _member(keys: Keys, host: str, ports: Sequence[int]) -> Member:
    peers, rpc, metrics, watch = ports
    if keys.name == NODE:
        return Member(NODE, votes=False, peers=peers, rpc=rpc, metrics=metrics, host=host, watch=watch)
    key = bytes(keys.checkpoint.verify_key).hex()
    return Member(keys.name, True, peers, rpc, metrics, host, POWER, key, watch)  # noqa: FBT003 - order of the fields


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


def _set_up(engine: Path, network: Network, member: Member, members: Sequence[Keys], document: str) -> None:
    """The engine's own folder: its settings with their reasons, its keys, the first bytes of the chain."""
    folder = network.engine(member)
    done = subprocess.run([engine, "init", "--home", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"the engine could not be set up in {folder}: {done.stderr.strip()[-300:]}; run `make engine` again."
        raise HomeError(reason)
    peers = {keys.name: keys.peer for keys in members}
    others = ",".join(
        f"{_node_id(peers[other.name])}@{other.host}:{other.peers}" for other in network.members if other is not member
    )
    own = (
        Setting("", "moniker", f'"{member.name}"', "the member's name"),
        Setting("rpc", "laddr", f'"tcp://{member.host}:{member.rpc}"', "asked from this machine alone"),
        Setting("p2p", "laddr", f'"tcp://{member.host}:{member.peers}"', "where the other members reach it"),
        Setting("p2p", "persistent_peers", f'"{others}"', "every member is connected with every other"),
        Setting("p2p", "unconditional_peer_ids", f'"{_ids(others)}"', "and none is ever turned away"),
        Setting("instrumentation", "prometheus_listen_addr", f'"{member.host}:{member.metrics}"', "measurements"),
    )
    settings = folder / "config" / "config.toml"
    settings.write_text(written(settings.read_text(encoding="utf-8"), (*SETTINGS, *own)), encoding="utf-8")
    (folder / "config" / "genesis.json").write_text(document, encoding="utf-8")
    secret = {"type": "tendermint/PrivKeyEd25519", "value": _secret(peers[member.name])}
    _write_json(folder / "config" / "node_key.json", {"priv_key": secret})


def _document(genesis: Genesis, validators: Sequence[Keys]) -> str:
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
        "validators": [{**_public(keys.consensus), "power": str(POWER), "name": keys.name} for keys in validators],
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


def _create_dossiers(home: Home, genesis: Genesis) -> None:
    """Empty dossiers for the data controller, beside its ledger."""
    modules, store = open_reader(home)
    with store:
        prover = Prover(modules, store, [], genesis.ledger, OwnCheckpoints(genesis.ledger, []))
        door = LocalDoor(modules, store, prover, genesis.ledger, genesis.prefix, None)
        Controller.create(home.path, DoorView(door)).close()
