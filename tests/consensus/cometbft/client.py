"""The engine's side of the socket, and a server for it in this process."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop
from google.protobuf.message import Message

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.application import Application
from kerege.consensus.cometbft.framing import Frames, varint
from kerege.consensus.cometbft.listener import listen
from kerege.consensus.cometbft.server import ApplicationFailed, Server

SECONDS = 120.0
"""How long a test waits before it is sure that nothing comes."""


def framed(method: str, request: Message | None = None) -> bytes:
    """A request as the engine writes it."""
    wrapped = m.Request()
    getattr(wrapped, method).SetInParent()
    if request is not None:
        getattr(wrapped, method).CopyFrom(request)
    body = wrapped.SerializeToString()
    return varint(len(body)) + body


class Caller:
    """One connection."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.frames = Frames()

    def send(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def receive(self) -> m.Response:
        """The next answer; `EOFError` where the server has closed."""
        while (body := self.frames.take()) is None:
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self.frames.feed(data)
        return m.Response.FromString(body)

    def call(self, method: str, request: Message | None = None) -> Any:
        """Ask, flush, and return the answer inside of `Response`."""
        self.send(framed(method, request) + framed("flush"))
        answer = self.receive()
        kind = answer.WhichOneof("value")
        if kind == "exception":
            raise RuntimeError(answer.exception.error)
        assert kind == method
        assert self.receive().WhichOneof("value") == "flush"
        return getattr(answer, method)

    def is_closed(self) -> bool:
        """Whether the server closes this connection without a word."""
        with suppress(EOFError):
            self.receive()
            return False
        return True

    def close(self) -> None:
        self.socket.close()


class Hosted:
    """An application served on a thread of this process."""

    def __init__(
        self,
        application: Application,
        path: Path,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
        **options: Any,
    ) -> None:
        """On the loop that `run` uses, unless another is given."""
        self.path = path
        self._loop_factory = loop_factory
        self.lines: list[str] = []
        self.failure: ApplicationFailed | None = None
        self.callers: list[Caller] = []
        self._application = application
        self._options = options
        self._listener = listen(f"unix://{path}")
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self._application, alarm=self.lines.append, **self._options)
        await self._server.start(self._listener)
        self._ready.set()
        try:
            await self._server.finished()
        except ApplicationFailed as failure:
            self.failure = failure

    def start(self) -> None:
        self.thread.start()
        assert self._ready.wait(SECONDS)

    def connect(self) -> Caller:
        caller = Caller(self.path)
        self.callers.append(caller)
        return caller

    def stop(self) -> None:
        with suppress(RuntimeError):  # it has stopped by itself
            self._loop.call_soon_threadsafe(self._server.stop)
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()
        for caller in self.callers:
            caller.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def hosted(application: Application, path: Path, **options: Any) -> Iterator[Hosted]:
    served = Hosted(application, path, **options)
    served.start()
    try:
        yield served
    finally:
        served.stop()
