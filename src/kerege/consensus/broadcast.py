"""Handing transactions to one's own engine: its JSON-RPC, on loopback or a Unix socket, never from the engine's calls.

What comes back says only whether the engine keeps it now. What becomes of it is told by the blocks.
"""

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from kerege.consensus.codes import BUSY
from kerege.consensus.cometbft.rpc import Rpc, Unreachable

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


class Offered(Enum):
    """What the engine does with a transaction that was offered to it."""

    WAITS = "it waits in the pool, or did so already"
    LATER = "the pool or the application is busy"
    REFUSED = "the application does not let it in"


class Broadcaster:
    """One connection to an engine's RPC (`http://host:port` or `unix:///path`); for one thread but for `close`."""

    def __init__(self, address: str) -> None:
        if urlsplit(address).scheme not in {"http", "unix"}:
            raise ValueError(f"{address!r} is no address of an engine: http://host:port or unix:///path")
        self._rpc = Rpc(address, SECONDS)
        self._connected = False
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
        self._rpc.hang_up()
        self._rpc.close()

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
        if self._connected:
            with suppress(Unreachable):
                return _as_list(self._rpc.post(body))
        self._connected = False
        self.connections += 1
        answer = self._rpc.post(body)
        self._connected = True
        return _as_list(answer)


def _as_list(answer: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return answer if isinstance(answer, list) else [answer]


def _said(answer: dict[str, Any]) -> Offered:
    """Errors are the engine's own: in its cache already, its pool full, the block too small."""
    if "error" in answer:
        text = str(answer["error"].get("data", ""))
        return Offered.WAITS if "already exists in cache" in text else Offered.LATER
    code = int(answer["result"]["code"])
    return Offered.WAITS if code == 0 else Offered.LATER if code == BUSY else Offered.REFUSED
