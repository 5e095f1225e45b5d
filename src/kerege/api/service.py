"""What every operation works with: the door, asked in threads, and what was derived from the modules once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kerege.api.batching import Batcher, Full, Submitter, ThreadedSubmitter
from kerege.api.idempotency import Keys
from kerege.api.languages import DEFAULT, choose
from kerege.api.metrics import Metrics
from kerege.api.outcomes import Teller
from kerege.api.problems import BUSY, NO_NODE, RESTORING, Problem
from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer, Busy, Stopped
from kerege.consensus.outcomes import Texts
from kerege.consensus.whole import BeingRestored
from kerege.kernel.module import Modules
from kerege.modules import MODULES

READERS = 4
"""Threads that ask the door for what is read."""

T = TypeVar("T")


class Service:
    """One API over one ledger; asked from one event loop."""

    def __init__(self, door: Door, texts: Texts, trust: bytes, metrics: Metrics, submitter: Submitter | None) -> None:
        self.door = door
        self.modules = Modules(MODULES)
        self.texts = texts
        self.trust = trust
        self.keys = Keys()
        self._count = metrics.rounds.observe
        self.batcher = Batcher(self._counted)
        self._submitter = submitter or ThreadedSubmitter(door)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._tellers: dict[str, Teller] = {}

    def close(self) -> None:
        """Let the threads end; the door is its owner's to close."""
        self._submitter.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def ask(self, question: Callable[[Door], T]) -> T:
        """Ask the door in a thread; raises `Problem` where the node does not answer, or has no whole ledger."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, self._asked, question)
        except (Stopped, OSError) as lost:
            raise no_node(lost) from None
        except BeingRestored as reason:
            raise restoring(reason) from None

    def _asked(self, question: Callable[[Door], T]) -> T:
        try:
            return question(self.door)
        except (Stopped, ConnectionError):  # a connection to a node that was started anew since
            return question(self.door)

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """Submit transactions; raises `Problem` where the node is busy or does not answer."""
        return await self._given(self.batcher.submit(raws))

    async def accept(self, raws: list[bytes]) -> list[Answer]:
        """The same, but wait only until the node keeps them."""
        return await self._given(self.ask(lambda door: door.accept(raws)))

    async def _given(self, answers: Awaitable[list[Answer]]) -> list[Answer]:
        try:
            return await answers
        except Busy as busy:
            detail = f"Nothing was accepted ({busy.waiting} bytes wait): send it again in {busy.retry_after} ms."
            raise Problem(BUSY, detail, headers={"retry-after": "1"}) from None
        except Full:
            detail = "Nothing was accepted, too much waits in this process: send it again in a second."
            raise Problem(BUSY, detail, headers={"retry-after": "1"}) from None
        except (Stopped, OSError) as lost:
            raise no_node(lost) from None
        except BeingRestored as reason:
            raise restoring(reason) from None

    async def _counted(self, raws: list[bytes]) -> list[Answer]:
        self._count(len(raws))
        try:
            return await self._submitter.submit(raws)
        except (Stopped, ConnectionError):  # sent twice is recorded once: the ledger answers with the first receipt
            return await self._submitter.submit(raws)

    def teller(self, accept_language: str) -> Teller:
        """Who tells outcomes in the language that a header asks for."""
        language = choose(accept_language, self.texts) if accept_language else DEFAULT
        found = self._tellers.get(language)
        if found is None:
            found = self._tellers[language] = Teller(self.door.prefix, self.texts, language)
        return found


def no_node(lost: BaseException) -> Problem:
    """The answer where the node is not there: whether something was accepted is told by asking for its receipt."""
    reason = str(lost).rstrip(".") or type(lost).__name__
    detail = f"The node does not answer ({reason}): ask for the receipt by the transaction's id when it runs again."
    return Problem(NO_NODE, detail, headers={"retry-after": "2"})


def restoring(reason: BeingRestored) -> Problem:
    """The problem of a node that is filled from a snapshot: nothing is told before the ledger is whole."""
    sentence = str(reason)
    detail = f"{sentence[0].upper()}{sentence[1:]}: nothing was read, nothing was accepted."
    return Problem(RESTORING, detail, headers={"retry-after": str(reason.retry_after)})


def wall_clock() -> int:
    """Milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000
