"""Requests that wait together go to the ledger together: one submission a round."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer

ROUNDS = 2
"""Submissions under way at once: while one waits for the disk, the next one is executed."""
MAXIMUM_TRANSACTIONS = 4_000
MAXIMUM_BYTES = 8 * 1024 * 1024
"""Of one round; a single request may hold less."""
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
"""Of what waits for a round: beyond it callers are told to come again."""

Submit = Callable[[list[bytes]], Awaitable[list[Answer]]]


class Submitter(Protocol):
    """Hands in transactions without blocking the event loop."""

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """Answers in the order of the transactions; raises what a door raises."""

    def close(self) -> None:
        """Let go of connections and threads."""


class ThreadedSubmitter:
    """A door's own `submit`, in threads."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._threads = ThreadPoolExecutor(ROUNDS, thread_name_prefix="submit")

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """See `Submitter`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._door.submit, raws)

    def close(self) -> None:
        """See `Submitter`."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Full(Exception):
    """As much waits here as this process takes."""


class Batcher:
    """Collects what concurrent requests submit. For one event loop."""

    def __init__(self, submit: Submit, *, rounds: int = ROUNDS) -> None:
        self._submit = submit
        self._rounds = rounds
        self._running = 0
        self._bytes = 0
        self._waiting: deque[tuple[list[bytes], int, asyncio.Future[list[Answer]]]] = deque()
        self._under_way: set[asyncio.Future[list[Answer]]] = set()

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """Answers in the order of the transactions; raises what the door raises, or `Full`."""
        size = sum(map(len, raws))
        if self._bytes and self._bytes + size > MAXIMUM_WAITING_BYTES:
            raise Full
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Answer]] = loop.create_future()
        self._waiting.append((raws, size, future))
        self._bytes += size
        if self._running < self._rounds:
            self._running += 1
            loop.call_soon(self._begin, loop)  # after whatever else has arrived by now
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand in what waits, as far as one round goes."""
        taken: list[tuple[list[bytes], asyncio.Future[list[Answer]]]] = []
        together: list[bytes] = []
        size = 0
        while self._waiting:
            raws, length, future = self._waiting[0]
            if together and (len(together) + len(raws) > MAXIMUM_TRANSACTIONS or size + length > MAXIMUM_BYTES):
                break
            self._waiting.popleft()
            self._bytes -= length
            together += raws
            size += length
            taken.append((raws, future))
        if not taken:
            self._running -= 1
            return
        done = asyncio.ensure_future(self._submit(together))
        self._under_way.add(done)  # the loop itself holds tasks but weakly
        done.add_done_callback(lambda future: self._end(loop, taken, future))

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        taken: list[tuple[list[bytes], asyncio.Future[list[Answer]]]],
        done: asyncio.Future[list[Answer]],
    ) -> None:
        self._under_way.discard(done)
        self._begin(loop)  # the next round first: it waits longest
        if done.cancelled():
            for _, future in taken:
                future.cancel()
            return
        failure = done.exception()
        answers = [] if failure is not None else done.result()
        at = 0
        for raws, future in taken:
            if not future.done():  # who went away is not told
                if failure is not None:
                    future.set_exception(failure)
                else:
                    future.set_result(answers[at : at + len(raws)])
            at += len(raws)
