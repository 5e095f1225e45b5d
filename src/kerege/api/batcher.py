"""Requests that come together go to the ledger together: one call of the door for all that wait."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer

ROUNDS = 4
"""Calls of the door under way at once: while one waits for its block, the next fills up."""
MOST = 2_000
"""Transactions of one call."""


class Batcher:
    """Collects while a call is under way, then hands in what has come."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._pool = ThreadPoolExecutor(ROUNDS, "submit")
        self._waiting: list[tuple[list[bytes], asyncio.Future[list[Answer]]]] = []
        self._running = 0

    async def submit(self, raws: list[bytes]) -> list[Answer]:
        """Answers when all are durable; raises what the door raises."""
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((raws, future))
        if self._running < ROUNDS:
            self._start()
        return await future

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        taken: list[tuple[list[bytes], asyncio.Future[list[Answer]]]] = []
        count = 0
        while self._waiting and (not taken or count + len(self._waiting[0][0]) <= MOST):
            taken.append(self._waiting.pop(0))
            count += len(taken[-1][0])
        self._running += 1
        raws = [raw for part, _ in taken for raw in part]
        done = asyncio.get_running_loop().run_in_executor(self._pool, self._door.submit, raws)
        done.add_done_callback(lambda result: self._answer(taken, result))

    def _answer(
        self, taken: list[tuple[list[bytes], asyncio.Future[list[Answer]]]], result: asyncio.Future[list[Answer]]
    ) -> None:
        self._running -= 1
        if self._waiting:
            self._start()
        error = result.exception()
        answers = iter([] if error is not None else result.result())
        for part, future in taken:
            if future.cancelled():
                for _ in part:
                    next(answers, None)
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result([next(answers) for _ in part])
