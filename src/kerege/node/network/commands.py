"""What the command line asks of a network. Every call raises `HomeError` in one sentence."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from kerege.consensus.door import Door
from kerege.consensus.embedded import wall_clock
from kerege.kernel.messages import Message
from kerege.node.founding import read_founders
from kerege.node.home import Home, HomeError
from kerege.node.interrupts import interrupted
from kerege.node.logs import readable
from kerege.node.network import control
from kerege.node.network.ceremony import accept, create_network, found_with_throw_away_keys
from kerege.node.network.founding import Founding, found, read_founding
from kerege.node.network.joining import introduce, join, registrations, seated
from kerege.node.network.layout import Network, is_network, member_home, read_network
from kerege.node.network.offers import make_offer, read_offer
from kerege.node.network.ports import EACH, free_ports
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


def offer(home: Path, ledger: str, institution: str, host: str, port: int | None, *, votes: bool) -> dict[str, Any]:
    """Draw a member's keys in its home and write its offer; what was offered."""
    made = make_offer(home, ledger, institution, host, free_ports(EACH)[0] if port is None else port, votes=votes)
    place = member_home(home, made.name, votes=votes).offer
    return {"institution": institution, "ledger": ledger, "address": f"{host}:{made.port}", "offer": str(place)}


def collect(
    nation: str, ledger: str, offers: Sequence[tuple[str, bytes]], founders: bytes | None, dev_home: Path | None
) -> bytes:
    """The founding document of these offers (source, content).

    `founders` is the file of the founding officials; else `dev_home` gets throw-away keys of every office.
    """
    read = [read_offer(raw, source) for source, raw in offers]
    if founders is not None:
        return found(nation, read_founders(founders), read, ledger, wall_clock(), dev=False).raw
    return found_with_throw_away_keys(Home(dev_home or Path()), nation, read, ledger, wall_clock()).raw


def take_part(home: Path, document: bytes, expected: str, listens: str) -> dict[str, Any]:
    """Accept a founding and lay out the members that this folder offered; what it is, with its hash."""
    founding = read_founding(document, expected)
    return _laid_out(accept(home, founding, listens), founding)


def join_in(home: Path, document: bytes, trust: bytes, listens: str, *, snapshot: bool) -> dict[str, Any]:
    """Lay out a validator that was not at the founding; what it is."""
    founding = read_founding(document)
    return _laid_out(join(home, founding, trust, listens, wall_clock, snapshot=snapshot), founding)


def _laid_out(network: Network, founding: Founding) -> dict[str, Any]:
    return {
        "ledger": network.ledger,
        "hash": founding.hash,
        "throw_away": founding.dev,
        "validators": [member.name for member in network.validators],
        "node": network.node is not None,
        "here": [member.name for member in network.here],
    }


def introduce_to(home: Path, content: bytes, source: str) -> dict[str, Any]:
    """Let the members of a home know one that came later; whom they know then."""
    network = introduce(read_network(home), read_offer(content, source))
    return {"ledger": network.ledger, "members": [member.name for member in network.members]}


def registrations_of(content: bytes, source: str) -> list[Message]:
    """The messages that register the keys of an offer."""
    return registrations(read_offer(content, source))


def seat(door: Door, content: bytes, source: str, power: int) -> Message:
    """The message that gives an offer's validator a vote."""
    return seated(door, read_offer(content, source), power)


def run(home: Path, port: int | None, tell: Callable[[str], None]) -> None:
    """Run it in the foreground until interrupted."""
    network = read_network(home)
    supervise(network, lambda member, text: tell(f"{member}: {text}"), port, on_terminal=True)


def start(home: Path, port: int | None, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Start it in the background, and wait until all members have a block."""
    network = read_network(home)
    process = control.start_detached(network, port, progress)
    return {"ledger": network.ledger, "members": len(network.here), "process": process}


def stop(home: Path) -> bool:
    """Stop it; False where it did not run."""
    return control.stop(read_network(home))


def begin_anew(home: Path, member: str, *, snapshot: bool, after_halt: str | None, lost: Sequence[str]) -> int:
    """Let a member that lost its disk begin anew; the height from which it votes again."""
    if lost and after_halt is None:
        reason = "--lost names who lost its memory beside the member: give --after-halt too, `ask` tells its value."
        raise HomeError(reason)
    network = read_network(home)
    return rejoin(network, network.find_here(member), snapshot=snapshot, after_halt=after_halt, lost=lost)


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
