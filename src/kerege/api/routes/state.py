"""Rows of the state: public by design, for personal data is not in it."""

from typing import Annotated, Any
from urllib.parse import unquote

from litestar.response.base import ASGIResponse
from msgspec import Meta, Struct
from msgspec import inspect as types

from kerege.api.commits import CommitQuery, no_commit
from kerege.api.cursors import MAXIMUM, Cursors, bad_cursor
from kerege.api.octets import to_base64url
from kerege.api.operations import Asked, Good, Operation, malformed, read_parts, read_query
from kerege.api.problems import AWAY, BAD_CURSOR, NOT_FOUND, NOT_PROVABLE, Problem
from kerege.api.replies import JSON, json_reply, reply
from kerege.api.service import Service
from kerege.api.shapes import RowShape, RowsShape
from kerege.consensus.checkpoints import NoCommit, Unprovable
from kerege.kernel import forms
from kerege.kernel.errors import BadForm
from kerege.kernel.tables import Table

MAXIMUM_PAGE = 500
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
KeyText = Annotated[str, Meta(min_length=1, max_length=1_024)]


class TableParts(Struct, forbid_unknown_fields=True):
    """The table of a path."""

    module: Name
    table: Name


class RowParts(TableParts, forbid_unknown_fields=True):
    """The row of a path."""

    key: KeyText


class RowsQuery(Struct, forbid_unknown_fields=True):
    """Which rows, where the list goes on, and how far."""

    prefix: Annotated[
        str, Meta(max_length=1_024, description="First parts of the key, each percent-encoded, with / between.")
    ] = ""
    cursor: Annotated[
        str, Meta(max_length=MAXIMUM, description="`next` of the page before; empty: from the start.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=MAXIMUM_PAGE)] = 100


def state_operations(service: Service) -> list[Operation]:
    """The operations of this file."""
    return [_row(service), _proof(service), _rows(service)]


def _table(service: Service, parts: TableParts) -> Table[Any, Any]:
    found = service.modules.tables.get(f"{parts.module}.{parts.table}")
    if found is None:
        raise Problem(NOT_FOUND, f"There is no table {parts.module}.{parts.table}: GET /tables lists them.")
    return found


def _row(service: Service) -> Operation:
    async def row(request: Asked) -> ASGIResponse:
        parts = read_parts(request, RowParts)
        table = _table(service, parts)
        prefix = service.door.prefix
        key = _key(request, table, prefix)
        stored = await service.ask(lambda door: door.state(key))
        if stored is None:
            detail = f"{table.name} holds nothing under {parts.key} now: check the key and GET /ledger."
            raise Problem(NOT_FOUND, detail)
        return json_reply(row_shape(table, key, stored, prefix))

    return Operation(
        method="GET",
        path="/state/{module}/{table}/{key...}",
        name="getRow",
        summary="The row under a key; the parts of the key are the rest of the path.",
        run=row,
        good=Good(description="The row.", shape=RowShape),
        parts=RowParts,
        problems=(NOT_FOUND, *AWAY),
    )


def _proof(service: Service) -> Operation:
    async def prove(request: Asked) -> ASGIResponse:
        table = _table(service, read_parts(request, RowParts))
        key = _key(request, table, service.door.prefix)
        with_commit = read_query(request, CommitQuery).is_wanted
        try:
            return reply(await service.ask(lambda door: door.prove(key, with_commit=with_commit)), JSON)
        except NoCommit as fault:
            raise no_commit(fault) from None
        except Unprovable as fault:
            raise Problem(NOT_PROVABLE, f"{str(fault).rstrip('.')}: ask again.") from None

    return Operation(
        method="GET",
        path="/proofs/{module}/{table}/{key...}",
        name="getStateProof",
        summary="The state proof of a key, of what is there or that nothing is, for `kerege verify`.",
        run=prove,
        good=Good(description="The state proof, kerege-state/1.", schema={"type": "object"}),
        parts=RowParts,
        query=CommitQuery,
        problems=(NOT_FOUND, NOT_PROVABLE, *AWAY),
    )


def _key(request: Asked, table: Table[Any, Any], prefix: str) -> bytes:
    """The state key that the rest of a path names."""
    given = _segments(request.scope["raw_path"].decode("ascii", "replace"), table.name)
    if len(given) != len(table.parts):
        raise malformed("path", f"a key of {table.name} has {len(table.parts)} parts, not {len(given)}")
    return _encode(table, [_part(text, kind, prefix) for text, kind in zip(given, _kinds(table), strict=True)])


def _rows(service: Service) -> Operation:
    async def rows(request: Asked) -> ASGIResponse:
        table = _table(service, read_parts(request, TableParts))
        asked = read_query(request, RowsQuery)
        door = service.door
        given = [unquote(text) for text in asked.prefix.split("/")] if asked.prefix else []
        if len(given) > len(table.parts):
            raise malformed("query", f"prefix: a key of {table.name} has {len(table.parts)} parts, not {len(given)}")
        kinds = _kinds(table)[: len(given)]
        values = [_part(text, kind, door.prefix) for text, kind in zip(given, kinds, strict=True)]
        prefix = _prefix(table, values)
        cursors = Cursors(door.ledger, f"{table.name}\0{asked.prefix}")
        after = cursors.read(asked.cursor, bytes) if asked.cursor else b""
        if after and not after.startswith(prefix):
            raise bad_cursor()
        found = await service.ask(lambda door: door.scan(prefix, after, asked.limit))
        listed = [row_shape(table, key, stored, door.prefix) for key, stored in found]
        more = len(found) == asked.limit
        return json_reply(RowsShape(rows=listed, next=cursors.make(found[-1][0]) if more else ""))

    return Operation(
        method="GET",
        path="/state/{module}/{table}",
        name="listRows",
        summary="Rows of a table in the order of their keys.",
        run=rows,
        good=Good(description="A page.", shape=RowsShape),
        parts=TableParts,
        query=RowsQuery,
        problems=(NOT_FOUND, BAD_CURSOR, *AWAY),
    )


def _segments(raw_path: str, table: str) -> list[str]:
    """The parts of a key as they stand in the path, each decoded by itself: a part may hold a slash."""
    marker = "/" + table.replace(".", "/", 1) + "/"
    return [unquote(text) for text in raw_path.partition(marker)[2].split("/")]


def _kinds(table: Table[Any, Any]) -> list[Any]:
    return list(table.key) if table.composite else [table.key]


def _part(text: str, kind: Any, prefix: str) -> Any:  # noqa: ANN401 - any annotation
    """A part of a key of its text; raises `Problem`."""
    bare = types.type_info(kind)
    shape = ""
    while isinstance(bare, types.Metadata):
        shape = (bare.extra or {}).get("form", shape)
        bare = bare.type
    form: Any = text
    if isinstance(bare, types.IntType) and shape not in {"amount", "day"}:
        if not (text.isascii() and text.isdecimal() and len(text) <= 20 and str(int(text)) == text):  # noqa: PLR2004
            raise malformed("key", f"{text!r} is no number")
        form = int(text)
    try:
        return forms.from_json(form, kind, prefix)
    except BadForm as bad:
        raise malformed("key", f"{text!r}: {bad.reason}") from None


def _encode(table: Table[Any, Any], values: list[Any]) -> bytes:
    try:
        return table.encode_key(tuple(values) if table.composite else values[0])
    except (ValueError, OverflowError) as error:
        raise malformed("key", str(error)) from None


def _prefix(table: Table[Any, Any], values: list[Any]) -> bytes:
    try:
        return table.encode_prefix(*values)
    except (ValueError, OverflowError) as error:
        raise malformed("query", f"prefix: {error}") from None


def row_shape(table: Table[Any, Any], key: bytes, stored: bytes, prefix: str) -> RowShape:
    """A stored row in JSON."""
    schema, kind, value = table.decode_stored(stored)
    parts = table.decode_key(key)
    values = parts if table.composite else (parts,)
    return RowShape(
        table=table.name,
        key=[forms.to_json(part, each, prefix) for part, each in zip(values, _kinds(table), strict=True)],
        schema=schema,
        value=forms.to_json(value, kind, prefix),
        stored=to_base64url(stored),
    )
