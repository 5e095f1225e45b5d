"""Running the application on a port."""

import socket
from typing import Any

import uvicorn

from kerege.api.guard import Guarded
from kerege.turns import turns_of

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open."""
BACKLOG = 512
CLOSING_SECONDS = 5
"""In which requests under way are finished when the server stops."""
SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that waits gets its turn: what was submitted is answered through a thread, and the
interpreter's 5 ms would be the longest part of its way."""


def make_server(app: Any, host: str, port: int) -> uvicorn.Server:  # noqa: ANN401 - any ASGI application
    """A server that does not run yet."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Guarded,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="error",  # its warnings are about what a client sent, and that the client is told
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
    return uvicorn.Server(config)


def serve(app: Any, host: str, port: int, *, sockets: list[socket.socket] | None = None) -> None:  # noqa: ANN401
    """Serve until a signal stops the process. `sockets`: bound already, in place of host and port."""
    with turns_of(SWITCH_INTERVAL):
        make_server(app, host, port).run(sockets=sockets)
