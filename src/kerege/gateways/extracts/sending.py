"""Sending an import's messages: a chunk at a time, answered when durable, while the next rows are judged."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, Self

import msgspec

from kerege.consensus.bodies import next_bodies
from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer, Busy
from kerege.gateways.extracts.errors import ImportRefused
from kerege.kernel.errors import RateExceeded, TooManyOutOfTurn, TooManyWaiting, WrongSequence
from kerege.kernel.messages import Message
from kerege.kernel.transaction import Body
from kerege.kernel.types import Hash, Height, Time

WAITING = 1
"""Sendings under way: the ledger writes one while the next is signed."""
PATIENCE = 300
"""Attempts before a busy ledger, or a rate that is used up, is an error."""
RATE_PAUSE = 0.05
"""Seconds until a rate that is used up has flowed in again in part."""

_LATER = (TooManyWaiting, TooManyOutOfTurn, WrongSequence)
"""A sender's share is full, and what followed out of turn for that."""


class Signer(Protocol):
    """Whose key signs."""

    address: bytes

    def transaction(self, body: Body) -> bytes:
        """The signed transaction of a body."""


class Sender:
    """Sends lists of messages in order as one account. A context manager: waits for all at its end.

    What came together, or while others were under way, is sent together and makes one block.
    """

    def __init__(self, door: Door, signer: Signer, now: Callable[[], int]) -> None:
        self._door = door
        self._now = now
        self._signer = signer
        self._pool = ThreadPoolExecutor(1, "import-sender")
        self._waiting: list[Future[None]] = []
        self.sent = 0
        """Transactions sent."""

    def send(self, parts: Sequence[Sequence[Message]]) -> None:
        """Send soon, each part as a transaction; raises `ImportRefused` for what was sent before."""
        if parts:
            self._waiting.append(self._pool.submit(self._apply, parts))
        if len(self._waiting) > WAITING:
            self._waiting.pop(0).result()

    def send_now(self, *messages: Message) -> None:
        """Send one transaction after all before it, and wait until it is durable; raises `ImportRefused`."""
        self._pool.submit(self._apply, [messages]).result()

    def settle(self) -> None:
        """Wait until everything sent is durable; raises `ImportRefused`."""
        while self._waiting:
            self._waiting.pop(0).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def _apply(self, parts: Sequence[Sequence[Message]]) -> None:
        """Submit until all are durable; raises `ImportRefused`, `Busy` where the ledger stays busy."""
        self.sent += len(parts)
        left = list(parts)
        for attempt in range(PATIENCE):
            try:
                answers = self._submit(left)
            except Busy as busy:
                if attempt == PATIENCE - 1:
                    raise
                time.sleep(busy.retry_after / 1000)
                continue
            refused = [_refused(answer) for answer in answers]
            for each in refused:
                if each is not None and (not each.again or attempt == PATIENCE - 1):
                    raise ImportRefused(reason=each.reason, **each.facts)
            left = [part for part, each in zip(left, refused, strict=True) if each is not None]
            if not left:
                return
            time.sleep(RATE_PAUSE)

    def _submit(self, parts: Sequence[Sequence[Message]]) -> list[Answer]:
        bodies = next_bodies(self._door, self._signer.address, parts, self._now())
        return self._door.submit([self._signer.transaction(body) for body in bodies])


class _ReceiptHead(msgspec.Struct, frozen=True, array_like=True, tag="receipt"):
    """What a `Receipt` begins with: its events, of which there are as many as rows, are not read."""

    transaction: Hash
    witness: Hash
    height: Height
    time: Time
    code: str
    facts: list[tuple[str, Any]]


_read_head = msgspec.msgpack.Decoder(_ReceiptHead).decode


class _Refused(NamedTuple):
    reason: str
    facts: dict[str, object]
    again: bool
    """Whether the same may be taken a little later."""


def _refused(answer: Answer) -> _Refused | None:
    """Why it was not applied; None where it was."""
    if answer.receipt is None:
        return _Refused(str(answer.reason), {}, isinstance(answer.reason, _LATER))
    receipt = _read_head(answer.receipt)
    return _Refused(receipt.code, dict(receipt.facts), receipt.code == RateExceeded.code) if receipt.code else None
