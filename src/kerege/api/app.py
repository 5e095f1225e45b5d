"""The application: operations over a door, joined by Litestar."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from kerege.api.batching import Submitter
from kerege.api.document import make_document
from kerege.api.feed import Feed
from kerege.api.heads import Application, with_head
from kerege.api.metrics import Metrics
from kerege.api.operations import Asked, Good, Operation, handler_of
from kerege.api.problems import FAILED, MALFORMED, NO_METHOD, NOT_FOUND, Problem
from kerege.api.replies import SECURITY, encode_json, reply
from kerege.api.routes.blocks import block_operations
from kerege.api.routes.events import event_operations
from kerege.api.routes.health import health_operations
from kerege.api.routes.ledger import ledger_operations
from kerege.api.routes.state import state_operations
from kerege.api.routes.transactions import transaction_operations
from kerege.api.service import Service, restoring
from kerege.api.serving import serve
from kerege.consensus.door import Door
from kerege.consensus.outcomes import Texts
from kerege.consensus.whole import BeingRestored

ROOT = "/api/v1"
PAGE_SECURITY = tuple((name, value) for name, value in SECURITY if name != "content-security-policy")
"""Headers of pages; their content security policies are their own."""
Answer = Callable[[Asked, Any], Response[Any]]
log = logging.getLogger("kerege.api")

__all__ = ["create_app", "serve"]


def create_app(
    door_factory: Callable[[], Door],
    texts: Texts,
    trust: bytes,
    *,
    submitter: Submitter | None = None,
    pages: Sequence[ControllerRouterHandler] = (),
    refused_page: Callable[[Asked, int], Response[str]] | None = None,
    stream_seconds: float = 3_600.0,
) -> Litestar:
    """The application over a ledger's door, opened here and closed by its owner.

    `submitter`: hands in transactions, closed here; absent, the door does it in threads. `texts`: the nation's, by
    language. `trust`: the ledger's trust file. `pages`: further routes beside the API's. `refused_page`: what a browser
    is shown where there is no page, by the status. `stream_seconds`: how long an event stream stays open before its
    client comes again.
    """
    metrics = Metrics()
    service = Service(door_factory(), texts, trust, metrics, submitter)
    feed = Feed(service, metrics, longest=stream_seconds)
    operations = _operations(service, feed, metrics)
    handlers: list[ControllerRouterHandler] = [handler_of(operation, metrics) for operation in operations]

    @asynccontextmanager
    async def living(_app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await feed.close()
            service.close()

    return Application(
        route_handlers=[
            Router(ROOT, route_handlers=handlers),
            Router("/", route_handlers=pages, response_headers=dict(PAGE_SECURITY)),
        ],
        exception_handlers={
            HTTPException: _for_people(_refuse, refused_page),
            Exception: _for_people(_fail, refused_page),
        },
        lifespan=[living],
        openapi_config=None,
        logging_config=None,
    )


def describe(door: Door) -> dict[str, Any]:
    """The OpenAPI document, for whoever writes pages about it; nothing is asked of the door."""
    metrics = Metrics()
    service = Service(door, {}, b"", metrics, None)
    return make_document(_operations(service, Feed(service, metrics, longest=0), metrics), ROOT)


def _operations(service: Service, feed: Feed, metrics: Metrics) -> list[Operation]:
    operations = [
        *ledger_operations(service),
        *transaction_operations(service),
        *block_operations(service),
        *state_operations(service),
        *event_operations(service, feed),
        *health_operations(service, metrics),
    ]
    return [*operations, _document(operations)]


def _document(operations: list[Operation]) -> Operation:
    made: list[bytes] = []

    async def document(_request: Asked) -> ASGIResponse:
        if not made:
            made.append(encode_json(make_document(operations, ROOT)))
        return reply(made[0])

    return Operation(
        method="GET",
        path="/openapi.json",
        name="getDocument",
        summary="This document.",
        run=document,
        good=Good(description="OpenAPI 3.1.", schema={"type": "object"}),
    )


def _for_people(answer: Answer, page: Callable[[Asked, int], Response[str]] | None) -> Answer:
    """The same answer, as a page where a person asks for one: a browser, at an address that is not the API's."""

    def answered(request: Asked, failure: Any) -> Response[Any]:  # noqa: ANN401 - whatever was raised
        given = answer(request, failure)
        if page is None or f"{request.url.path}/".startswith(f"{ROOT}/"):
            return given
        if "text/html" not in request.headers.get("accept", ""):
            return given
        shown = page(request, int(given.status_code or FAILED.status))
        told: dict[str, str] = {name: given.headers[name] for name in ("allow", "retry-after") if name in given.headers}
        shown.headers.update(told, **dict(PAGE_SECURITY))
        return shown

    return answered


def _refuse(request: Asked, refused: HTTPException) -> Response[bytes]:
    """What Litestar refuses before an operation is reached."""
    path = request.url.path
    if isinstance(refused, NotFoundException):
        problem = Problem(NOT_FOUND, f"Nothing stands at {path}: {ROOT}/openapi.json lists what does.")
    elif isinstance(refused, MethodNotAllowedException):
        known = with_head((refused.headers or {}).get("allow", ""))
        problem = Problem(NO_METHOD, f"{path} knows {known}, not {request.method}.", headers={"allow": known})
    else:
        problem = Problem(MALFORMED, f"{path}: {refused.detail}.")
    return problem.response()


def _fail(_request: Asked, failure: Exception) -> Response[bytes]:
    """An error of our own: the operator reads it in the log, the client learns nothing of it."""
    if isinstance(failure, Problem):
        return failure.response()
    if isinstance(failure, BeingRestored):
        return restoring(failure).response()
    log.error("a request failed", exc_info=failure)
    return Problem(
        FAILED, "Nothing is known to be wrong with the request: the operator's log has the cause."
    ).response()
