"""`python -m kerege.node.network.supervisor --home DIR`: runs a network's members and keeps them running.

Health is a height that moves, not a process that lives: one that stands still while the others go on is started anew.
"""

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Any

from kerege.node.home import HomeError
from kerege.node.interrupts import interrupted
from kerege.node.logs import Log
from kerege.node.network.binary import find_engine
from kerege.node.network.layout import Member, Network, read_network
from kerege.node.network.pair import Commands, Pair
from kerege.node.network.status import statuses
from kerege.node.network.trusting import trust_network
from kerege.node.web import check_port
from kerege.node.wire import LONGEST_PATH

EVERY = 0.2
"""Seconds between two looks at the processes."""
WATCH_EVERY = 5.0
"""Seconds between two looks at the heights."""
STUCK = 60.0
"""Seconds for which a member may stand still while another is ahead of it, or transactions wait."""
BEHIND = 5
"""Blocks by which another must be ahead."""
_NAMES = len("/kerege-12345678/12345.sock")

Tell = Callable[[str, str], None]
"""Told of which member something is said, and what."""


class Supervisor:
    """The members that lie in a network's folder, as long as the context lasts."""

    def __init__(self, network: Network, tell: Tell, commands: Callable[[Member], Commands]) -> None:
        self._network = network
        self._tell = tell
        self._sockets = Path(tempfile.mkdtemp(prefix="kerege-", dir=_short_folder()))
        self.pairs = [Pair(network, member, commands(member), self._sockets) for member in network.here]
        self._watched = time.monotonic()
        self._trusted = False
        self._answered = False

    def tend(self) -> None:
        """One look at everything."""
        for pair in self.pairs:
            told = pair.tend()
            if told:
                self._tell(pair.member.name, told)
        if time.monotonic() - self._watched >= WATCH_EVERY:
            self._watch()
            self._watched = time.monotonic()

    def _watch(self) -> None:
        """Start anew who stands still while others are ahead, and all where nothing is decided that could be."""
        with suppress(OSError):  # tried again at the next look
            self._trusted = self._trusted or trust_network(self._network)
        found = statuses(self._network.members)
        heights = {status["name"]: status["height"] or 0 for status in found}
        highest = max(heights.values())
        if not self._answered and all(heights[pair.member.name] for pair in self.pairs):
            self._answered = True
            self._tell(self._network.ledger, f"all {len(self.pairs)} members answer, at height {highest}")
        idle = not _stalled(self._network, found)
        for pair in self.pairs:
            height = heights[pair.member.name]
            if height > pair.height or (highest - height < BEHIND and idle) or not pair.runs:
                pair.height, pair.moved = max(pair.height, height), time.monotonic()
            elif time.monotonic() - pair.moved > STUCK:
                behind = "transactions wait" if highest - height < BEHIND else f"another's is {highest}"
                told = pair.restart(f"its height stands at {height} while {behind}")
                self._tell(pair.member.name, told)
                pair.moved = time.monotonic()

    def close(self) -> None:
        """End all of them at once."""
        threads = [threading.Thread(target=pair.close) for pair in self.pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        shutil.rmtree(self._sockets, ignore_errors=True)


def _stalled(network: Network, found: list[dict[str, Any]]) -> bool:
    """Whether transactions wait although enough validators answer to decide: after a full disk, and as long as its log
    had no room for the engine's own words, that is all there is to see of a dead consensus.
    """
    powers = {member.name: member.power for member in network.members}
    able = sum(powers[status["name"]] for status in found if status["running"] and not status["catching_up"])
    return 3 * able > 2 * sum(powers.values()) and any(status["waiting"] for status in found)


def _short_folder() -> str:
    """Where temporary files go, or the system's own folder where that path leaves no room for a socket's name."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) + _NAMES <= LONGEST_PATH else "/tmp"  # noqa: S108 - a fresh folder in it


@contextmanager
def alone(network: Network) -> Iterator[None]:
    """For one supervisor of a network at a time; raises `HomeError` where one runs."""
    handle = os.open(network.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(told_running(network)) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        os.close(handle)


def told_running(network: Network) -> str:
    """What somebody is told who starts it once more."""
    look = f"kerege network status --home {quote(str(network.path))}"
    return f"the network of {network.path} runs already: see `{look}`."


def runs(network: Network) -> int | None:
    """The number of the supervisor's process; None where none runs."""
    try:
        handle = os.open(network.lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(handle, 20, 0) or b"0")
    finally:
        os.close(handle)
    return None


def check_ports(network: Network) -> None:
    """Raise `HomeError` where somebody else listens where a member should."""
    for member in network.here:
        for port in (member.peers, member.rpc, member.metrics, member.watch):
            try:
                check_port(port)
            except HomeError:
                reason = (
                    f"port {port} of {member.name} is in use: stop what listens there (an engine that a killed network "
                    "left ends within seconds), then start again."
                )
                raise HomeError(reason) from None


def supervise(network: Network, tell: Tell, port: int | None, *, on_terminal: bool = False) -> None:
    """Run the network until interrupted; raises `HomeError`."""
    stop = interrupted()
    network.check_here()
    with alone(network), ExitStack() as stack:
        check_ports(network)
        if port is not None:
            _check_pages(network.node_here, port)
        engine = str(find_engine())
        if on_terminal:
            tell(network.ledger, f"{len(network.here)} members start; Ctrl-C stops")
        supervisor = Supervisor(network, tell, lambda member: Commands(application(member, port), [engine]))
        stack.callback(supervisor.close)
        while not stop.wait(EVERY):
            supervisor.tend()


def application(member: Member, port: int | None) -> list[str]:
    """The application of a member: its module and its own words. With a port the node serves pages."""
    if member.votes:
        watch = [] if member.place is None else ["--watch", *member.place]
        return ["kerege.node.replica", "--name", member.name, *watch]
    return ["kerege.node.network.node", *([] if port is None else ["--port", str(port)])]


def _check_pages(node: Member | None, port: int) -> None:
    if node is None:
        reason = "no node lies here that could show pages: leave --port out, or name the home of the network's node."
        raise HomeError(reason)
    check_port(port)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int)
    wanted = parser.parse_args()
    log = Log("supervisor")
    try:
        network = read_network(wanted.home)
        log.tell(f"{network.ledger}: starting {len(network.here)} members")
        supervise(network, lambda member, text: log.mend(text, member), wanted.port)
    except HomeError as fault:
        log.alarm(str(fault))
        return 2
    log.tell("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
