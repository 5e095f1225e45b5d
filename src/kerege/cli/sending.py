"""Signing and sending messages, and telling what became of them."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerege.cli.wiring import CommandError, wiring
from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer, Busy, Stopped
from kerege.kernel import forms
from kerege.kernel.codec import decode
from kerege.kernel.errors import BadForm
from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Body

HOUR = 3_600_000


def send(home: Path, name: str, messages: Sequence[Message]) -> dict[str, Any]:
    """Sign messages as somebody, submit them as one transaction, and tell the outcome; raises `CommandError`."""
    signer = wiring().signer(home, name)
    with wiring().open_door(home) as door:
        body = Body(
            ledger=door.ledger,
            sender=signer.address,
            lane=0,
            sequence=door.next_sequence(signer.address),
            valid_until=max(door.head().time, time.time_ns() // 1_000_000) + HOUR,
            salt=os.urandom(16),
            messages=list(messages),
        )
        try:
            (answer,) = door.submit([signer.transaction(body)])
        except (Busy, Stopped) as error:
            sentence = f"{error}: nothing was accepted, send it again."
            raise CommandError(sentence) from None
        return outcome(door, answer)


def outcome(door: Door, answer: Answer) -> dict[str, Any]:
    """An answer as JSON: class of outcome, number, facts, events."""
    if answer.receipt is None:
        reason = answer.reason
        code, facts = ("", []) if reason is None else (reason.code, reason.facts())
        return {"outcome": "not a transaction", "code": code, "facts": _plain(dict(facts))}
    receipt = decode(answer.receipt, Receipt)
    return {
        "outcome": "refused" if receipt.code else "applied",
        "transaction": answer.id.hex(),
        "height": answer.height,
        "leaf": answer.leaf,
        "time": receipt.time,
        "code": receipt.code,
        "facts": _plain(dict(receipt.facts)),
        "events": [_plain(event) for event in receipt.events],
        "ledger": door.ledger,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - decoded MessagePack
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def read_form(text: str, kind: Any, prefix: str) -> Any:  # noqa: ANN401 - a message or a field of one
    """A value of its JSON form; raises `CommandError`."""
    try:
        return forms.from_json(json.loads(text), kind, prefix)
    except ValueError as error:
        sentence = f"not JSON ({error}): see `kerege schema`."
        raise CommandError(sentence) from None
    except BadForm as error:
        sentence = f"{error.field}: {error.reason}: see `kerege schema`."
        raise CommandError(sentence) from None
