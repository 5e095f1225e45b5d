"""HTTP/1.1 with bounds on what a client may hold: bytes of a header, time to send, time to take an answer."""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from kerege.api.problems import BAD_HTTP, BUSY, HEADERS_TOO_LARGE, TOO_SLOW, Kind, Problem
from kerege.api.replies import PROBLEM_JSON, SECURITY, encode_json

MAXIMUM_HEADER = 32 * 1024
"""Bytes of a request line and its headers."""
HEADER_SECONDS = 10.0
"""From the first byte of a request, or from the connection, to the end of its header."""
BODY_SECONDS = 30.0
"""From the end of the header to the end of the body."""
TAKING_SECONDS = 30.0
"""In which a client must take something of an answer that waits for it."""
MAXIMUM_CONNECTIONS = 1_000
DRAINED_BYTES = 16 * 1024 * 1024
"""Of a body that was refused, read and thrown away so that its sender can read why."""
LOOKS = 1.0
"""Seconds between two looks at a connection."""


class Corked:
    """A transport that sends the head of an answer together with the first bytes of its body.

    uvicorn writes them apart: twice the system calls, and a client that is woken for nothing.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, or hold a head until what follows it; at the latest until this turn of the loop ends."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol with bounds. What breaks them before an operation is reached gets a problem, too."""

    header_seconds, body_seconds, taking_seconds = HEADER_SECONDS, BODY_SECONDS, TAKING_SECONDS
    looks = LOOKS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._since: float | None = None
        """When the part of a request that is not whole yet began to come."""
        self._in_header = True
        self._header_bytes = 0
        self._body_bytes = 0
        self._waiting_since: float | None = None
        """Since when an answer waits to be taken."""
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at the clock."""
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type]
        self._since = self.loop.time()
        if len(self.connections) > MAXIMUM_CONNECTIONS:
            detail = f"{MAXIMUM_CONNECTIONS} connections are open here: come again later."
            self._refuse(BUSY, detail)
            return
        self._look = self.loop.call_later(self.looks, self._watch)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count a header's bytes: the parser would gather them without a bound."""
        if self._since is None:
            self._since = self.loop.time()
        if self._in_header:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_header and self._header_bytes > MAXIMUM_HEADER and not self.transport.is_closing():
            self._refuse(HEADERS_TOO_LARGE, f"The header has more than {MAXIMUM_HEADER} bytes: send less.")

    def on_headers_complete(self) -> None:
        """The body may come now."""
        self._in_header = False
        self._header_bytes = self._body_bytes = 0
        self._since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Throw away what belongs to an answered request, up to a bound."""
        self._body_bytes += len(body)
        if self._body_bytes > DRAINED_BYTES:
            self.transport.abort()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_header = True
        self._since = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not take what is sent to it."""
        self._waiting_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._waiting_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """The answer to bytes that are no HTTP."""
        self._refuse(BAD_HTTP, msg)

    def _watch(self) -> None:
        """Whether somebody takes too long."""
        now = self.loop.time()
        if self._waiting_since is not None and now - self._waiting_since > self.taking_seconds:
            self.transport.abort()
            return
        if self._since is not None:
            bound = self.header_seconds if self._in_header else self.body_seconds
            if now - self._since > bound:
                self._too_slow(bound)
                return
        self._look = self.loop.call_later(self.looks, self._watch)

    def _too_slow(self, bound: float) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        answering = cycle is not None and cycle.response_started and not cycle.response_complete
        if answering or (self._in_header and self._header_bytes == 0):
            self.transport.abort() if answering else self.transport.close()
            return
        part = "header" if self._in_header else "body"
        self._refuse(TOO_SLOW, f"The {part} did not arrive within {bound:.0f} s: send it again without pauses.")

    def _refuse(self, kind: Kind, detail: str) -> None:
        """Answer and hang up."""
        body = encode_json(Problem(kind, detail).body)
        lines = [STATUS_LINE[kind.status]]
        headers = [
            *SECURITY,
            ("content-type", PROBLEM_JSON),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        lines += [f"{name}: {value}\r\n".encode() for name, value in headers]
        self.transport.write(b"".join([*lines, b"\r\n", body]))
        self.transport.close()
