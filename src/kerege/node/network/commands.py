"""What the command line asks of a network. Every call raises `HomeError` in one sentence."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from kerege.consensus.embedded import wall_clock
from kerege.node.home import HomeError
from kerege.node.interrupts import interrupted
from kerege.node.logs import readable
from kerege.node.network import control
from kerege.node.network.founding import create_network
from kerege.node.network.layout import is_network, read_network
from kerege.node.network.rejoining import rejoin
from kerege.node.network.status import statuses
from kerege.node.network.supervisor import supervise


def create(home: Path, nation: str, validators: int, *, node: bool) -> dict[str, Any]:
    """Found a network with throw-away keys; what it is."""
    if is_network(home):
        reason = f"{home} is a home already: choose another folder, or remove this one with all it holds."
        raise HomeError(reason)
    network = create_network(home, nation, validators, node=node, clock=wall_clock)
    names = [member.name for member in network.validators]
    return {"ledger": network.ledger, "home": str(home), "validators": names, "node": network.node is not None}


def run(home: Path, port: int | None, tell: Callable[[str], None]) -> None:
    """Run it in the foreground until interrupted."""
    network = read_network(home)
    supervise(network, lambda member, text: tell(f"{member}: {text}"), port, on_terminal=True)


def start(home: Path, port: int | None, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Start it in the background, and wait until all members have a block."""
    network = read_network(home)
    process = control.start_detached(network, port, progress)
    return {"ledger": network.ledger, "members": len(network.members), "process": process}


def stop(home: Path) -> bool:
    """Stop it; False where it did not run."""
    return control.stop(read_network(home))


def begin_anew(home: Path, member: str) -> int:
    """Let a member that lost its disk begin anew; the height from which it votes again."""
    network = read_network(home)
    return rejoin(network, network.find(member))


def status(home: Path, *, every: bool) -> list[dict[str, Any]]:
    """How the validators stand, and with `every` the node."""
    network = read_network(home)
    return statuses(network.members if every else network.validators)


def logs(home: Path, member: str | None, lines: int, *, follow: bool, raw: bool) -> Iterator[tuple[str, str]]:
    """(who, line) of the newest lines, and with `follow` of what comes; for people, where not `raw`."""
    network = read_network(home)
    found = control.tail(network, member, lines)
    if follow:
        found = chain(found, control.follow(network, member, interrupted().is_set))
    for who, line in found:
        yield who, line if raw else readable(line, who)
