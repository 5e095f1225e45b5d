"""The engine's JSON-RPC as a client sees it: one kept connection, asked by one thread at a time."""

import http.client
import itertools
import json
from typing import Any
from urllib.parse import urlsplit


class RpcError(Exception):
    """The engine answered with an error; the text is its own."""


class Unreachable(Exception):
    """The engine does not answer: it is starting, stopping or gone."""


class Rpc:
    """A connection to an engine at `http://host:port`; opened when first used, and again after a failure."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        place = urlsplit(url)
        self._http = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout)
        self._numbers = itertools.count(1)

    def post(self, body: bytes) -> Any:  # noqa: ANN401 - JSON
        """Send a prepared body; raises `Unreachable`."""
        try:
            self._http.request("POST", "/", body, {"Content-Type": "application/json"})
            return json.loads(self._http.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(str(error)) from None

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method; raises `RpcError` or `Unreachable`."""
        asked = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        answer = self.post(json.dumps(asked).encode())
        if "error" in answer:
            raise RpcError(str(answer["error"].get("data") or answer["error"]))
        result: dict[str, Any] = answer["result"]
        return result

    def close(self) -> None:
        """Hang up."""
        self._http.close()
