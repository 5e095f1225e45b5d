"""Blocks, and their receipts from the newest back."""

from typing import Annotated

from litestar.response.base import ASGIResponse
from msgspec import Meta, Struct

from kerege.api.cursors import MAXIMUM, Cursors, bad_cursor
from kerege.api.octets import to_base64url
from kerege.api.operations import Asked, Good, Operation, read_parts, read_query
from kerege.api.outcomes import Brief, Teller, read_brief, read_leaf
from kerege.api.problems import AWAY, BAD_CURSOR, NOT_FOUND, Problem
from kerege.api.replies import json_reply
from kerege.api.routes.ledger import head_shape
from kerege.api.service import Service
from kerege.api.shapes import BlockShape, ReceiptShape, ReceiptsShape
from kerege.consensus.door import Door
from kerege.kernel.block import StoredBlock
from kerege.kernel.receipts import Receipt
from kerege.kernel.types import MAXIMUM_TIME

MAXIMUM_PAGE = 200
MAXIMUM_BLOCKS = 500
"""Blocks that one page looks into: beyond it the page ends early, with a cursor."""
_LANGUAGE = {"accept-language": {"type": "string"}}


class HeightPart(Struct, forbid_unknown_fields=True):
    """The block of a path."""

    height: Annotated[int, Meta(ge=0, le=MAXIMUM_TIME)]


class PageQuery(Struct, forbid_unknown_fields=True):
    """Where a list goes on, and how far."""

    cursor: Annotated[
        str, Meta(max_length=MAXIMUM, description="`next` of the page before; empty: from the start.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=MAXIMUM_PAGE)] = 50


def block_operations(service: Service) -> list[Operation]:
    """The operations of this file."""
    return [_block(service), _receipts(service)]


def _block(service: Service) -> Operation:
    async def block(request: Asked) -> ASGIResponse:
        height = read_parts(request, HeightPart).height
        teller = service.teller(request.headers.get("accept-language", ""))

        def shape(door: Door) -> BlockShape | None:
            found = door.block(height)
            return None if found is None else _block_shape(found, teller)

        found = await service.ask(shape)
        if found is None:
            raise Problem(NOT_FOUND, f"There is no block {height} yet: GET /ledger tells the newest height.")
        return json_reply(found)

    return Operation(
        method="GET",
        path="/blocks/{height}",
        name="getBlock",
        summary="A block with all its bytes and what became of its transactions.",
        run=block,
        good=Good(description="The block.", shape=BlockShape),
        parts=HeightPart,
        headers=_LANGUAGE,
        problems=(NOT_FOUND, *AWAY),
    )


def _block_shape(block: StoredBlock, teller: Teller) -> BlockShape:
    told = ((at, read_brief(raw)) for at, raw in enumerate(block.leaves, block.first_leaf))
    return BlockShape(
        height=block.height,
        time=block.time,
        head=head_shape(block.head),
        first_leaf=block.first_leaf,
        transactions=[to_base64url(raw) for raw in block.transactions],
        leaves=[to_base64url(raw) for raw in block.leaves],
        receipts=[teller.brief(leaf, block.height, at) for at, leaf in told if isinstance(leaf, Brief)],
    )


def _receipts(service: Service) -> Operation:
    async def receipts(request: Asked) -> ASGIResponse:
        asked = read_query(request, PageQuery)
        door = service.door
        cursors = Cursors(door.ledger, "receipts")
        before = cursors.read(asked.cursor, tuple[int, int]) if asked.cursor else None
        teller = service.teller(request.headers.get("accept-language", ""))
        page, last = await service.ask(lambda door: _newest(door, before, asked.limit, teller))
        return json_reply(ReceiptsShape(receipts=page, next="" if last is None else cursors.make(last)))

    return Operation(
        method="GET",
        path="/receipts",
        name="listReceipts",
        summary="Receipts, the newest first.",
        run=receipts,
        good=Good(description="A page.", shape=ReceiptsShape),
        query=PageQuery,
        headers=_LANGUAGE,
        problems=(BAD_CURSOR, *AWAY),
    )


def _newest(
    door: Door, before: tuple[int, int] | None, limit: int, teller: Teller
) -> tuple[list[ReceiptShape], tuple[int, int] | None]:
    """Receipts before (height, position in the block), and where the next page goes on; None at the end."""
    newest = door.head().height
    height, position = before or (newest, -1)
    if not 0 <= height <= newest:
        raise bad_cursor()
    page: list[ReceiptShape] = []
    for _ in range(MAXIMUM_BLOCKS):
        block = door.block(height)
        if block is None:
            raise bad_cursor()
        leaves = block.leaves if position < 0 else block.leaves[:position]
        for at in range(len(leaves) - 1, -1, -1):
            leaf = read_leaf(leaves[at])
            if isinstance(leaf, Receipt):
                page.append(teller.decoded(leaf, leaves[at], height, block.first_leaf + at))
                if len(page) == limit:
                    return page, (height, at) if at or height else None
        if height == 0:
            return page, None
        height, position = height - 1, -1
    return page, (height, -1)
