"""Preparing, submitting and finding transactions."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar.response.base import ASGIResponse
from msgspec import UNSET, Meta, Struct

from kerege.api import idempotency
from kerege.api.commits import CommitQuery, no_commit
from kerege.api.idempotency import Entry
from kerege.api.octets import Base64url, Hex32, from_base64url, to_base64url
from kerege.api.operations import (
    Asked,
    Good,
    Operation,
    check_depth,
    check_names,
    malformed,
    read_body,
    read_parts,
    read_query,
)
from kerege.api.outcomes import kind_of
from kerege.api.problems import (
    AWAY,
    BAD_FORM,
    BUSY,
    KEY_IN_USE,
    KEY_REUSED,
    NO_TRANSACTION,
    NOT_FOUND,
    NOT_PROVABLE,
    OUT_OF_ORDER,
    TOO_MANY,
    Problem,
)
from kerege.api.replies import JSON, OCTETS, json_reply, reply
from kerege.api.service import Service, wall_clock
from kerege.api.shapes import (
    MAXIMUM_BATCH,
    AcceptedShape,
    BatchShape,
    OutcomesShape,
    PreparedShape,
    PrepareShape,
    ReceiptShape,
    SigningShape,
    SubmitShape,
    schema_of,
)
from kerege.consensus.checkpoints import NoCommit, Unprovable
from kerege.consensus.door import Door
from kerege.consensus.outcomes import ACCEPTED
from kerege.kernel import addresses, crypto, forms
from kerege.kernel.errors import BadForm
from kerege.kernel.forms import json_schema
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.transaction import MAXIMUM_DEPTH, MAXIMUM_SIZE, Body, Witness, encode_body, seal

HOUR = 3_600_000
LATER = frozenset({BUSY, *AWAY, OUT_OF_ORDER, TOO_MANY})
"""Problems of what may be right when it is sent again as it is."""
SALT = 16
DEPTH = 2 * MAXIMUM_DEPTH
"""Of JSON: forms are nested a little deeper than the values they stand for."""
PREPARED_BYTES = 2 * MAXIMUM_SIZE + 4_096
"""Bytes are hex in forms."""
SUBMITTED_BYTES = MAXIMUM_SIZE * 4 // 3 + 8_192
BATCH_BYTES = 4 * 1024 * 1024

_LANGUAGE = {"accept-language": {"type": "string"}}
_PREFER = {"prefer": {"type": "string"}}
_KEY = {"idempotency-key": {"type": "string", "pattern": idempotency.PATTERN}}


class PlainBatch(Struct, forbid_unknown_fields=True):
    """A batch whose texts are not looked at yet."""

    transactions: Annotated[list[str], Meta(min_length=1, max_length=MAXIMUM_BATCH)]


_submit_form = msgspec.json.Decoder(SubmitShape)
_batch_form = msgspec.json.Decoder(BatchShape)
_plain_batch_form = msgspec.json.Decoder(PlainBatch)
_prepare_form = msgspec.json.Decoder(PrepareShape)


class IdPart(Struct, forbid_unknown_fields=True):
    """The transaction of a path."""

    identifier: Hex32


class ProofQuery(CommitQuery, forbid_unknown_fields=True):
    """What a proof is of beside the receipt."""

    state: Base64url = ""
    """State key of a certificate that the transaction issued, in base64url: its status is proven, too."""


def transaction_operations(service: Service) -> list[Operation]:
    """The operations of this file."""
    return [_prepare(service), _submit(service), _batch(service), _find(service), _prove(service)]


# Preparing


def _prepare(service: Service) -> Operation:
    kinds = {tag_of(kind): kind for _, kind in service.modules.messages()}
    bodies = {JSON: _prepare_schema(list(kinds.values()))}

    async def prepare(request: Asked) -> ASGIResponse:
        _, raw = await read_body(request, bodies, PREPARED_BYTES)
        check_depth(raw, DEPTH)
        asked = _decode(_prepare_form, raw)
        prefix = service.door.prefix
        try:
            sender = addresses.decode(prefix, asked.sender)
        except ValueError as error:
            raise _bad_form("$.sender", str(error)) from None
        messages = [_message(form, at, kinds, prefix) for at, form in enumerate(asked.messages)]

        def find(door: Door) -> tuple[int, int]:
            return door.next_sequence(sender, asked.lane), door.head().time

        sequence, newest = await service.ask(find)
        until = max(newest, wall_clock()) + HOUR if asked.valid_until is UNSET else asked.valid_until
        ledger = service.door.ledger
        body = Body(ledger, sender, asked.lane, sequence, until, os.urandom(SALT), messages)
        return json_reply(_prepared(body, asked.chain_id))

    return Operation(
        method="POST",
        path="/messages/prepare",
        name="prepareMessages",
        summary="The bytes to sign for messages, with the sender's next sequence. Nothing is sent and nothing is kept.",
        run=prepare,
        good=Good(description="What to sign.", shape=PreparedShape),
        bodies=bodies,
        maximum=PREPARED_BYTES,
        problems=(BAD_FORM, *AWAY),
    )


def _prepare_schema(kinds: list[type[Message]]) -> dict[str, Any]:
    """The schema of the shape, with every message's own in place of any object."""
    (schema,), components = schema_of((PrepareShape,))
    schema = dict(components[schema["$ref"].rpartition("/")[2]])
    listed = schema["properties"]["messages"]
    forms_of = [{**json_schema(k), "required": ["type", *json_schema(k)["required"]]} for k in kinds]
    schema["properties"] = {**schema["properties"], "messages": {**listed, "items": {"oneOf": forms_of}}}
    return schema


def _message(form: dict[str, Any], at: int, kinds: dict[str, type[Message]], prefix: str) -> Message:
    place = f"$.messages[{at}]"
    kind = kinds.get(form["type"]) if isinstance(form.get("type"), str) else None
    if kind is None:
        raise _bad_form(f"{place}.type", "GET /messages lists the types")
    try:
        message: Message = forms.from_json(form, kind, prefix)
    except BadForm as bad:
        raise _bad_form(place + bad.field.removeprefix("$"), bad.reason) from None
    return message


def _bad_form(field: str, reason: str) -> Problem:
    facts = {"field": field, "reason": reason}
    return Problem(BAD_FORM, f"{field}: {reason}. GET /messages has the schemas.", code=BadForm.code, facts=facts)


def _prepared(body: Body, chain_id: int) -> PreparedShape:
    raw = encode_body(body)
    if len(raw) > MAXIMUM_SIZE:
        raise _bad_form("$.messages", f"{len(raw)} bytes are more than the {MAXIMUM_SIZE} of a transaction")
    transaction = sha256(raw).digest()
    sign = SigningShape(ed25519=to_base64url(crypto.payload(transaction)), webauthn=to_base64url(transaction))
    if len(body.messages) == 1:
        sign.secp256k1 = crypto.typed_data(body, transaction, chain_id)
    return PreparedShape(
        body=to_base64url(raw),
        transaction=transaction.hex(),
        lane=body.lane,
        sequence=body.sequence,
        valid_until=body.valid_until,
        weight=sum(message.WEIGHT for message in body.messages),
        fee="0",
        sign=sign,
    )


# Submitting


def _submit(service: Service) -> Operation:
    bodies = {JSON: _submit_schema(), OCTETS: {"type": "string", "format": "binary"}}

    async def submit(request: Asked) -> ASGIResponse:
        media_type, raw = await read_body(request, bodies, SUBMITTED_BYTES)

        async def answer() -> ASGIResponse:
            transaction = raw if media_type == OCTETS else _signed(_decode(_submit_form, raw))
            kept = "respond-async" in request.headers.get("prefer", "").replace(" ", "").split(",")
            (answer,) = await (service.accept if kept else service.submit)([transaction])
            if answer.pending:
                place = f"{request.url.path}/{answer.id.hex()}"
                return json_reply(
                    AcceptedShape(outcome=ACCEPTED, transaction=answer.id.hex()), 202, {"location": place}
                )
            teller = service.teller(request.headers.get("accept-language", ""))
            if answer.receipt is None:
                raise teller.problem(answer)
            return json_reply(teller.receipt(answer.receipt, answer.height, answer.leaf))

        return await _once(service, request, media_type, raw, answer)

    return Operation(
        method="POST",
        path="/transactions",
        name="submitTransaction",
        summary="Submit a signed transaction; answered when its receipt is durable. Sent again it is recorded once.",
        run=submit,
        good=Good(description="The receipt: `outcome` says whether it was applied or refused.", shape=ReceiptShape),
        accepted=Good(
            description="With `Prefer: respond-async`: the node keeps it, `Location` is where its receipt will be.",
            shape=AcceptedShape,
        ),
        headers={**_LANGUAGE, **_KEY, **_PREFER},
        bodies=bodies,
        maximum=SUBMITTED_BYTES,
        problems=(NO_TRANSACTION, OUT_OF_ORDER, KEY_REUSED, KEY_IN_USE, BUSY, TOO_MANY, *AWAY),
    )


def _submit_schema() -> dict[str, Any]:
    (schema,), components = schema_of((SubmitShape,))
    schema = dict(components[schema["$ref"].rpartition("/")[2]])
    members = schema.pop("properties")
    witness = ["body", "kind", "key", "signature"]
    common = {"type": "object", "additionalProperties": False}
    return {
        "oneOf": [
            {**common, "properties": {"transaction": members["transaction"]}, "required": ["transaction"]},
            {**common, "properties": {name: members[name] for name in witness}, "required": witness},
        ]
    }


def _signed(form: SubmitShape) -> bytes:
    """The transaction's bytes of either form."""
    parts = (form.body, form.kind, form.key, form.signature)
    if form.transaction is not UNSET:
        if any(part is not UNSET for part in parts):
            raise malformed("body", "either transaction, or body, kind, key and signature")
        return _octets(form.transaction)
    if form.body is UNSET or form.kind is UNSET or form.key is UNSET or form.signature is UNSET:
        raise malformed("body", "either transaction, or body, kind, key and signature")
    return seal(_octets(form.body), Witness(form.kind, _octets(form.key), _octets(form.signature)))


def _signed_ones(raw: bytes) -> list[bytes]:
    """The transactions' bytes of a batch.

    As many quotation marks as one name and the texts need: no name stands twice, and nothing is escaped. Whatever is
    not that plain is read closely, which tells what is wrong with it.
    """
    with suppress(ValueError):
        texts = _plain_batch_form.decode(raw).transactions
        if raw.count(b'"') == 2 * (1 + len(texts)):
            return [from_base64url(text) for text in texts]
    return [_octets(text) for text in _decode(_batch_form, raw).transactions]


def _octets(text: str) -> bytes:
    try:
        return from_base64url(text)
    except ValueError as error:
        raise malformed("body", str(error)) from None


class Passing(Exception):
    """An answer that says of something that it may be right later: it is given, and not remembered."""

    def __init__(self, reply: ASGIResponse) -> None:
        super().__init__()
        self.reply = reply


async def _once(
    service: Service, request: Asked, media_type: str, raw: bytes, answer: Callable[[], Awaitable[ASGIResponse]]
) -> ASGIResponse:
    """What `answer` gives, or what it gave to the same `Idempotency-Key` before."""
    header = request.headers.get("idempotency-key")
    try:
        if header is None:
            return await answer()
        entry = service.keys.begin(header, sha256(f"{request.url.path}\0{media_type}\0".encode() + raw).digest())
        return entry.answer or await _first(service, entry, answer)
    except Passing as passing:
        return passing.reply


async def _first(service: Service, entry: Entry, answer: Callable[[], Awaitable[ASGIResponse]]) -> ASGIResponse:
    decided: ASGIResponse | None = None
    try:
        try:
            decided = await answer()
        except Problem as problem:
            if problem.kind in LATER:  # the same may be right later: nothing to remember
                raise
            decided = problem.reply()
        return decided
    finally:
        service.keys.end(entry, decided)


def _batch(service: Service) -> Operation:
    (schema,), components = schema_of((BatchShape,))
    bodies = {JSON: components[schema["$ref"].rpartition("/")[2]]}

    async def submit(request: Asked) -> ASGIResponse:
        media_type, raw = await read_body(request, bodies, BATCH_BYTES)

        async def answer() -> ASGIResponse:
            answers = await service.submit(_signed_ones(raw))
            teller = service.teller(request.headers.get("accept-language", ""))
            reply = json_reply(OutcomesShape(outcomes=[teller.outcome(each) for each in answers]))
            if any(each.reason is not None and kind_of(each) in LATER for each in answers):
                raise Passing(reply)
            return reply

        return await _once(service, request, media_type, raw, answer)

    return Operation(
        method="POST",
        path="/transactions/batch",
        name="submitBatch",
        summary="Submit up to 500 signed transactions, each judged on its own; answered when all receipts are durable.",
        run=submit,
        good=Good(description="Outcomes in the order of the transactions.", shape=OutcomesShape),
        headers={**_LANGUAGE, **_KEY},
        bodies=bodies,
        maximum=BATCH_BYTES,
        problems=(KEY_REUSED, KEY_IN_USE, BUSY, *AWAY),
    )


def _decode(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:  # noqa: ANN401 - the decoder's type
    try:
        decoded = decoder.decode(raw)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise malformed("body", str(error)) from None
    check_names(raw)
    return decoded


# Finding


def _find(service: Service) -> Operation:
    async def find(request: Asked) -> ASGIResponse:
        identifier = bytes.fromhex(read_parts(request, IdPart).identifier)
        answer = await service.ask(lambda door: door.find(identifier))
        if answer is None or answer.receipt is None:
            raise no_receipt(identifier)
        teller = service.teller(request.headers.get("accept-language", ""))
        return json_reply(teller.receipt(answer.receipt, answer.height, answer.leaf))

    return Operation(
        method="GET",
        path="/transactions/{identifier}",
        name="getTransaction",
        summary="The receipt of a transaction.",
        run=find,
        good=Good(description="The receipt.", shape=ReceiptShape),
        parts=IdPart,
        headers=_LANGUAGE,
        problems=(NOT_FOUND, *AWAY),
    )


def no_receipt(identifier: bytes) -> Problem:
    """The answer where a transaction is not in the ledger."""
    detail = f"No receipt of transaction {identifier.hex()}: it was neither applied nor refused here; check the id."
    return Problem(NOT_FOUND, detail)


def _prove(service: Service) -> Operation:
    async def prove(request: Asked) -> ASGIResponse:
        identifier = bytes.fromhex(read_parts(request, IdPart).identifier)
        wanted = read_query(request, ProofQuery)
        try:
            key = from_base64url(wanted.state) or None
        except ValueError as error:
            raise malformed("query", f"state: {error}") from None

        def bundle(door: Door) -> bytes | None:
            if door.find(identifier) is None:
                return None
            return door.bundle(identifier, key, with_commit=wanted.is_wanted)

        try:
            found = await service.ask(bundle)
        except NoCommit as fault:
            raise no_commit(fault) from None
        except Unprovable as fault:
            detail = f"{str(fault).rstrip('.')}: leave out state, or give the key of a certificate that it issued."
            raise Problem(NOT_PROVABLE, detail) from None
        if found is None:
            raise no_receipt(identifier)
        return reply(found, JSON)

    return Operation(
        method="GET",
        path="/transactions/{identifier}/proof",
        name="getProof",
        summary="The proof bundle of a transaction's receipt, for `kerege verify` and /verify.",
        run=prove,
        good=Good(description="The bundle.", schema={"type": "object"}),
        parts=IdPart,
        query=ProofQuery,
        problems=(NOT_FOUND, NOT_PROVABLE, *AWAY),
    )
