"""Which ledger this is, what it understands, and what to trust about it."""

import inspect

from litestar.response.base import ASGIResponse

from kerege.api.operations import Asked, Good, Operation
from kerege.api.problems import AWAY
from kerege.api.replies import JSON, TEXT, encode_json, json_reply, reply
from kerege.api.service import Service, wall_clock
from kerege.api.shapes import HeadShape, LedgerShape, MessageShape, MessagesShape, TableShape, TablesShape
from kerege.kernel.block import Head
from kerege.kernel.forms import json_schema
from kerege.kernel.messages import tag_of


def head_shape(head: Head) -> HeadShape:
    """A head in JSON."""
    return HeadShape(
        height=head.height,
        time=head.time,
        app_hash=head.app_hash.hex(),
        state_root=head.state_root.hex(),
        log_root=head.log_root.hex(),
        log_size=head.log_size,
    )


def ledger_operations(service: Service) -> list[Operation]:
    """The operations of this file."""
    messages = encode_json(_messages(service))
    tables = encode_json(_tables(service))

    async def ledger(_request: Asked) -> ASGIResponse:
        door = service.door
        head = await service.ask(lambda door: door.head())
        shape = LedgerShape(
            ledger=door.ledger,
            prefix=door.prefix,
            height=head.height,
            time=head.time,
            app_hash=head.app_hash.hex(),
            state_root=head.state_root.hex(),
            log_root=head.log_root.hex(),
            log_size=head.log_size,
            checkpoint_age=max(0, wall_clock() - head.time),
            languages=sorted(service.texts),
        )
        return json_reply(shape)

    async def list_messages(_request: Asked) -> ASGIResponse:
        return reply(messages)

    async def list_tables(_request: Asked) -> ASGIResponse:
        return reply(tables)

    async def checkpoint(_request: Asked) -> ASGIResponse:
        note = await service.ask(lambda door: door.checkpoint())
        return reply(note.encode(), TEXT)

    async def trust(_request: Asked) -> ASGIResponse:
        return reply(service.trust)

    return [
        Operation(
            method="GET",
            path="/ledger",
            name="getLedger",
            summary="Which ledger this is and where it stands.",
            run=ledger,
            good=Good(description="The ledger.", shape=LedgerShape),
            problems=AWAY,
        ),
        Operation(
            method="GET",
            path="/messages",
            name="listMessages",
            summary="Every message that may be sent, with the JSON Schema of its form.",
            run=list_messages,
            good=Good(description="All messages.", shape=MessagesShape),
        ),
        Operation(
            method="GET",
            path="/tables",
            name="listTables",
            summary="Every table of the state, with the JSON Schemas of its keys and values.",
            run=list_tables,
            good=Good(description="All tables.", shape=TablesShape),
        ),
        Operation(
            method="GET",
            path="/checkpoint",
            name="getCheckpoint",
            summary="The newest signed checkpoint of the log (C2SP tlog-checkpoint).",
            run=checkpoint,
            good=Good(description="A signed note.", media_type=TEXT),
            problems=AWAY,
        ),
        Operation(
            method="GET",
            path="/trust",
            name="getTrust",
            summary="The trust file. Whoever relies on it compares it with one published elsewhere.",
            run=trust,
            good=Good(description="Ids, origin, and checkpoint keys.", media_type=JSON, schema={"type": "object"}),
        ),
    ]


def _messages(service: Service) -> MessagesShape:
    listed = [
        MessageShape(
            type=tag_of(kind),
            module=module.name,
            senders=str(kind.SENDERS),
            weight=kind.WEIGHT,
            description=inspect.getdoc(kind) or "",
            json_schema=json_schema(kind),
        )
        for module, kind in service.modules.messages()
    ]
    return MessagesShape(messages=listed)


def _tables(service: Service) -> TablesShape:
    listed = [
        TableShape(
            table=table.name,
            module=table.module,
            schema=table.schema,
            key=[json_schema(part) for part in (table.key if table.composite else (table.key,))],
            json_schema=json_schema(table.value),
        )
        for table in service.modules.tables.values()
    ]
    return TablesShape(tables=listed)
