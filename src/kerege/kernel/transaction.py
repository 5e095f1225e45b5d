"""Transactions: one byte string per value, bounded before decoding, signed beside the body."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kerege.kernel.codec import encode
from kerege.kernel.crypto import sha256
from kerege.kernel.errors import NotATransaction, NotCanonical, TooLarge, UnknownMessage
from kerege.kernel.messages import Message
from kerege.kernel.scan import Malformed, scan
from kerege.kernel.types import Address, Blind, Code, Lane, Time

MAXIMUM_SIZE = 256 * 1024
"""Bytes of a transaction: room for a signed batch of records."""

MAXIMUM_DEPTH = 8
_ENVELOPE_ITEMS = 5
"""The array and its four values."""

MAXIMUM_ITEMS = 32_768
MAXIMUM_MESSAGES = 64
MAXIMUM_BLOCK_WEIGHT = 40_000
"""Units of work that one block may ask for."""

MAXIMUM_MESSAGE_WEIGHT = MAXIMUM_BLOCK_WEIGHT // MAXIMUM_MESSAGES
"""Units of work that one message may declare, so that every transaction fits into some block."""

MAXIMUM_AHEAD = 24 * 3600 * 1000
"""`valid_until` lies at most 24 hours of block time ahead."""


class Witness(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Who signed: key kind, public key and signature, each in one fixed encoding."""

    kind: Annotated[int, Meta(ge=1, le=3)]
    key: Annotated[bytes, Meta(min_length=32, max_length=33)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=1024)]


class Envelope(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A transaction on the wire: the body's bytes and the witness beside them."""

    body: Annotated[bytes, Meta(max_length=MAXIMUM_SIZE)]
    kind: Annotated[int, Meta(ge=1, le=3)]
    key: Annotated[bytes, Meta(min_length=32, max_length=33)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=1024)]


class Body(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What is asked, by whom, in which order, until when; the messages apply together or not at all."""

    ledger: Code
    sender: Address
    lane: Lane
    sequence: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    valid_until: Time
    salt: Blind
    messages: list[Any]


class Transaction:
    """A decoded transaction: canonical and bounded; nothing about it has been checked against the state."""

    __slots__ = ("body", "id", "raw", "signed", "weight", "witness", "witness_hash")

    def __init__(self, raw: bytes, body: Body, envelope: Envelope, weight: int) -> None:
        self.raw = raw
        self.body = body
        self.weight = weight
        self.witness = envelope
        self.id, self.witness_hash = identify(envelope)
        self.signed: bool | None = None
        """Whether its witness is good, where that was found: a matter of its bytes. Where a passkey may sign is not."""


def identify(envelope: Envelope) -> tuple[bytes, bytes]:
    """A transaction's id, and the hash of its witness: together they are all of its bytes."""
    witness = encode((envelope.kind, envelope.key, envelope.signature))
    return sha256(envelope.body), sha256(witness)


def encode_body(body: Body) -> bytes:
    """Canonical bytes of a body."""
    return encode(body)


def seal(body: bytes, witness: Witness) -> bytes:
    """The transaction's bytes of a body and its witness."""
    return encode(Envelope(body, witness.kind, witness.key, witness.signature))


class Decoder:
    """Decodes the transactions of one ledger: its modules' messages and no others."""

    def __init__(self, messages: tuple[type[Message], ...]) -> None:
        union: Any = messages[0]
        for kind in messages[1:]:
            union = union | kind
        listed = Annotated[list[union], Meta(min_length=1, max_length=MAXIMUM_MESSAGES)]
        # The form of the ledger's name is checked once, not with every transaction of that ledger: see `_check_ledger`.
        given: dict[str, Any] = {"ledger": Annotated[str, Meta(min_length=1, max_length=64)], "messages": listed}
        fields = [(f.name, given.get(f.name, Body.__annotations__[f.name])) for f in msgspec.structs.fields(Body)]
        typed: Any = msgspec.defstruct(
            "TypedBody",
            fields,
            bases=(Body,),
            frozen=True,
            array_like=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._envelope = msgspec.msgpack.Decoder(Envelope)
        self._body: msgspec.msgpack.Decoder[Body] = msgspec.msgpack.Decoder(typed)
        self._any_body = msgspec.msgpack.Decoder(Body)
        self._message = msgspec.msgpack.Decoder(union)
        self._ledger = ""
        """The name met last that has the form of one."""

    def transaction(self, raw: bytes) -> Transaction:
        """Decode; raises `TooLarge`, `NotCanonical` or `UnknownMessage`, whatever the bytes are."""
        if len(raw) > MAXIMUM_SIZE:
            raise TooLarge(size=len(raw), limit=MAXIMUM_SIZE)
        try:
            scan(raw, 1, _ENVELOPE_ITEMS)
            envelope = self._envelope.decode(raw)
            scan(envelope.body, MAXIMUM_DEPTH, MAXIMUM_ITEMS)
        except Malformed as error:
            raise NotCanonical(reason=error.reason) from None
        except ValueError:  # msgspec's errors are ValueErrors, and so is text that is no UTF-8
            raise NotCanonical(reason="envelope") from None
        try:
            body = self._body.decode(envelope.body)
            if body.ledger != self._ledger:
                self._check_ledger(body.ledger)
        except ValueError as error:
            raise self._reason(envelope.body, error) from None
        if encode(body) != envelope.body or encode(envelope) != raw:
            raise NotCanonical(reason="encoding")
        weight = 0
        for message in body.messages:
            weight += message.WEIGHT
        return Transaction(raw, body, envelope, weight)

    def _check_ledger(self, name: str) -> None:
        msgspec.convert(name, Code)
        self._ledger = name

    def _reason(self, body: bytes, error: Exception) -> NotATransaction:
        """Whether the body or one of its messages is at fault."""
        try:
            self._any_body.decode(body)
        except ValueError:
            return NotCanonical(reason="body")
        return UnknownMessage(reason=_where(error))

    def message(self, raw: bytes) -> Message:
        """A message of its canonical bytes; raises `UnknownMessage`."""
        try:
            scan(raw, MAXIMUM_DEPTH, MAXIMUM_ITEMS)
            message: Message = self._message.decode(raw)
        except ValueError as error:
            raise UnknownMessage(reason=_where(error)) from None
        if encode(message) != raw:
            raise UnknownMessage(reason="encoding")
        return message


def _where(error: Exception) -> str:
    """What msgspec found, shortened; shown by admission only, never part of consensus."""
    return str(error)[:200]
