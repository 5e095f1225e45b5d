"""Sending an import's messages: one transaction at a time, answered when durable, while the next rows are judged."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self

from kerege.consensus.door import Door
from kerege.consensus.embedded import Busy
from kerege.gateways.extracts.errors import ImportRefused
from kerege.kernel.codec import decode
from kerege.kernel.errors import RateExceeded, TooManyWaiting
from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Body

HOUR = 3_600_000
WAITING = 3
"""Transactions under way: the ledger writes one while the next is signed and sent."""
PATIENCE = 300
"""Attempts before a busy ledger, or a rate that is used up, is an error."""
RATE_PAUSE = 0.05
"""Seconds until a rate that is used up has flowed in again in part."""


class Signer(Protocol):
    """Whose key signs."""

    address: bytes

    def transaction(self, body: Body) -> bytes:
        """The signed transaction of a body."""


class Sender:
    """Sends lists of messages in order as one account. A context manager: waits for all at its end."""

    def __init__(self, door: Door, signer: Signer, now: Callable[[], int]) -> None:
        self._door = door
        self._now = now
        self._signer = signer
        self._pool = ThreadPoolExecutor(1, "import-sender")
        self._waiting: list[Future[None]] = []
        self.sent = 0
        """Transactions sent."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send soon; raises `ImportRefused` for what was sent before."""
        self._waiting.append(self._pool.submit(self._apply, list(messages)))
        self.sent += 1
        if len(self._waiting) > WAITING:
            self._waiting.pop(0).result()

    def settle(self) -> None:
        """Wait until everything sent is durable; raises `ImportRefused`."""
        while self._waiting:
            self._waiting.pop(0).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def _apply(self, messages: list[Message]) -> None:
        """Submit until it is durable; raises `ImportRefused`, `Busy` where the ledger stays busy."""
        for attempt in range(PATIENCE):
            try:
                code, facts = self._submit(messages)
            except Busy as busy:
                if attempt == PATIENCE - 1:
                    raise
                time.sleep(busy.retry_after / 1000)
                continue
            if not code:
                return
            if code != RateExceeded.code or attempt == PATIENCE - 1:
                raise ImportRefused(reason=code, **facts)
            time.sleep(RATE_PAUSE)

    def _submit(self, messages: list[Message]) -> tuple[str, dict[str, object]]:
        """Code of the refusal, or empty, and its facts."""
        door = self._door
        body = Body(
            ledger=door.ledger,
            sender=self._signer.address,
            lane=0,
            sequence=door.next_sequence(self._signer.address),
            valid_until=max(door.head().time, self._now()) + HOUR,
            salt=os.urandom(16),
            messages=messages,
        )
        (answer,) = door.submit([self._signer.transaction(body)])
        if isinstance(answer.reason, TooManyWaiting):
            raise Busy(answer.reason.size, answer.reason.retry_after)
        if answer.receipt is None:
            return str(answer.reason), {}
        receipt = decode(answer.receipt, Receipt)
        return receipt.code, dict(receipt.facts)
