"""Sending an import's messages: some chunks at a time, answered when durable, while the next rows are judged."""

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
from kerege.kernel.receipts import ReceiptHead
from kerege.kernel.transaction import Body

WAITING = 1
"""Sendings under way while the next chunks are entered."""
PATIENCE = 300
"""Attempts in which nothing was taken before a busy ledger, or a rate that is used up, is an error."""
RATE_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds until a rate that is used up has flowed in again in part."""

_LATER = (TooManyWaiting, TooManyOutOfTurn, WrongSequence)
"""A sender's share is full, and what followed out of turn for that."""
_read_head = msgspec.msgpack.Decoder(ReceiptHead).decode


class Signer(Protocol):
    """Whose key signs."""

    address: bytes

    def transaction(self, body: Body) -> bytes:
        """The signed transaction of a body."""


class Sender:
    """Sends lists of messages in order as one account. A context manager: waits for all at its end.

    What came together is sent together and makes one block.
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
        """Submit until all are durable; raises `ImportRefused`, `Busy` where the ledger stays busy.

        Where a rate is used up, as many are sent again as were taken before: each refusal is entered on the ledger.
        """
        self.sent += len(parts)
        left, at_once, tries = list(parts), len(parts), 0
        while left:
            tries += 1
            sending = left[:at_once]
            try:
                refused = [_refused(answer) for answer in self._submit(sending)]
            except Busy as busy:
                if tries == PATIENCE:
                    raise
                time.sleep(busy.retry_after / 1000)
                continue
            again = [part for part, each in zip(sending, refused, strict=True) if each is not None]
            taken = len(sending) - len(again)
            for each in filter(None, refused):
                if each.later is None or (tries == PATIENCE and not taken):
                    raise ImportRefused(reason=each.reason, **each.facts)
            left[:at_once] = again
            at_once = max(1, taken) if again else 2 * at_once
            tries = 0 if taken else tries
            if again:
                time.sleep(_pause(refused))

    def _submit(self, parts: Sequence[Sequence[Message]]) -> list[Answer]:
        bodies = next_bodies(self._door, self._signer.address, parts, self._now())
        return self._door.submit([self._signer.transaction(body) for body in bodies])


class _Refused(NamedTuple):
    reason: str
    facts: dict[str, Any]
    later: float | None
    """Seconds after which the same may be taken, as far as is known; None: never."""


def _refused(answer: Answer) -> _Refused | None:
    """Why it was not applied; None where it was."""
    if answer.receipt is None:
        return _Refused(str(answer.reason), {}, 0.0 if isinstance(answer.reason, _LATER) else None)
    receipt = _read_head(answer.receipt)
    if not receipt.code:
        return None
    facts = dict(receipt.facts)
    later = (facts["retry_at"] - receipt.time) / 1000 if receipt.code == RateExceeded.code else None
    return _Refused(receipt.code, facts, later)


def _pause(refused: Sequence[_Refused | None]) -> float:
    """Seconds until most of what was refused may be taken: each refusal is entered on the ledger, so few are made."""
    waits = sum(each.later or 0.0 for each in filter(None, refused))
    return min(max(waits, RATE_PAUSE), LONGEST_PAUSE)
