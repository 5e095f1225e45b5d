"""Sending an import's messages: a chunk at a time, answered when durable, while the next rows are judged."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self

from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer, Busy
from kerege.gateways.extracts.errors import ImportRefused
from kerege.kernel.codec import decode
from kerege.kernel.errors import RateExceeded, TooManyOutOfTurn, TooManyWaiting, WrongSequence
from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Body

HOUR = 3_600_000
WAITING = 3
"""Sendings under way: the ledger writes one while the next is signed."""
PATIENCE = 300
"""Attempts before a busy ledger, or a rate that is used up, is an error."""
RATE_PAUSE = 0.05
"""Seconds until a rate that is used up has flowed in again in part."""

_LATER = (TooManyWaiting, TooManyOutOfTurn, WrongSequence)
"""A sender's share is full, and what followed out of turn for that."""
_AGAIN = (RateExceeded.code, *(reason.code for reason in _LATER))


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
            for code, facts in answers:
                if code and (code not in _AGAIN or attempt == PATIENCE - 1):
                    raise ImportRefused(reason=code, **facts)
            left = [part for part, (code, _) in zip(left, answers, strict=True) if code]
            if not left:
                return
            time.sleep(RATE_PAUSE)

    def _submit(self, parts: Sequence[Sequence[Message]]) -> list[tuple[str, dict[str, object]]]:
        """Of each part the code of the refusal, or empty, and its facts."""
        door = self._door
        sequence = door.next_sequence(self._signer.address)
        until = max(door.head().time, self._now()) + HOUR
        answers = door.submit([self._signed(part, number, until) for number, part in enumerate(parts, sequence)])
        return [_outcome(answer) for answer in answers]

    def _signed(self, messages: Sequence[Message], sequence: int, until: int) -> bytes:
        body = Body(
            ledger=self._door.ledger,
            sender=self._signer.address,
            lane=0,
            sequence=sequence,
            valid_until=until,
            salt=os.urandom(16),
            messages=list(messages),
        )
        return self._signer.transaction(body)


def _outcome(answer: Answer) -> tuple[str, dict[str, object]]:
    """Code of the refusal, or empty, and its facts."""
    if answer.receipt is None:
        return (answer.reason.code if isinstance(answer.reason, _LATER) else str(answer.reason)), {}
    receipt = decode(answer.receipt, Receipt)
    return receipt.code, dict(receipt.facts)
