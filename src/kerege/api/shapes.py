"""What the API takes and answers, as strict structs: unknown members are refused, every bound is in the schema."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from kerege.api.octets import Base64url, Hex32
from kerege.kernel.types import MAXIMUM_TIME

MAXIMUM_BATCH = 500
Height = Annotated[int, Meta(ge=0, le=MAXIMUM_TIME)]
Time = Annotated[int, Meta(ge=0, le=MAXIMUM_TIME, description="Milliseconds since the Unix epoch, UTC.")]
AddressText = Annotated[str, Meta(pattern="^[a-z]{2,8}1[02-9ac-hj-np-z]{38}$", description="Address, bech32m.")]
JsonObject = dict[str, Any]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of all shapes."""


# The ledger


class HeadShape(Strict):
    """The newest durable block."""

    height: Height
    time: Time
    app_hash: Hex32
    state_root: Hex32
    log_root: Hex32
    log_size: Annotated[int, Meta(ge=0)]


class LedgerShape(Strict):
    """Which ledger this is and where it stands."""

    ledger: str
    """The ledger's id, part of everything that is signed for it."""
    prefix: str
    """What addresses begin with."""
    height: Height
    time: Time
    app_hash: Hex32
    state_root: Hex32
    log_root: Hex32
    log_size: Annotated[int, Meta(ge=0)]
    checkpoint_age: Annotated[int, Meta(ge=0)]
    """Milliseconds since the time of the newest block, which the newest checkpoint is of."""
    languages: list[str]
    """Languages that refusals are told in, for `Accept-Language`."""


class MessageShape(Strict):
    """A message that may be sent."""

    type: str
    module: str
    senders: str
    """Who may send it."""
    weight: Annotated[int, Meta(ge=1)]
    """Units of work, counted against the sender's rate."""
    description: str
    json_schema: JsonObject
    """JSON Schema 2020-12 of the message's JSON form."""


class MessagesShape(Strict):
    """All messages of the ledger."""

    messages: list[MessageShape]


class TableShape(Strict):
    """A table of the state."""

    table: str
    module: str
    schema: Annotated[int, Meta(ge=1)]
    """Number of the newest schema of its values."""
    key: list[JsonObject]
    """JSON Schema of each part of the key, in order."""
    json_schema: JsonObject
    """JSON Schema of the newest schema's values."""


class TablesShape(Strict):
    """All tables of the ledger."""

    tables: list[TableShape]


# Preparing and submitting


class PrepareShape(Strict):
    """What to prepare a transaction of."""

    sender: AddressText
    messages: Annotated[list[JsonObject], Meta(min_length=1, max_length=64)]
    """JSON forms of messages, each with its `type`; they apply together or not at all."""
    lane: Annotated[int, Meta(ge=0, le=15)] = 0
    valid_until: Time | UnsetType = UNSET
    """Block time after which it is no transaction; absent: an hour from now."""
    chain_id: Annotated[int, Meta(ge=1, le=2**53 - 1)] = 1
    """Network that a wallet is on: wallets refuse to sign for another one. Nothing else depends on it."""


class SigningShape(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a key of each kind signs."""

    ed25519: Base64url
    """Kind 1: the bytes to sign."""
    webauthn: Base64url
    """Kind 2: the challenge of the assertion."""
    secp256k1: JsonObject | UnsetType = UNSET
    """Kind 3: the document for `eth_signTypedData_v4`; absent where several messages are in the transaction."""


class PreparedShape(Strict):
    """A transaction that waits for its signature."""

    body: Base64url
    """Canonical bytes of the body."""
    transaction: Hex32
    """The transaction's id: SHA-256 of the body."""
    lane: Annotated[int, Meta(ge=0, le=15)]
    sequence: Annotated[int, Meta(ge=0)]
    valid_until: Time
    weight: Annotated[int, Meta(ge=1)]
    """Units of work, taken from the sender's rate when it is executed."""
    fee: Annotated[str, Meta(pattern="^(0|[1-9][0-9]*)$")]
    """What the ledger itself takes for it, in minor units of the base currency."""
    sign: SigningShape


class SubmitShape(Strict):
    """One signed transaction: whole, or as its body and witness."""

    transaction: Base64url | UnsetType = UNSET
    """The signed transaction's bytes; then nothing else is given."""
    body: Base64url | UnsetType = UNSET
    kind: Annotated[int, Meta(ge=1, le=3)] | UnsetType = UNSET
    """Kind of key: 1 Ed25519, 2 WebAuthn on P-256, 3 secp256k1 with EIP-712."""
    key: Base64url | UnsetType = UNSET
    signature: Base64url | UnsetType = UNSET


class BatchShape(Strict):
    """Signed transactions, each judged on its own."""

    transactions: Annotated[list[Base64url], Meta(min_length=1, max_length=MAXIMUM_BATCH)]


class AcceptedShape(Strict):
    """A transaction that the node keeps and hands in until it is final or has expired."""

    outcome: Literal["accepted"]
    transaction: Hex32


class ReceiptShape(Strict):
    """What the ledger did with a transaction, durable and in its log."""

    outcome: Literal["applied", "refused"]
    transaction: Hex32
    height: Height
    leaf: Annotated[int, Meta(ge=0)]
    """Position of the receipt in the log."""
    time: Time
    code: str
    """Number of the refusal, empty where it was applied."""
    facts: JsonObject
    """The refusal's facts by name."""
    text: str
    """The refusal in the language asked for, empty where it was applied."""
    events: list[Any]
    """What was announced, each an object with its `type`."""
    receipt: Base64url
    """The receipt's bytes as they stand in the log."""


class OutcomeShape(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What became of one transaction among others; what its events say is asked for by its id."""

    outcome: Literal["applied", "refused", "not a transaction"]
    transaction: Hex32 | UnsetType = UNSET
    """The id; absent where the bytes are no transaction of this ledger."""
    height: Height = 0
    leaf: Annotated[int, Meta(ge=0)] = 0
    code: str = ""
    facts: JsonObject = {}
    text: str = ""
    announced: list[str] = []
    """Types of the events."""


class OutcomesShape(Strict):
    """Outcomes in the order of what was sent."""

    outcomes: list[OutcomeShape]


# Reading


class ReceiptsShape(Strict):
    """A page of receipts, the newest first."""

    receipts: list[ReceiptShape]
    next: str
    """Cursor of the next page; empty at the end."""


class BlockShape(Strict):
    """A block with all its bytes: enough to replay it."""

    height: Height
    time: Time
    head: HeadShape
    first_leaf: Annotated[int, Meta(ge=0)]
    """Log index of its first leaf."""
    transactions: list[Base64url]
    """All bytes that were in the block."""
    leaves: list[Base64url]
    """Leaves of the log: receipts, then what its schedules did, then the block's record."""
    receipts: list[OutcomeShape]
    """What became of each transaction, in order of the leaves."""


class RowShape(Strict):
    """A row of the state."""

    table: str
    key: list[Any]
    schema: Annotated[int, Meta(ge=1)]
    """Number of the schema that the value was stored with."""
    value: Any
    stored: Base64url
    """Schema byte and value as the state tree has them."""


class RowsShape(Strict):
    """A page of rows in the order of keys."""

    rows: list[RowShape]
    next: str
    """Cursor of the next page; empty at the end."""


class HealthShape(Strict):
    """How the process is."""

    status: Literal["live", "ready"]
    height: Height | UnsetType = UNSET


ANSWERS: tuple[type[Struct], ...] = (
    LedgerShape,
    MessagesShape,
    TablesShape,
    PreparedShape,
    AcceptedShape,
    ReceiptShape,
    OutcomesShape,
    ReceiptsShape,
    BlockShape,
    RowShape,
    RowsShape,
    HealthShape,
)


def schema_of(kinds: tuple[Any, ...]) -> tuple[tuple[JsonObject, ...], dict[str, JsonObject]]:
    """JSON Schemas of types, and the components that they refer to."""
    return msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
