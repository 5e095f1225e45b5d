"""Server-sent events: each durable block with its receipts, in order, from where a client was cut off."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar.response.sse import ServerSentEventMessage

from kerege.api.problems import Problem
from kerege.api.service import Service

PAUSE = 0.25
"""Seconds between two looks for a new block."""
HEARTBEAT = 60
"""Looks without a block after which a comment keeps the connection open."""


async def follow(service: Service, last: int | None) -> AsyncIterator[ServerSentEventMessage]:
    """Blocks after `last`, or from now on."""
    height = (await asyncio.to_thread(service.door.head)).height if last is None else last
    silent = 0
    while True:
        newest = (await asyncio.to_thread(service.door.head)).height
        if newest > height:
            silent, height = 0, height + 1
            try:
                block = await asyncio.to_thread(service.block, height)
            except Problem:
                continue  # an empty height: nothing was kept
            yield ServerSentEventMessage(data=msgspec.json.encode(block).decode(), event="block", id=height)
            continue
        silent += 1
        if silent % HEARTBEAT == 0:
            yield ServerSentEventMessage(comment="still here")
        await asyncio.sleep(PAUSE)
