"""Submitting through the node's socket from an event loop: no thread is handed anything, nothing blocks."""

import asyncio
from pathlib import Path

from kerege.consensus.embedded import Answer, Stopped
from kerege.kernel.codec import encode
from kerege.kernel.scan import Malformed, scan
from kerege.node.wire import MAXIMUM_DEPTH, MAXIMUM_FRAME, MAXIMUM_ITEMS, WireFault, frame, read_answers

_HEAD = 4
"""Bytes of a frame's length."""


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.open = True
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None

    def ask(self, raw: bytes) -> asyncio.Future[bytes]:
        """The answer's frame, when it has come."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(frame(raw))
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """A part of a frame."""
        received = self._received
        received += data
        if len(received) < _HEAD:
            return
        size = int.from_bytes(received[:_HEAD])
        if size > MAXIMUM_FRAME:
            self._fail(WireFault(f"frame of {size} bytes"))
            return
        if len(received) < _HEAD + size or self._answer is None:
            return
        whole = bytes(received[_HEAD : _HEAD + size])
        received.clear()
        answer, self._answer = self._answer, None
        if not answer.done():
            answer.set_result(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self._fail(Stopped(f"the node hung up ({exc or 'closed'}): ask for the receipt when it runs again"))

    def _fail(self, failure: Exception) -> None:
        self.open = False
        self.transport.close()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(failure)


class AsyncSubmitter:
    """Submits to a running node; raises what `SocketDoor.submit` raises. For one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._idle: list[_Connection] = []

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """Hand in transactions and wait until each is durable or was found to be no transaction."""
        connection = await self._connection()
        try:
            raw = await connection.ask(encode(["submit", [raws]]))
            scan(raw, MAXIMUM_DEPTH, MAXIMUM_ITEMS)
        except Malformed as error:
            connection.transport.close()
            raise WireFault(f"frame refused: {error.reason}") from None
        except BaseException:
            connection.transport.close()  # an answer half read would be taken for the next one
            raise
        self._idle.append(connection)
        return read_answers(raw)

    def close(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.pop().transport.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        _, made = await asyncio.get_running_loop().create_unix_connection(_Connection, self._path)
        return made
