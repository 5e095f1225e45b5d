"""Starting a network in the background, stopping it, reading its logs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

from kerege.node.home import HomeError
from kerege.node.logs import text_of
from kerege.node.network.layout import Network
from kerege.node.network.status import statuses
from kerege.node.network.supervisor import runs, told_running
from kerege.node.network.trusting import trust_network
from kerege.node.web import HOST

START_SECONDS = 120
STOP_SECONDS = 60
_EVERY = 0.2
_END = 64 * 1024
"""Bytes of a log of which the last lines are shown."""

Progress = Callable[[int, int], None]


def start_detached(network: Network, port: int | None, progress: Progress) -> int:
    """Start the supervisor in a session of its own and wait until every member answers; its process's number.

    Raises `HomeError` where one runs already, with its words where it ends, or with who does not answer.
    """
    network.check_here()
    if runs(network) is not None:
        raise HomeError(told_running(network))
    command = [sys.executable, "-m", "kerege.node.network.supervisor", "--home", str(network.path.resolve())]
    command += [] if port is None else ["--port", str(port)]
    begin = network.log.stat().st_size if network.log.exists() else 0
    with network.log.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )

    def begun() -> bool:
        return _leads(process, network) and _is_served(network, port)

    await_members(network, progress, lambda: _said(process, network.log, begin), begun)
    return process.pid


def await_members(
    network: Network, progress: Progress, ended: Callable[[], str | None], begun: Callable[[], bool]
) -> None:
    """Until every member's engine has a block, and it has `begun`; raises `HomeError` where `ended` tells why not.

    Where others run the rest of the network no block may come for days: then an engine that answers is enough.
    """
    until, missing = time.monotonic() + START_SECONDS, list[str]()
    whole = network.here == network.members
    while time.monotonic() < until:
        told = ended()
        if told is not None:
            raise HomeError(told)
        found = statuses(network.here)
        missing = [status["name"] for status in found if not (status["height"] if whole else status["running"])]
        progress(len(found) - len(missing), len(found))
        if not missing and (trust_network(network) or not whole) and begun():
            return
        time.sleep(_EVERY)
    reason = (
        f"{', '.join(missing) or 'the node'} did not answer within {START_SECONDS} s, and is still being started: see "
        f"`kerege network logs --home {quote(str(network.path))}`."
    )
    raise HomeError(reason)


def _leads(process: "subprocess.Popen[bytes]", network: Network) -> bool:
    """Whether it is the one supervisor; not asked by the lock, which it may be about to take."""
    return network.lock.exists() and network.lock.read_text(encoding="ascii") == str(process.pid)


def _is_served(network: Network, port: int | None) -> bool:
    """Whether the node, where one lies here, answers clients, and its pages where they were asked for.

    It does so from the first block on: where others run the rest of the network, nobody waits for that.
    """
    if network.node_here is None or network.here != network.members:
        return True
    with socket.socket(socket.AF_UNIX) as caller, socket.socket() as visitor:
        answers = caller.connect_ex(str(network.home(network.node_here).socket)) == 0
        return answers and (port is None or visitor.connect_ex((HOST, port)) == 0)


def _said(process: "subprocess.Popen[bytes]", log: Path, begin: int) -> str | None:
    if process.poll() is None:
        return None
    with log.open("rb") as file:
        file.seek(begin)
        words = file.read().decode(errors="replace").strip()
    if not words:
        return f"the supervisor ended with code {process.returncode}: see {log}."
    return text_of(words.splitlines()[-1])


def stop(network: Network) -> bool:
    """Stop the supervisor and wait until all its processes are gone; False where none ran. Raises `HomeError`."""
    process = runs(network)
    if process is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while runs(network) is not None:
        if time.monotonic() > until:
            reason = f"the supervisor, process {process}, did not stop within {STOP_SECONDS} s: kill it with -9."
            raise HomeError(reason)
        time.sleep(_EVERY)
    return True


def tail(network: Network, name: str | None, lines: int) -> Iterator[tuple[str, str]]:
    """(who, line) of the newest lines of every log, or of one member's."""
    members = network.here if name is None else (network.find_here(name),)
    if name is None:
        yield from (("supervisor", line) for line in _last(network.log, lines))
    for member in members:
        for part, log in zip(("application", "engine"), network.logs(member), strict=True):
            yield from ((f"{member.name} {part}", line) for line in _last(log, lines))


def follow(network: Network, name: str | None, stopped: Callable[[], bool]) -> Iterator[tuple[str, str]]:
    """What is written from now on, until told to stop."""
    members = network.here if name is None else (network.find_here(name),)
    logs = {} if name is not None else {"supervisor": network.log}
    for member in members:
        application, engine = network.logs(member)
        logs |= {f"{member.name} application": application, f"{member.name} engine": engine}
    read = {who: _size(log) for who, log in logs.items()}
    while not stopped():
        for who, log in logs.items():
            size = _size(log)
            if size < read[who]:
                read[who] = 0  # it was set aside
            if size > read[who]:
                with log.open("rb") as file:
                    file.seek(read[who])
                    whole, _, _ = file.read(size - read[who]).rpartition(b"\n")
                if whole:
                    read[who] += len(whole) + 1
                    yield from ((who, line) for line in whole.decode(errors="replace").splitlines())
        time.sleep(_EVERY)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _last(log: Path, lines: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, _size(log) - _END))
        return file.read().decode(errors="replace").splitlines()[-lines:] if lines else []
