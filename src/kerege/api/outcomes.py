"""Answers and leaves of the ledger as the API's shapes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from kerege.api.octets import to_base64url
from kerege.api.problems import BUSY, NO_TRANSACTION, OUT_OF_ORDER, TOO_LARGE, TOO_MANY, Kind, Problem
from kerege.api.shapes import OutcomeShape, ReceiptShape
from kerege.consensus.embedded import Answer
from kerege.consensus.outcomes import Texts, event_form, explain, plain
from kerege.kernel.errors import (
    BlockFull,
    NotATransaction,
    TooLarge,
    TooManyOutOfTurn,
    TooManyWaiting,
    WrongSequence,
)
from kerege.kernel.receipts import BlockReceipt, BlockRecord, Receipt


class _Named(Struct, frozen=True, array_like=True, gc=False):
    """An event as far as its name."""

    name: str


class Brief(Struct, frozen=True, array_like=True, gc=False, tag="receipt"):
    """A receipt without what an outcome does not tell: its other values are passed over, not built."""

    transaction: bytes
    witness: Raw
    height: Raw
    time: Raw
    code: str
    facts: list[tuple[str, Any]]
    events: list[_Named]


_RECEIPT = msgspec.msgpack.Decoder(Receipt)
_BRIEF = msgspec.msgpack.Decoder(Brief)
_BRIEF_LEAF: msgspec.msgpack.Decoder[Brief | BlockReceipt | BlockRecord] = msgspec.msgpack.Decoder(
    Brief | BlockReceipt | BlockRecord
)
Leaf = Receipt | BlockReceipt | BlockRecord
_LEAF: msgspec.msgpack.Decoder[Leaf] = msgspec.msgpack.Decoder(Leaf)

_KINDS: dict[type[NotATransaction], Kind] = {
    WrongSequence: OUT_OF_ORDER,
    TooLarge: TOO_LARGE,
    BlockFull: BUSY,
    TooManyWaiting: TOO_MANY,
    TooManyOutOfTurn: TOO_MANY,
}

_CURES: dict[str, str] = {
    "kernel.20": "encode it canonically: POST /messages/prepare gives the body.",
    "kernel.21": "split it into several transactions.",
    "kernel.22": "prepare it for this ledger.",
    "kernel.23": "prepare and sign it anew.",
    "kernel.24": "choose a nearer valid_until.",
    "kernel.25": "open the account first, or check the sender.",
    "kernel.26": "sign with a key of the account.",
    "kernel.27": "prepare and sign it anew with the expected sequence.",
    "kernel.28": "sign what POST /messages/prepare gives for this kind of key.",
    "kernel.29": "GET /messages lists the messages and their fields.",
    "kernel.30": "send it again.",
    "kernel.31": "send it again when some of them have run.",
    "kernel.32": "send those before it first.",
}
"""Number of a reason → what to do."""


def kind_of(answer: Answer) -> Kind:
    """Which problem it is that something was no transaction."""
    return NO_TRANSACTION if answer.reason is None else _KINDS.get(type(answer.reason), NO_TRANSACTION)


class Teller:
    """Tells answers of one ledger in one language."""

    __slots__ = ("_language", "_prefix", "_texts")

    def __init__(self, prefix: str, texts: Texts, language: str) -> None:
        self._prefix = prefix
        self._texts = texts
        self._language = language

    def receipt(self, raw: bytes, height: int, leaf: int) -> ReceiptShape:
        """The receipt of its bytes, with events."""
        receipt = _RECEIPT.decode(raw)
        return self.decoded(receipt, raw, height, leaf)

    def decoded(self, receipt: Receipt, raw: bytes, height: int, leaf: int) -> ReceiptShape:
        """The same where it is decoded already."""
        code = receipt.code
        facts = plain(dict(receipt.facts), self._prefix) if code else {}
        return ReceiptShape(
            outcome="refused" if code else "applied",
            transaction=receipt.transaction.hex(),
            height=height,
            leaf=leaf,
            time=receipt.time,
            code=code,
            facts=facts,
            text=self._explain(code, facts) if code else "",
            events=self.events(receipt.events),
            receipt=to_base64url(raw),
        )

    def brief(self, receipt: Brief, height: int, leaf: int) -> OutcomeShape:
        """A receipt without its events."""
        if not receipt.code:
            return OutcomeShape(
                outcome="applied",
                transaction=receipt.transaction.hex(),
                height=height,
                leaf=leaf,
                announced=[event.name for event in receipt.events],
            )
        facts = plain(dict(receipt.facts), self._prefix)
        return OutcomeShape(
            outcome="refused",
            transaction=receipt.transaction.hex(),
            height=height,
            leaf=leaf,
            code=receipt.code,
            facts=facts,
            text=self._explain(receipt.code, facts),
        )

    def outcome(self, answer: Answer) -> OutcomeShape:
        """What became of one transaction of a batch."""
        if answer.receipt is not None:
            return self.brief(_BRIEF.decode(answer.receipt), answer.height, answer.leaf)
        code, facts = self._reason(answer.reason)
        return OutcomeShape(
            outcome="not a transaction",
            transaction=answer.id.hex() if answer.id else UNSET,
            code=code,
            facts=facts,
            text=self._explain(code, facts),
        )

    def problem(self, answer: Answer) -> Problem:
        """Why it was no transaction."""
        reason = answer.reason
        code, facts = self._reason(reason)
        kind = kind_of(answer)
        told = ", ".join(f"{name} {value}" for name, value in facts.items())
        cure = _CURES.get(code, "prepare and sign it anew.")
        return Problem(
            kind,
            f"{code}: {told or 'not a transaction'}. Nothing was recorded; {cure}",
            code=code,
            facts=facts,
            text=self._explain(code, facts),
            headers={"retry-after": "1"} if kind in {BUSY, TOO_MANY} else None,
        )

    def events(self, events: Sequence[Any]) -> list[Any]:
        """Events by the names of their fields."""
        return [event_form(event, self._prefix) for event in events]

    def _explain(self, code: str, facts: dict[str, Any]) -> str:
        return explain({"code": code, "facts": facts}, self._texts, self._language)

    def _reason(self, reason: NotATransaction | None) -> tuple[str, dict[str, Any]]:
        return ("", {}) if reason is None else (reason.code, plain(dict(reason.facts()), self._prefix))


def read_leaf(raw: bytes) -> Leaf:
    """What a leaf of the log says."""
    return _LEAF.decode(raw)


def read_brief(raw: bytes) -> Brief | BlockReceipt | BlockRecord:
    """The same, of a receipt only as much as an outcome tells."""
    return _BRIEF_LEAF.decode(raw)
