"""`/metrics`, `/health/live` and `/health/ready` of a member's application, on an address of this machine.

Served by threads of its own, never by the loop that serves the engine. Nothing that is told is secret, and nothing can
be changed here.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from kerege.node.home import HomeError

PATIENCE = 5.0
"""Seconds for which a connection may say nothing."""
_JSON = "application/json"


class Answer(NamedTuple):
    """Status, kind of content, content."""

    status: HTTPStatus
    kind: str
    content: bytes


Pages = Mapping[str, Callable[[], Answer]]
"""What answers a path."""


def as_json(value: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """An object."""
    return Answer(status, _JSON, json.dumps(value).encode() + b"\n")


def as_figures(text: bytes) -> Answer:
    """Prometheus's text exposition."""
    return Answer(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, text)


@contextmanager
def served(place: str, pages: Pages) -> Iterator[None]:
    """Answer at `host:port` as long as the context lasts; raises `HomeError` where nobody can listen there."""
    host, _, port = place.rpartition(":")
    try:
        server = _Server((host, int(port)), pages)
    except (OSError, OverflowError, ValueError) as error:
        reason = f"{place} cannot be used ({getattr(error, 'strerror', None) or error}): choose another --watch."
        raise HomeError(reason) from None
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], pages: Pages) -> None:
        self.pages = pages
        super().__init__(place, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A client that hung up is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    server_version, sys_version = "kerege", ""

    def do_GET(self) -> None:
        """Answer a path."""
        page = self.server.pages.get(self.path.partition("?")[0])
        unknown = Answer(HTTPStatus.NOT_FOUND, _JSON, b'{"known": ["/metrics", "/health/live", "/health/ready"]}\n')
        answer = unknown if page is None else page()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Who looked is not worth a line."""
