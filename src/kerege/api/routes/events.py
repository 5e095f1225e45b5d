"""The event stream of new blocks."""

from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse

from kerege.api.feed import MAXIMUM_STREAMS, Feed, Place
from kerege.api.operations import Asked, Good, Operation, malformed
from kerege.api.problems import AWAY, BAD_CURSOR, BUSY, Problem
from kerege.api.replies import SECURITY
from kerege.api.service import Service

EVENT_STREAM = "text/event-stream"


def event_operations(service: Service, feed: Feed) -> list[Operation]:
    """The operations of this file."""

    async def events(request: Asked) -> ASGIResponse:
        newest = await service.ask(lambda door: door.head().height)
        header = request.headers.get("last-event-id")
        place = _place(header, newest)
        if not await feed.begun(place):
            raise _unknown(header, newest)
        if feed.open >= MAXIMUM_STREAMS:
            detail = f"{MAXIMUM_STREAMS} streams are open here: come again later, or read GET /receipts."
            raise Problem(BUSY, detail, headers={"retry-after": "30"})
        return ASGIStreamingResponse(
            iterator=feed.stream(place),
            media_type=EVENT_STREAM,
            headers={**dict(SECURITY), "x-accel-buffering": "no"},
        )

    return [
        Operation(
            method="GET",
            path="/events",
            name="listen",
            summary="Server-sent events: each new block's receipts. `Last-Event-ID` goes on where a stream ended.",
            run=events,
            good=Good(description="A stream that stays open.", media_type=EVENT_STREAM, schema={}),
            headers={"last-event-id": {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,14})(\.[1-9][0-9]{0,14})?$"}},
            problems=(BAD_CURSOR, BUSY, *AWAY),
        )
    ]


def _place(header: str | None, newest: int) -> Place:
    if header is None:
        return Place(newest)
    try:
        place = Place.read(header)
    except ValueError as error:
        raise malformed("Last-Event-ID", str(error)) from None
    if not -1 <= place.height <= newest - bool(place.part):
        raise _unknown(header, newest)
    return place


def _unknown(header: str | None, newest: int) -> Problem:
    detail = f"There is no event {header}, {newest} is the newest block: leave Last-Event-ID out."
    return Problem(BAD_CURSOR, detail)
