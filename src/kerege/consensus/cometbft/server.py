"""Serve an application to an engine on a Unix socket: `run` for a process of its own, `Server` inside another loop.

When the application fails where the state is in doubt, the engine is told, every connection is closed and the process
ends with one clear text: the engine ends too, and whoever supervises both starts them together.
"""

import asyncio
import signal
import socket
import sys
import traceback
from collections.abc import Callable

import uvloop

from kerege.consensus.cometbft.application import Application
from kerege.consensus.cometbft.connection import Connection, Observe
from kerege.consensus.cometbft.framing import MESSAGE_MAX
from kerege.consensus.cometbft.threads import Threads

CONNECTIONS_MAX = 16
"""Connections at once: an engine opens four, and one that was killed may not yet be noticed."""
THREADS = 4
"""Queries and chunks of snapshots that are answered at once; one a connection."""
GOODBYE_SECONDS = 1.0
"""How long the last answer may take to leave."""

Alarm = Callable[[str], None]


class ApplicationFailed(Exception):
    """The application failed where the state is in doubt; the cause is what it raised."""


def say(text: str) -> None:
    """Tell the operator on standard error, at once."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - where nothing else is wired


class Server:
    """Serves one application; `start` on a listening socket, then `finished`."""

    def __init__(
        self,
        application: Application,
        *,
        message_max: int = MESSAGE_MAX,
        alarm: Alarm = say,
        observe: Observe | None = None,
    ) -> None:
        self.application = application
        self.message_max = message_max
        self.observe = observe
        self.executor = Threads(THREADS)
        self._alarm = alarm
        self._connections: dict[Connection, None] = {}
        self._consensus: Connection | None = None
        self._failure: ApplicationFailed | None = None
        self._stopped = asyncio.Event()
        self._gone = asyncio.Event()
        """Set while there is no connection."""
        self._gone.set()
        self._listening: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Take connections from a listening socket, see `listen`."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_unix_server(lambda: Connection(self), sock=listener)

    def stop(self) -> None:
        """Take no more and close what is open; `finished` returns."""
        self._stopped.set()

    async def finished(self) -> None:
        """Wait until `stop`; raises `ApplicationFailed` where the application made it stop."""
        try:
            await self._stopped.wait()
        finally:
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        for connection in list(self._connections):
            connection.close()
        try:
            await asyncio.wait_for(self._gone.wait(), GOODBYE_SECONDS)
        except TimeoutError:
            self._alarm("an engine did not take its last answer")
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)  # the loop closes what was aborted in its next round
        self.executor.shutdown()

    # What the connections ask

    def alarm(self, text: str, error: Exception | None = None) -> None:
        """Tell the operator, with the whole story of an exception."""
        if error is not None:
            text = f"{text}\n{''.join(traceback.format_exception(error)).rstrip()}"
        self._alarm(text)

    def fail(self, text: str, error: Exception) -> None:
        """Stop: after this nobody is answered."""
        if self._failure is None:
            self._failure = ApplicationFailed(text)
            self._failure.__cause__ = error
        for connection in list(self._connections):
            connection.close()
        self._stopped.set()

    def opened(self, connection: Connection) -> bool:
        """Count a connection; False beyond the limit, or where the server is stopping."""
        self._connections[connection] = None
        self._gone.clear()
        return len(self._connections) <= CONNECTIONS_MAX and not self._stopped.is_set()

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.pop(connection, None)
        if self._consensus is connection:
            self._consensus = None
        if not self._connections:
            self._gone.set()

    def claim_consensus(self, connection: Connection) -> bool:
        """Give consensus to the first connection that asks, while that lives."""
        if self._consensus is None:
            self._consensus = connection
        return self._consensus is connection


async def serve(
    application: Application,
    listener: socket.socket,
    *,
    message_max: int = MESSAGE_MAX,
    alarm: Alarm = say,
    observe: Observe | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, between two messages; raises `ApplicationFailed`."""
    server = Server(application, message_max=message_max, alarm=alarm, observe=observe)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.start(listener)
    await server.finished()


def run(
    application: Application,
    listener: socket.socket,
    *,
    message_max: int = MESSAGE_MAX,
    alarm: Alarm = say,
    observe: Observe | None = None,
) -> int:
    """Serve in this process, and return its exit code: 0 when asked to stop, 1 when the application failed.

    `observe` is told how long the application took for each call.
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(application, listener, message_max=message_max, alarm=alarm, observe=observe))
    except ApplicationFailed as failure:
        cause = failure.__cause__
        story = "" if cause is None else "".join(traceback.format_exception(cause))
        alarm(
            f"{story}FATAL: {failure}. This process stops, and the engine with it; no part of an uncommitted block "
            "was kept. Start both again; where it fails again, the application needs a correction."
        )
        return 1
    return 0
