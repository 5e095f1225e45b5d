"""A member that lost its disk and kept its keys begins anew and comes to where the others are.

Its votes are what must not happen twice: the engine's memory of what it signed is lost too, so that it may vote again
only above every height at which it can have voted. Where nobody decides another block without it: `halting.py`.
"""

import json
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerege.consensus.snapshots.shelf import Shelf
from kerege.node.home import HomeError, write_private
from kerege.node.ledger import CHECKPOINT_KEY
from kerege.node.network.document import read_genesis
from kerege.node.network.engines import set_engine
from kerege.node.network.halting import memory_after_halt
from kerege.node.network.layout import Member, Network
from kerege.node.network.settings import Setting
from kerege.node.network.status import SECONDS, status_of, statuses
from kerege.node.network.trusting import header_of
from kerege.node.replica import create_replica

MEMORY = Path("data") / "priv_validator_state.json"
"""Where an engine remembers its last vote."""
LEAST = 2
"""Members whose engines a joining one asks for headers."""
MARGIN = 2
"""Heights above the others' newest in which it can have voted: the one being decided, and one not told yet."""
KEY = "priv_validator_key.json"
KEPT = ("config.toml", "genesis.json", "node_key.json", KEY)
"""What a member needs of its engine's settings to begin anew, beside the key of its checkpoints."""
_PRECOMMIT = 3


def rejoin(
    network: Network, member: Member, *, snapshot: bool = False, after_halt: str | None = None, lost: Sequence[str] = ()
) -> int:
    """Empty the member's ledger and its engine's blocks; returns the height from which it votes again.

    Its memory of votes is kept where it is still there and reaches as far as the others are: only the ledger was lost.
    Raises `HomeError` where it runs, where too few of the others answer or are left to decide, and for the node, whose
    dossiers are restored from a backup. It begins at a snapshot where another member that lies here offers one, and
    with `snapshot` where one elsewhere does. `after_halt` and `lost`: of a ledger that stands still, see
    `halting.memory_after_halt`.
    """
    if not member.votes:
        reason = "the node holds the dossiers: restore its whole home from a backup, it then catches up by itself."
        raise HomeError(reason)
    if _listens(member):
        reason = f"{member.name} runs: stop it first, only a member that lost its disk begins anew."
        raise HomeError(reason)
    _check_kept(network, member)
    memory = _memory_of(network, member) if after_halt is None else _after_halt(network, member, after_halt, lost)
    others = [other for other in network.members if other is not member and other.name not in lost]
    offered = snapshot or any(Shelf(network.home(other).snapshots).heights() for other in others)
    joining = _state_sync(others) if offered else by_blocks("nobody offers a snapshot: it joins by all blocks")
    home, engine = network.home(member), network.engine(member)
    genesis = read_genesis(network)
    for folder in (home.path / "store", home.trees, engine / "data"):
        shutil.rmtree(folder, ignore_errors=True)
    write_private(engine / MEMORY, json.dumps(memory).encode())
    home.about.unlink(missing_ok=True)
    create_replica(home, genesis, nation=network.nation, dev=network.dev)
    set_engine(engine, joining)
    return int(memory["height"])


def _listens(member: Member) -> bool:
    """Whether its engine lives, also one that was paused and answers nobody: it may vote when it goes on."""
    with socket.socket() as caller:
        caller.settimeout(SECONDS)
        return caller.connect_ex((member.host, member.rpc)) == 0


def _check_kept(network: Network, member: Member) -> None:
    """Raise `HomeError` where something is lost that nobody else has: then nothing is emptied."""
    home, settings = network.home(member), network.engine(member) / "config"
    kept = [home.secrets / CHECKPOINT_KEY, *(settings / name for name in KEPT)]
    lost = ", ".join(str(path) for path in kept if not path.is_file())
    if lost:
        reason = f"{member.name} lost more than its ledger: restore {lost} from the backup of its keys and settings."
        raise HomeError(reason)


def _memory_of(network: Network, member: Member) -> dict[str, Any]:
    """What it is to remember of its votes; raises `HomeError` where too few would be left to decide until it votes.

    Its own memory of a height below the others' is an old one, perhaps from a backup, and worth nothing.
    """
    height, own = _height_of_others(network, member), _read(network, member)
    if own is not None and int(own["height"]) >= height:
        return own
    memories = {other: _read(network, other) for other in network.validators if other is not member}
    silent = [other for other, found in memories.items() if found is not None and _is_silent(found, height)]
    whole = sum(other.power for other in network.validators)
    left = whole - member.power - sum(other.power for other in silent)
    if 3 * left <= 2 * whole:
        told = f"{', '.join(other.name for other in silent)} began anew and does not vote yet: with " if silent else ""
        also = "silent too" if silent else "silent"
        reason = (
            f"{told}{member.name} {also}, up to height {height + MARGIN}, nobody could ever decide the block after "
            f"{height}. Let the others decide some blocks first; where they cannot, run it with --after-halt ask."
        )
        raise HomeError(reason)
    return {"height": str(height + MARGIN), "round": 0, "step": _PRECOMMIT}


def _after_halt(network: Network, member: Member, agreed: str, lost: Sequence[str]) -> dict[str, Any]:
    """The same where the others stand still until it votes; raises `HomeError` also where its memory is not lost."""
    try:
        address = str(json.loads((network.engine(member) / "config" / KEY).read_bytes())["address"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"the key of votes of {member.name} cannot be read ({error}): restore {KEY} from its backup."
        raise HomeError(reason) from None
    memory = memory_after_halt(network, member, address, agreed, lost)
    own = _read(network, member)
    if own is not None and "signature" in own and int(own["height"]) >= int(memory["height"]):
        reason = f"the memory of votes of {member.name} is there, up to height {own['height']}: leave --after-halt out."
        raise HomeError(reason)
    return memory


def _read(network: Network, member: Member) -> dict[str, Any] | None:
    """A member's memory of its votes; None where it is not here, or is none."""
    try:
        found = json.loads((network.engine(member) / MEMORY).read_bytes())
        return found if int(found["height"]) >= 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_silent(memory: dict[str, Any], height: int) -> bool:
    """Whether it began anew and waits: such a memory has no signature. It votes above the height that it names."""
    return "signature" not in memory and int(memory["height"]) > height


def _height_of_others(network: Network, member: Member) -> int:
    """The newest height of the others; raises `HomeError` unless they are enough not to be all behind what it signed.

    It has voted only above blocks for which more than two thirds have; of any third of the power one did so as well.
    """
    found = zip(network.members, statuses(network.members), strict=True)
    heights = {other: int(status["height"]) for other, status in found if status["height"] and other != member}
    held, whole = sum(other.power for other in heights), sum(other.power for other in network.validators)
    if 3 * held <= whole:
        told = ", ".join(other.name for other in heights if other.votes) or "nobody"
        reason = (
            f"of the other validators {told} answers, with {held} of {whole} votes: start more than a third of them "
            f"first, else {member.name} might vote again where it has voted."
        )
        raise HomeError(reason)
    return max(heights.values())


def _state_sync(others: Sequence[Member]) -> tuple[Setting, ...]:
    """From a snapshot, where enough members answer: nothing is believed but what the validators signed."""
    asked = [other for other in others if status_of(other)["running"]]
    if len(asked) < LEAST:
        return by_blocks("too few members answer to check a snapshot: it joins by all blocks")
    height = min(status["height"] for status in statuses(tuple(asked)))
    return by_snapshot(asked, height, _agreed_hash(asked, height), "it lost its disk: it joins by a snapshot of others")


def by_blocks(reason: str) -> tuple[Setting, ...]:
    """Every block from the first on."""
    return (Setting("statesync", "enable", "false", reason),)


def by_snapshot(servers: Sequence[Member], height: int, header: bytes, reason: str) -> tuple[Setting, ...]:
    """A snapshot that somebody offers, checked by the headers that follow a trusted one."""
    asked = ",".join(f"{server.host}:{server.rpc}" for server in servers)
    return (
        Setting("statesync", "enable", "true", reason),
        Setting("statesync", "rpc_servers", f'"{asked}"', "whose headers are followed and compared"),
        Setting("statesync", "trust_height", str(height), "the newest header that is trusted"),
        Setting("statesync", "trust_hash", f'"{header.hex().upper()}"', "known before any of them is asked"),
        Setting("statesync", "discovery_time", '"5s"', "members of one network answer at once"),
    )


def _agreed_hash(members: Sequence[Member], height: int) -> bytes:
    """The hash of a header that all show; raises `HomeError` where they differ: the ledger has forked."""
    shown = {member.name: header_of(member, height) for member in members}
    hashes = {found[0] for found in shown.values() if found is not None}
    if len(hashes) != 1:
        told = ", ".join(f"{name} {found[0].hex() if found else 'nothing'}" for name, found in shown.items())
        reason = f"the members show different headers of height {height} ({told}): see `kerege follow --witness`."
        raise HomeError(reason)
    return hashes.pop()
