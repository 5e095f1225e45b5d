"""The engine's JSON-RPC as a client sees it: one kept connection, asked by one thread at a time."""

import http.client
import itertools
import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

ANSWER_MAX = 64 * 1024 * 1024
"""Bytes of an answer that are read at most."""


class RpcError(Exception):
    """The engine answered with an error; the text is its own. Or with what is no answer at all."""


class Unreachable(Exception):
    """The engine does not answer: it is starting, stopping or gone. Whether it has what was sent is not known."""


class Connection(http.client.HTTPConnection):
    """HTTP to somebody who may hold it up, and can be hung up on."""

    _held: socket.socket | None = None
    """The socket: where the answer says `Connection: close` the library forgets it before the answer is read."""
    _ended = False
    """Hung up on from here."""

    def connect(self) -> None:
        """Open it."""
        super().connect()
        self._hold()

    def _hold(self) -> None:
        self._held, self._ended = self.sock, False

    def renew(self) -> None:
        """Close it where the other side hung up: engines do on who says nothing for ten seconds.

        Nothing was asked, so whatever there is to read is that end. The next request opens it again.
        """
        if self.sock is not None and not self._ended and _is_readable(self.sock):
            self.close()

    def hang_up(self) -> None:
        """End it from another thread, also an answer that is waited for."""
        self._ended = True
        if self._held is not None:
            with suppress(OSError):  # gone by itself
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)  # TLS has no say in it


class _Secure(Connection, http.client.HTTPSConnection):
    """HTTP over TLS."""


class _Local(Connection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._hold()
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _is_readable(waiting: socket.socket) -> bool:
    """Whether bytes or an end came."""
    poll = select.poll()
    poll.register(waiting, select.POLLIN)
    return bool(poll.poll(0))


def connection(address: str, timeout: float) -> Connection:
    """To `http://host:port`, `https://host` or `unix:///path`; opened when first used, and again once it was closed."""
    place = urlsplit(address)
    if place.scheme == "unix":
        return _Local(place.path, timeout)
    kind = _Secure if place.scheme == "https" else Connection
    return kind(place.hostname or "", place.port, timeout=timeout)


@contextmanager
def bounded(made: Connection, seconds: float) -> Iterator[threading.Event]:
    """Hang up on who has not answered in full within some seconds: a byte now and then keeps every timeout waiting.

    The event is set where it was hung up on. A connection must come about in less time, by its own timeout.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        made.hang_up()

    patience = threading.Timer(seconds, end)
    patience.daemon = True
    patience.start()
    try:
        yield late
    finally:
        patience.cancel()


class Rpc:
    """A kept `connection` to an engine."""

    def __init__(self, address: str, timeout: float = 10.0, answer_max: int = ANSWER_MAX) -> None:
        """`timeout`: seconds for which it may say nothing; see `bounded` for who says a byte now and then."""
        self._answer_max = answer_max
        self._http = connection(address, timeout)
        self._numbers = itertools.count(1)

    def post(self, body: bytes) -> Any:  # noqa: ANN401 - JSON
        """Send a prepared body; raises `Unreachable`."""
        return self._post("/", body, "application/json")

    def hand_in(self, method: str, transaction: bytes) -> Any:  # noqa: ANN401 - JSON
        """Call `broadcast_tx_sync` or its like with a large transaction; raises `Unreachable`.

        As a form, in hexadecimal digits: JSON is gone through four times by the engine, for a parcel of 56 kB a third
        of all that it does with it.
        """
        return self._post(f"/{method}", b"tx=0x" + transaction.hex().encode(), "application/x-www-form-urlencoded")

    def _post(self, path: str, body: bytes, kind: str) -> Any:  # noqa: ANN401 - JSON
        try:
            self._http.renew()
            self._http.request("POST", path, body, {"Content-Type": kind})
            return json.loads(self._read())
        except (OSError, http.client.HTTPException, ValueError, AttributeError, RecursionError) as error:
            self.close()  # an AttributeError is of a connection that was hung up on meanwhile
            raise Unreachable(str(error) or type(error).__name__) from None

    def _read(self) -> bytes:
        answer = self._http.getresponse().read(self._answer_max + 1)
        if len(answer) > self._answer_max:
            raise ValueError(f"an answer of more than {self._answer_max} bytes")
        return answer

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method; raises `RpcError` or `Unreachable`."""
        asked = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        answer = self.post(json.dumps(asked).encode())
        told = answer if isinstance(answer, dict) else {}
        error, result = told.get("error"), told.get("result")
        if error is not None:
            raise RpcError(str((error.get("data") if isinstance(error, dict) else None) or error))
        if not isinstance(result, dict):
            raise RpcError(f"{method} was answered with what is no result")
        return result

    def hang_up(self) -> None:
        """End it from another thread, also an answer that is waited for."""
        self._http.hang_up()

    def bounded(self, seconds: float) -> AbstractContextManager[threading.Event]:
        """See `bounded`: for whoever asks an engine that others run."""
        return bounded(self._http, seconds)

    def close(self) -> None:
        """Hang up."""
        self._http.close()
