"""A new network: one genesis, a folder and fresh keys for each member."""

import base64
import json
import secrets
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from nacl.signing import SigningKey

from kerege.consensus.embedded import Clock
from kerege.dossiers.controller import Controller
from kerege.kernel.genesis import Genesis
from kerege.node import devkeys
from kerege.node.genesis import Post, ValidatorPost, genesis_of
from kerege.node.home import Home, HomeError, write_private
from kerege.node.importing import ROLE
from kerege.node.ledger import CHECKPOINT_KEY, GATEWAY_KEY, new_ledger_id
from kerege.node.network.binary import find_engine
from kerege.node.network.document import FILE, address_of, engine_genesis, public_form
from kerege.node.network.layout import HOST, NODE, Member, Network
from kerege.node.network.settings import SETTINGS, Setting, written
from kerege.node.pack import Pack
from kerege.node.replica import ENGINE, begin_replica, create_replica
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
    gateway = SigningKey(secrets.token_bytes(32))
    officials = devkeys.draw_keys(pack)
    posts = [Post(key.office, key.role, key.public) for key in officials]
    ledger = new_ledger_id(nation, dev=True)
    genesis = genesis_of(
        pack, posts, ledger, clock(), [each.post for each in keys], [(_controller(pack), bytes(gateway.verify_key))]
    )
    devkeys.write_keys(Home(home), officials, pack.nation.prefix)
    return lay_out(home, nation, genesis, keys, gateway=gateway if node else None)


def lay_out(
    home: Path,
    nation: str,
    genesis: Genesis,
    validators: Sequence[Keys],
    *,
    gateway: SigningKey | None,
    host: Callable[[int], str] = lambda _number: HOST,
) -> Network:
    """The folders of a network that begins with this genesis, which names these validators; raises `HomeError`.

    `gateway`: the key of the node beside the validators, which the genesis names too; None for a network without one.
    `host` gives the address of each member, by its number.
    """
    engine = find_engine()
    members = [*validators, *([draw_keys(NODE)] if gateway is not None else [])]
    network = Network(home, genesis.ledger, nation, _members(members, host))
    document = engine_genesis(genesis, [(each.name, each.consensus.verify_key) for each in validators], POWER)
    for member, keys in zip(network.members, members, strict=True):
        _set_up(engine, network, member, members, document)
        if member.votes:
            create_replica(network.home(member), genesis, nation=nation, dev=True)
            write_private(network.home(member).secrets / CHECKPOINT_KEY, bytes(keys.checkpoint))
            _write_json(network.engine(member) / "config" / "priv_validator_key.json", _key(keys.consensus))
    network.write()
    if gateway is not None:
        write_private(Home(home).secrets / GATEWAY_KEY, bytes(gateway))
        begin_replica(Home(home), genesis)
        Controller.prepare(home)
        Home(home).write_about(genesis.ledger, nation, genesis.prefix, dev=True, engine=ENGINE)
    return network


def _controller(pack: Pack) -> str:
    """The institution whose node has the dossiers: the one that imports the old registry."""
    kinds = {kind.code: kind for kind in pack.office_kinds}
    return next(office.institution for office in pack.offices if ROLE in kinds[office.kind].roles)


def _institutions(pack: Pack, count: int) -> list[str]:
    named = [body.institution for body in pack.validators]
    known = [*named, *(each.code for each in pack.institutions if not each.parent and each.code not in named)]
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
    alone = Setting("consensus", "timeout_commit", '"50ms"', "one validator waits for transactions, not for votes")
    own = (
        *((alone,) if len(network.validators) == 1 else ()),
        Setting("", "moniker", f'"{member.name}"', "the member's name"),
        Setting("rpc", "laddr", f'"tcp://{member.host}:{member.rpc}"', "asked from this machine alone"),
        Setting("p2p", "laddr", f'"tcp://{member.host}:{member.peers}"', "where the other members reach it"),
        Setting("p2p", "persistent_peers", f'"{others}"', "every member is connected with every other"),
        Setting("p2p", "unconditional_peer_ids", f'"{_ids(others)}"', "and none is ever turned away"),
        Setting("instrumentation", "prometheus_listen_addr", f'"{member.host}:{member.metrics}"', "measurements"),
    )
    settings = folder / "config" / "config.toml"
    settings.write_text(written(settings.read_text(encoding="utf-8"), (*SETTINGS, *own)), encoding="utf-8")
    (folder / FILE).write_text(document, encoding="utf-8")
    secret = {"type": "tendermint/PrivKeyEd25519", "value": _secret(peers[member.name])}
    _write_json(folder / "config" / "node_key.json", {"priv_key": secret})


def _key(key: SigningKey) -> dict[str, Any]:
    return {**public_form(key.verify_key), "priv_key": {"type": "tendermint/PrivKeyEd25519", "value": _secret(key)}}


def _secret(key: SigningKey) -> str:
    return base64.b64encode(bytes(key) + bytes(key.verify_key)).decode()


def _node_id(key: SigningKey) -> str:
    return address_of(bytes(key.verify_key))


def _ids(peers: str) -> str:
    return ",".join(peer.partition("@")[0] for peer in peers.split(",") if peer)


def _write_json(path: Path, form: dict[str, Any]) -> None:
    write_private(path, json.dumps(form, indent=1).encode() + b"\n")
