"""An operation of the API: one declaration gives its route, the reading of what it takes, and its documentation."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
import msgspec.inspect
from litestar import Request
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from msgspec import Struct

from kerege.api.metrics import Metrics
from kerege.api.problems import MALFORMED, NOT_ACCEPTED, TOO_LARGE, Kind, Problem
from kerege.api.replies import JSON
from kerege.kernel.forms import is_deeper, named_once

Asked = Request[Any, Any, Any]
Run = Callable[[Asked], Awaitable[ASGIResponse]]
JsonObject = dict[str, Any]

MAXIMUM_DIGITS = 16
"""Of a number in a path or query: 2⁵³ has as many."""
MAXIMUM_QUERY = 4_096
"""Bytes of a query string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """An answer that went well."""

    description: str
    shape: type[Struct] | None = None
    """Of a JSON answer."""
    media_type: str = JSON
    schema: JsonObject = field(default_factory=lambda: {"type": "string"})
    """Of an answer that is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    """With `{name}` for each part that varies; `{name...}` takes the rest of the path."""
    name: str
    summary: str
    run: Run
    good: Good
    accepted: Good | None = None
    """An answer 202, where it is still to be done."""
    parts: type[Struct] | None = None
    """What the parts of the path are."""
    query: type[Struct] | None = None
    """What the query may hold."""
    headers: Mapping[str, JsonObject] = field(default_factory=dict)
    """Headers that it reads → their schemas."""
    bodies: Mapping[str, JsonObject] = field(default_factory=dict)
    """Media type → schema of a body."""
    maximum: int = 0
    """Bytes of a body."""
    problems: tuple[Kind, ...] = ()
    """Which may come, beside those that any operation has."""


def handler_of(operation: Operation, metrics: Metrics) -> HTTPRouteHandler:
    """The Litestar handler of an operation."""
    run, observe = operation.run, metrics.observer(operation.name)
    path = re.sub(r"\{(\w+)\.\.\.\}", r"{\1:path}", operation.path)
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", path)
    plain = operation.query is None

    async def handle(request: Asked) -> ASGIResponse:
        started = time.perf_counter()
        try:
            if plain and request.scope["query_string"]:
                raise malformed("query", "this address takes no query")
            answer = await run(request)
        except Problem as problem:
            answer = problem.reply()
        observe(answer.status_code, time.perf_counter() - started)
        return answer

    return HTTPRouteHandler(
        path,
        http_method=operation.method,  # type: ignore[arg-type]
        status_code=200,
        name=operation.name,
        include_in_schema=False,
        request_max_body_size=operation.maximum or 1,
    )(handle)


def malformed(where: str, reason: str) -> Problem:
    """The answer to what has not the documented form."""
    return Problem(MALFORMED, f"{where}: {reason}. The OpenAPI document says what is taken: /api/v1/openapi.json.")


K = TypeVar("K", bound=Struct)


def read_parts(request: Asked, kind: type[K]) -> K:
    """The parts of the path; raises `Problem`."""
    parts = {name: str(text).removeprefix("/") for name, text in request.path_params.items()}
    return _convert(parts, kind, "path")


def read_query(request: Asked, kind: type[K]) -> K:
    """The query: known names only, each once; raises `Problem`."""
    raw: bytes = request.scope["query_string"]
    if not raw:
        return _convert({}, kind, "query")
    if len(raw) > MAXIMUM_QUERY:
        raise malformed("query", f"{len(raw)} bytes are more than {MAXIMUM_QUERY}")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise malformed("query", "pairs of names and values, percent-encoded UTF-8") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise malformed("query", "a name is given twice")
    return _convert(values, kind, "query")


@lru_cache(64)
def _numbers(kind: type[Struct]) -> tuple[str, ...]:
    """Names of the fields that are integers."""
    info = msgspec.inspect.type_info(kind)
    return tuple(each.encode_name for each in info.fields if isinstance(_bare(each.type), msgspec.inspect.IntType))  # type: ignore[attr-defined]


def _bare(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    return kind


def _convert(values: dict[str, Any], kind: type[K], where: str) -> K:
    for name in _numbers(kind):
        text = values.get(name, "0")
        if not (text.isascii() and text.isdecimal() and len(text) <= MAXIMUM_DIGITS and str(int(text)) == text):
            raise malformed(where, f"{name} is a number without sign, point or leading zero")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise malformed(where, str(error)) from None


async def read_body(request: Asked, bodies: Mapping[str, Any], maximum: int) -> tuple[str, bytes]:
    """(media type, bytes) of a body; raises `Problem` for another type or coding, more than `maximum`, or none."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    media_type = media_type.strip().lower()
    if media_type not in bodies:
        known = " or ".join(bodies)
        told = f"{media_type} is not read here" if media_type else "there is no Content-Type"
        raise Problem(NOT_ACCEPTED, f"{told}: send {known}.")
    _check_coding(request.headers.get("content-encoding", ""), parameters)
    try:
        return media_type, await request.body()
    except RequestEntityTooLarge:
        size = request.headers.get("content-length")
        told = f"{size} bytes, more than" if size else "more than"
        detail = f"The body has {told} the {maximum} bytes that are read here: send less at a time."
        raise Problem(TOO_LARGE, detail) from None


def _check_coding(encoding: str, parameters: str) -> None:
    """Refuse a body that is packed, or text that is no UTF-8; raises `Problem`."""
    if encoding.strip().lower() not in {"", "identity"}:
        raise Problem(NOT_ACCEPTED, "A Content-Encoding is not read here: send the body as it is, without packing it.")
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            raise Problem(NOT_ACCEPTED, "This charset is not read here: send UTF-8, and name no other.")


def check_names(raw: bytes) -> None:
    """Refuse JSON in which an object names a field twice: two readers would take two meanings; raises `Problem`.

    For bytes that were decoded as JSON already.
    """
    try:
        json.loads(raw, object_pairs_hook=named_once)
    except ValueError as error:
        raise malformed("body", str(error)) from None


def check_depth(raw: bytes, maximum: int) -> None:
    """Refuse JSON that is nested deeper than any form of the ledger, before it is decoded; raises `Problem`."""
    if is_deeper(raw, maximum):
        raise malformed("body", f"nested deeper than {maximum}")
