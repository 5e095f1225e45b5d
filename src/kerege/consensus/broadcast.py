"""Handing transactions to one's own engine: its JSON-RPC, on loopback or a Unix socket, never from the engine's calls.

What comes back says only whether the engine keeps it now. What becomes of it is told by the blocks.
"""

import base64
import http.client
import json
import socket
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from kerege.consensus.codes import BUSY

AT_ONCE = 10
"""Calls of one request at most: the engine's own default (`rpc.max_request_batch_size`)."""
AWAITED = 2
"""Calls of one request that wait for the application, one after another: of more, only what the pool says is told."""
BODY_BYTES = 900_000
"""Of one request at most, before base64: the engine takes 1,000,000 of JSON, however it was set up."""
SECONDS = 10.0
"""How long the engine may take to answer: it waits for the application, which may be executing a block."""
_BASE64 = 3 / 4
_SHOWN = 200
"""Characters of an answer that is none, for the alarm."""
_FAILURES = (OSError, http.client.HTTPException, ValueError, AttributeError)
"""Of a connection that was, or is being, closed."""


class Unreachable(Exception):
    """The engine did not answer: whether it has what was sent is not known."""


class Offered(Enum):
    """What the engine does with a transaction that was offered to it."""

    WAITS = "it waits in the pool, or did so already"
    LATER = "the pool or the application is busy"
    REFUSED = "the application does not let it in"


class Broadcaster:
    """One connection to an engine's RPC (`http://host:port` or `unix:///path`); for one thread but for `close`."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        if self._address.scheme not in {"http", "unix"}:
            raise ValueError(f"{address!r} is no address of an engine: http://host:port or unix:///path")
        self._http: http.client.HTTPConnection | None = None
        self.connections = 0
        """How often it connected: the engine hangs up after some idle seconds, or was started anew."""

    def offer(self, raws: Sequence[bytes]) -> list[Offered]:
        """What the engine says to each, in order; raises `Unreachable`, where it may have taken any of them."""
        said: list[Offered] = []
        while len(said) < len(raws):
            count, size = 0, 0
            for raw in raws[len(said) : len(said) + AT_ONCE]:
                size += len(raw)
                if count and size > BODY_BYTES * _BASE64:
                    break
                count += 1
            said.extend(self._offer_some(raws[len(said) : len(said) + count]))
        return said

    def close(self) -> None:
        """Hang up, also on an answer that another thread waits for."""
        connection, self._http = self._http, None
        if connection is not None:
            if connection.sock is not None:
                with suppress(OSError):  # gone by itself
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _offer_some(self, raws: Sequence[bytes]) -> list[Offered]:
        method = "broadcast_tx_sync" if len(raws) <= AWAITED else "broadcast_tx_async"
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": method,
                "params": {"tx": base64.b64encode(raw).decode()},
            }
            for number, raw in enumerate(raws)
        ]
        answers = self._post(json.dumps(calls).encode())
        try:
            told = {answer["id"]: answer for answer in answers}
            return [_said(told[number]) for number in range(len(raws))]
        except (AttributeError, KeyError, TypeError, ValueError):  # an engine that stops, or refuses all calls in one
            raise Unreachable(f"what it answered is none: {str(answers)[:_SHOWN]}") from None

    def _post(self, body: bytes) -> list[dict[str, Any]]:
        """On the connection that is there, and where the engine has hung up meanwhile on another one."""
        try:
            return self._post_once(self._http, body) if self._http is not None else self._post_anew(body)
        except _FAILURES:
            return self._post_anew(body)

    def _post_anew(self, body: bytes) -> list[dict[str, Any]]:
        self.close()
        self._http = fresh = self._connection()
        self.connections += 1
        try:
            return self._post_once(fresh, body)
        except _FAILURES as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error

    @staticmethod
    def _post_once(connection: http.client.HTTPConnection, body: bytes) -> list[dict[str, Any]]:
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        return answer if isinstance(answer, list) else [answer]

    def _connection(self) -> http.client.HTTPConnection:
        if self._address.scheme == "unix":
            return _Local(self._address.path)
        return http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=SECONDS)


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def _said(answer: dict[str, Any]) -> Offered:
    """Errors are the engine's own: in its cache already, its pool full, the block too small."""
    if "error" in answer:
        text = str(answer["error"].get("data", ""))
        return Offered.WAITS if "already exists in cache" in text else Offered.LATER
    code = int(answer["result"]["code"])
    return Offered.WAITS if code == 0 else Offered.LATER if code == BUSY else Offered.REFUSED
