"""What requests bring and answers hold."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Base64Url = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]*\Z", max_length=400_000, description="base64url, no padding")]
Time = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Milliseconds since the Unix epoch, UTC")]


class Prepare(Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction that somebody wants to sign."""

    sender: Annotated[str, Meta(min_length=8, max_length=90, description="Address of the account that sends")]
    messages: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=64, description="Messages as JSON forms")]
    lane: Annotated[int, Meta(ge=0, le=15)] = 0
    valid_until: Time | None = None
    """None: one hour from now."""


class Prepared(Struct, frozen=True):
    """The bytes to sign."""

    transaction: str
    """Id, hex: SHA-256 of the body."""
    body: str
    """Body, base64url; the transaction is [body, kind, key, signature] in MessagePack."""
    payload: str
    """What an Ed25519 key signs, base64url; for the other kinds see docs/how-to/use-the-api.md."""
    sequence: int
    valid_until: int


class Submit(Struct, frozen=True, forbid_unknown_fields=True):
    """One signed transaction."""

    transaction: Base64Url


class SubmitBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Signed transactions; each is answered on its own."""

    transactions: Annotated[list[Base64Url], Meta(min_length=1, max_length=500)]


class LedgerState(Struct, frozen=True):
    """Where the ledger stands."""

    ledger: str
    prefix: str
    height: int
    time: int
    app_hash: str
    state_root: str
    log_root: str
    log_size: int


class Outcomes(Struct, frozen=True):
    """Outcomes in the order of the request."""

    outcomes: list[dict[str, Any]]


class Page(Struct, frozen=True):
    """Some of a longer list."""

    items: list[dict[str, Any]]
    next: str | None
    """Cursor of the rest; null at the end."""


class MessageKind(Struct, frozen=True):
    """A message that the ledger takes."""

    type: str
    about: str


class Health(Struct, frozen=True):
    """Whether the API answers, and whether the ledger behind it does."""

    status: str
