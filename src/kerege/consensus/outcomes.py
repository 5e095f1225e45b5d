"""What became of a transaction, for people and for programs."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kerege.consensus.embedded import Answer
from kerege.kernel import addresses
from kerege.kernel.codec import decode
from kerege.kernel.forms import to_json
from kerege.kernel.messages import Event, tag_of
from kerege.kernel.receipts import Receipt
from kerege.modules import MODULES

ADDRESS_LENGTH = 20
APPLIED = "applied"
ACCEPTED: Final = "accepted"
"""By a node that keeps it and hands it in; not final yet."""
EVENTS: dict[str, type[Event]] = {tag_of(kind): kind for module in MODULES for kind in module.events}

Texts = Mapping[str, Mapping[str, str]]


def outcome(answer: Answer, ledger: str, prefix: str) -> dict[str, Any]:
    """An answer as JSON: class of outcome, number, facts, events."""
    if answer.pending:
        return {"outcome": ACCEPTED, "transaction": answer.id.hex(), "code": "", "facts": {}}
    if answer.receipt is None:
        reason = answer.reason
        code, facts = ("", []) if reason is None else (reason.code, reason.facts())
        return {"outcome": "not a transaction", "code": code, "facts": plain(dict(facts), prefix)}
    receipt = decode(answer.receipt, Receipt)
    return {
        "outcome": "refused" if receipt.code else APPLIED,
        "transaction": answer.id.hex(),
        "height": answer.height,
        "leaf": answer.leaf,
        "time": receipt.time,
        "code": receipt.code,
        "facts": plain(dict(receipt.facts), prefix),
        "events": [event_form(event, prefix) for event in receipt.events],
        "ledger": ledger,
    }


def refusal_of(answer: Answer) -> str:
    """Why it was not applied, in few words; empty where it was."""
    return str(answer.reason) if answer.receipt is None else decode(answer.receipt, Receipt).code


def explain(told: Mapping[str, Any], texts: Texts, lang: str) -> str:
    """The refusal as a sentence of the nation, with its facts; else number and facts."""
    code, facts = str(told["code"]), dict(told["facts"])
    text = texts.get(lang, {}).get(f"refusals.{code}")
    if text is None:
        listed = ", ".join(f"{name} {value}" for name, value in facts.items())
        return f"{code}: {listed}" if listed else code
    return text.format_map(_Facts(facts))


class _Facts(dict[str, Any]):
    """Facts for a text; one that is missing stays as its name, for a receipt of an older release may lack it."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def event_form(event: Any, prefix: str) -> Any:  # noqa: ANN401 - decoded MessagePack
    """An event by the names of its fields; as it stands where this release does not know it."""
    tag = event[0] if isinstance(event, list | tuple) and event else ""
    kind = EVENTS.get(tag)
    if kind is None:
        return plain(event, prefix)
    return to_json(msgspec.convert(event, kind, builtin_types=(bytes,)), kind, prefix)


def plain(value: Any, prefix: str) -> Any:  # noqa: ANN401 - decoded MessagePack
    """JSON of a decoded value: accounts as addresses, other bytes as hex."""
    if isinstance(value, bytes):
        return addresses.encode(prefix, value) if len(value) == ADDRESS_LENGTH else value.hex()
    if isinstance(value, dict):
        return {key: plain(item, prefix) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, prefix) for item in value]
    return value
