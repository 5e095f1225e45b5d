"""HEAD (RFC 9110, 9.3.2): what GET answers, without the body, at every address that has a GET; `Allow` tells so."""

import asyncio
from typing import Any

from litestar import Litestar


class Application(Litestar):
    """The application, asked as for GET where only the head is wanted; the server leaves the body out."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - any ASGI server's
        """Answer one request, or live for as long as the server does."""
        answer: Any = super().__call__
        if scope["type"] == "http" and scope["method"] == "HEAD":
            head = _Head(send)
            await answer({**scope, "method": "GET"}, head.receive, head.send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await answer(scope, receive, _telling(send))
        else:
            await answer(scope, receive, send)


def with_head(allow: str) -> str:
    """The methods of an `Allow` header, in order, with HEAD where there is GET."""
    methods = {method.strip() for method in allow.split(",")} - {""}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _telling(send: Any) -> Any:  # noqa: ANN401 - any ASGI server's
    async def told(message: dict[str, Any]) -> None:
        headers = message.get("headers", ())
        allow = [(name, with_head(value.decode()).encode() if name == b"allow" else value) for name, value in headers]
        await send({**message, "headers": allow} if "headers" in message else message)

    return told


class _Head:
    """A client that hears the head of an answer and is gone then, so that a stream ends as well."""

    def __init__(self, send: Any) -> None:  # noqa: ANN401 - any ASGI server's
        self._send = send
        self._told = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._told.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._told.set()
