"""The event stream: each block's receipts, pulled by every client at its own pace from blocks that are made once.

Nothing queues up for a client: it holds a place in the chain of blocks, and what it is sent next is read when it has
taken what came before. One who falls too far behind, or takes too long over one event, is cut with a last event.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from kerege.api.languages import DEFAULT
from kerege.api.metrics import Metrics
from kerege.api.outcomes import Teller, read_leaf
from kerege.api.problems import Problem
from kerege.api.replies import encode_json
from kerege.api.service import Service
from kerege.consensus.door import Door
from kerege.kernel.receipts import BlockReceipt, Receipt

POLL = 0.1
"""Seconds between two looks at the newest block while somebody listens."""
HEARTBEAT = 15.0
RETRY = 2_000
"""Milliseconds after which a client comes again."""
PER_EVENT = 100
"""Receipts of one event."""
KEPT = 32
"""Blocks kept as events: live clients all want the same ones."""
MAXIMUM_LAG = 2_000
"""Blocks that a client may fall behind beyond where it began."""
MAXIMUM_STALL = 20.0
"""Seconds that a client may take over one event."""
MAXIMUM_STREAMS = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client stands: it has all of a block, and the first `part` events of the next one."""

    height: int
    part: int = 0

    @classmethod
    def read(cls, text: str) -> "Place":
        """Of an event's id, `height` or `height.part`; raises `ValueError`."""
        height, dot, part = text.partition(".")
        numbers = [height, part] if dot else [height]
        if not all(n.isascii() and n.isdecimal() and len(n) <= 15 for n in numbers):  # noqa: PLR2004 - below 2**53
            raise ValueError("an id is a height, or a height and a part")
        place = cls(int(height) - 1, int(part)) if dot else cls(int(height))
        if str(place) != text:
            raise ValueError("an id has no needless zeros")
        return place

    def __str__(self) -> str:
        return f"{self.height + 1}.{self.part}" if self.part else str(self.height)


class Feed:
    """The streams of one process."""

    def __init__(self, service: Service, metrics: Metrics, *, longest: float) -> None:
        self.longest = longest
        self.open = 0
        self._service = service
        self._metrics = metrics
        self._newest = -1
        self._moved = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._blocks: OrderedDict[int, asyncio.Task[list[bytes]]] = OrderedDict()
        self._closing = False

    async def close(self) -> None:
        """End all streams."""
        self._closing = True
        self._moved.set()
        if self._poller is not None:
            self._poller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poller

    async def begun(self, place: Place) -> bool:
        """Whether the block after the place has so many events that its part is one of them, and not the last."""
        return not place.part or place.part < len(await self._block(place.height + 1))

    async def stream(self, place: Place) -> AsyncIterator[bytes]:
        """Events after a place, until the client goes, is cut, or has listened long enough."""
        self.open += 1
        self._metrics.streams.set(self.open)
        try:
            async for event in self._events(place):
                yield event
        finally:
            self.open -= 1
            self._metrics.streams.set(self.open)

    async def _events(self, place: Place) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.longest
        door = self._service.door
        await self._look()
        allowed = self._newest - place.height + MAXIMUM_LAG
        yield f"retry: {RETRY}\n".encode() + _event("open", str(place), {"ledger": door.ledger})
        while not self._closing and loop.time() < end:
            if self._newest <= place.height and not await self._wait(min(HEARTBEAT, end - loop.time())):
                yield b": still here\n\n"
                continue
            if self._newest - place.height > allowed:
                yield self._cut(place, f"{self._newest - place.height} blocks behind")
                return
            events = await self._block(place.height + 1)
            for part in range(place.part, len(events)):
                before = loop.time()
                yield events[part]
                place = Place(place.height, part + 1) if part + 1 < len(events) else Place(place.height + 1)
                if loop.time() - before > MAXIMUM_STALL:
                    yield self._cut(place, f"{loop.time() - before:.0f} s over one event")
                    return
            if place.part:  # nothing of the block was left
                place = Place(place.height + 1)

    def _cut(self, place: Place, reason: str) -> bytes:
        self._metrics.cut.inc()
        cure = f"Too slow ({reason}): come again with this id as Last-Event-ID, or read GET /blocks/{{height}}."
        return _event("cut", str(place), {"reason": cure})

    async def _wait(self, seconds: float) -> bool:
        """Whether a new block came in time."""
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        moved = self._moved
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(moved.wait(), max(0.0, seconds))
        return moved.is_set()

    async def _poll(self) -> None:
        """Look at the newest block as long as somebody listens."""
        while self.open:
            with contextlib.suppress(Problem):  # the node is away: clients hear heartbeats until it is back
                await self._look()
            await asyncio.sleep(POLL)

    async def _look(self) -> None:
        height = await self._service.ask(lambda door: door.head().height)
        if height != self._newest:
            self._newest = height
            self._metrics.height.set(height)
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def _block(self, height: int) -> list[bytes]:
        """A block's events, made once for all who want them now."""
        task = self._blocks.get(height)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._blocks[height] = asyncio.create_task(self._make(height))
            while len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        return await asyncio.shield(task)

    async def _make(self, height: int) -> list[bytes]:
        prefix = self._service.door.prefix
        teller = Teller(prefix, self._service.texts, DEFAULT)
        return await self._service.ask(lambda door: block_events(door, height, teller))


def block_events(door: Door, height: int, teller: Teller) -> list[bytes]:
    """The events of a block: its receipts, so many at a time, the last with what the block's schedules did."""
    block = door.block(height)
    if block is None:
        raise LookupError(f"block {height} is not in the store")
    receipts: list[Any] = []
    scheduled: list[Any] = []
    for at, raw in enumerate(block.leaves, block.first_leaf):
        leaf = read_leaf(raw)
        if isinstance(leaf, Receipt):
            receipts.append(teller.decoded(leaf, raw, height, at))
        elif isinstance(leaf, BlockReceipt):
            scheduled = teller.events(leaf.events)
    told = {"height": height, "time": block.time}
    pages = [receipts[at : at + PER_EVENT] for at in range(0, len(receipts), PER_EVENT)] or [[]]
    events = [
        _event("receipts", f"{height}.{part}", {**told, "receipts": page, "scheduled": []})
        for part, page in enumerate(pages[:-1], 1)
    ]
    return [*events, _event("receipts", str(height), {**told, "receipts": pages[-1], "scheduled": scheduled})]


def _event(kind: str, name: str, data: Any) -> bytes:  # noqa: ANN401 - whatever msgspec encodes
    """One server-sent event; JSON has no line breaks."""
    return f"event: {kind}\nid: {name}\ndata: ".encode() + encode_json(data) + b"\n\n"
