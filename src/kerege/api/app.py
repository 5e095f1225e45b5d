"""The application: routes, limits, errors, headers."""

from collections.abc import Sequence
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.config.response_cache import ResponseCacheConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins.prometheus import PrometheusConfig, PrometheusController
from litestar.types import ControllerRouterHandler

from kerege.api.batcher import Batcher
from kerege.api.idempotency import Keys
from kerege.api.problems import answer_problem
from kerege.api.routes import Ledger, Messages, Transactions, live, ready
from kerege.api.service import Service
from kerege.consensus.door import Door
from kerege.consensus.outcomes import Texts

MAXIMUM_BODY = 64 * 1024 * 1024
"""500 transactions of 256 KiB cannot come in one request; 64 MiB can, in base64url."""
SLOW_SECONDS = 30
"""A connection that sends nothing for so long is closed."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Metrics(PrometheusController):
    """Requests, durations and errors for Prometheus."""

    path = "/metrics"
    include_in_schema = False


def create_app(
    door: Door, texts: Texts, trust: bytes, *, pages: Sequence[ControllerRouterHandler] = (), debug: bool = False
) -> Litestar:
    """The API over a door; `pages`: further routes that share its limits and errors."""
    service, batcher, keys = Service(door, texts, trust), Batcher(door), Keys()

    def _service() -> Service:
        return service

    def _batcher() -> Batcher:
        return batcher

    def _keys() -> Keys:
        return keys

    async def _close(_app: Litestar) -> None:
        batcher.close()

    return Litestar(
        [Ledger, Messages, Transactions, live, ready, Metrics, *pages],
        dependencies={
            "service": Provide(_service, sync_to_thread=False),
            "batcher": Provide(_batcher, sync_to_thread=False),
            "keys": Provide(_keys, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_problem},
        middleware=[PrometheusConfig(app_name="kerege", prefix="kerege").middleware],
        openapi_config=OpenAPIConfig(
            title="Kerege", version="1", path="/api/v1/schema", render_plugins=[JsonRenderPlugin(path="/openapi.json")]
        ),
        request_max_body_size=MAXIMUM_BODY,
        response_headers=HEADERS,
        response_cache_config=ResponseCacheConfig(default_expiration=0),
        on_shutdown=[_close],
        signature_types=[Service, Batcher, Keys],
        debug=debug,
    )


def serve(app: Litestar, host: str, port: int, **settings: Any) -> None:  # noqa: ANN401 - uvicorn's settings
    """Serve until interrupted, with bounds against slow and greedy clients."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=SLOW_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=1_000,
        server_header=False,
        **settings,
    )
