"""Handing transactions to one's own engine: its JSON-RPC, on loopback or a Unix socket, never from the engine's calls.

What comes back says only whether the engine keeps it now. What becomes of it is told by the blocks.
"""

import base64
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from kerege.consensus.codes import BUSY
from kerege.consensus.cometbft.rpc import Rpc, Unreachable

AT_ONCE = 10
"""Calls of one request at most: the engine's own default (`rpc.max_request_batch_size`)."""
AWAITED = 2
"""Transactions offered together that wait for the application, one after another: of more, only what the pool says is
told."""
LARGE = 8 * 1024
"""Bytes from which on a transaction goes by itself, see `Rpc.hand_in`."""
SECONDS = 10.0
"""How long the engine may take to answer: it waits for the application, which may be executing a block."""
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
        method = "broadcast_tx_sync" if len(raws) <= AWAITED else "broadcast_tx_async"
        while len(said) < len(raws):
            some = _together(raws[len(said) : len(said) + AT_ONCE])
            said.extend(self._offer_some(method, some) if some else [self._offer_large(method, raws[len(said)])])
        return said

    def close(self) -> None:
        """Hang up, also on an answer that another thread waits for."""
        self._rpc.hang_up()
        self._rpc.close()

    def _offer_large(self, method: str, raw: bytes) -> Offered:
        answer = self._ask(lambda: self._rpc.hand_in(method, raw))
        try:
            return _said(answer)
        except (AttributeError, KeyError, TypeError, ValueError):  # an engine that stops
            raise _no_answer(answer) from None

    def _offer_some(self, method: str, raws: Sequence[bytes]) -> list[Offered]:
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": method,
                "params": {"tx": base64.b64encode(raw).decode()},
            }
            for number, raw in enumerate(raws)
        ]
        body = json.dumps(calls).encode()
        answers = self._ask(lambda: self._rpc.post(body))
        try:
            told = {answer["id"]: answer for answer in (answers if isinstance(answers, list) else [answers])}
            return [_said(told[number]) for number in range(len(raws))]
        except (AttributeError, KeyError, TypeError, ValueError):  # an engine that stops, or refuses all calls in one
            raise _no_answer(answers) from None

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """On the connection that is there, and where the engine has hung up meanwhile on another one."""
        if self._connected:
            with suppress(Unreachable):
                return call()
        self._connected = False
        self.connections += 1
        answer = call()
        self._connected = True
        return answer


def _together(raws: Sequence[bytes]) -> Sequence[bytes]:
    """Those at the beginning that go in one request; none where the first is large."""
    large = (number for number, raw in enumerate(raws) if len(raw) >= LARGE)
    return raws[: next(large, len(raws))]


def _no_answer(answer: Any) -> Unreachable:  # noqa: ANN401 - JSON
    return Unreachable(f"what it answered is none: {str(answer)[:_SHOWN]}")


def _said(answer: dict[str, Any]) -> Offered:
    """Errors are the engine's own: in its cache already, its pool full, the block too small."""
    if "error" in answer:
        text = str(answer["error"].get("data", ""))
        return Offered.WAITS if "already exists in cache" in text else Offered.LATER
    code = int(answer["result"]["code"])
    return Offered.WAITS if code == 0 else Offered.LATER if code == BUSY else Offered.REFUSED
