"""What the routes ask: forms to bytes and back, over one door. Blocking calls, for threads."""

import os
import time
from collections.abc import Mapping
from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec

from kerege.api.cursors import from_base64url, from_hex, to_base64url
from kerege.api.forms import LedgerState, Page, Prepare, Prepared
from kerege.api.problems import Problem
from kerege.consensus.door import PAGE, Door
from kerege.consensus.embedded import Answer
from kerege.consensus.outcomes import Texts, explain, outcome, plain
from kerege.kernel import addresses, crypto
from kerege.kernel.errors import BadForm
from kerege.kernel.forms import from_json, json_schema, to_json
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.receipts import BlockReceipt, Receipt
from kerege.kernel.tables import Table
from kerege.kernel.transaction import MAXIMUM_AHEAD, Body, encode_body
from kerege.modules import MODULES

HOUR = 3_600_000
HASH, ID = 32, 16
LOOKED_THROUGH = 200
"""Blocks that one page of receipts looks through at most."""
LANGUAGES = ("ky", "ru", "en")

MESSAGES: dict[str, type[Message]] = {tag_of(kind): kind for module in MODULES for kind in module.handlers}
TABLES: dict[str, Table[Any, Any]] = {table.name: table for module in MODULES for table in module.tables}

_ENTRIES: Any = msgspec.msgpack.Decoder(Receipt | BlockReceipt)


class Service:
    """One ledger as the API shows it."""

    def __init__(self, door: Door, texts: Texts, trust: bytes) -> None:
        self.door = door
        self.trust = trust
        self._texts = texts

    # Messages

    def schema(self, tag: str) -> dict[str, Any]:
        """JSON Schema of a message; raises `Problem`."""
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": tag, **json_schema(_message(tag))}

    def prepare(self, asked: Prepare) -> Prepared:
        """The bytes to sign; raises `Problem`."""
        door = self.door
        try:
            sender = addresses.decode(door.prefix, asked.sender)
        except ValueError as error:
            detail = f"{asked.sender} is no address of this ledger ({error}): it begins with {door.prefix}1."
            raise Problem("bad-request", 400, detail) from None
        messages = [self._read(form, at) for at, form in enumerate(asked.messages)]
        now = max(door.head().time, time.time_ns() // 1_000_000)
        until = now + HOUR if asked.valid_until is None else asked.valid_until
        if not now <= until <= now + MAXIMUM_AHEAD:
            detail = f"valid_until is {until}: choose a time between {now} and {now + MAXIMUM_AHEAD}."
            raise Problem("bad-request", 400, detail)
        sequence = door.next_sequence(sender, asked.lane)
        body = encode_body(Body(door.ledger, sender, asked.lane, sequence, until, os.urandom(ID), messages))
        identifier = sha256(body).digest()
        payload = to_base64url(crypto.payload(identifier))
        return Prepared(identifier.hex(), to_base64url(body), payload, sequence, until)

    def _read(self, form: Mapping[str, Any], at: int) -> Message:
        tag = form.get("type")
        try:
            message: Message = from_json(dict(form), _message(tag if isinstance(tag, str) else ""), self.door.prefix)
        except BadForm as error:
            detail = f"messages[{at}].{error.field.removeprefix('$.')}: {error.reason}: see the message's schema."
            raise Problem("bad-request", 400, detail) from None
        except RecursionError:
            raise Problem("bad-request", 400, f"messages[{at}] is nested too deeply.") from None
        return message

    # Transactions

    def told(self, answer: Answer, lang: str) -> dict[str, Any]:
        """An outcome as JSON; a refusal with its sentence."""
        said = outcome(answer, self.door.ledger, self.door.prefix)
        return {**said, "text": explain(said, self._texts, lang)} if said["code"] else said

    def find(self, identifier: str, lang: str) -> dict[str, Any]:
        """The receipt of a transaction; raises `Problem`."""
        answer = self.door.find(from_hex(identifier, HASH, "the transaction"))
        if answer is None:
            raise Problem("not-found", 404, f"No receipt of {identifier}: it was neither applied nor refused here.")
        return self.told(answer, lang)

    def bundle(self, identifier: str, certificate: str | None) -> bytes:
        """The proof bundle of a transaction; raises `Problem`, `Unprovable`."""
        transaction = from_hex(identifier, HASH, "the transaction")
        key = None
        if certificate is not None:
            key = TABLES["registries.certificate"].encode_key(from_hex(certificate, ID, "the certificate"))
        return self.door.bundle(transaction, key)

    # The chain

    def ledger(self) -> LedgerState:
        """Where the ledger stands."""
        head, door = self.door.head(), self.door
        return LedgerState(
            door.ledger,
            door.prefix,
            head.height,
            head.time,
            head.app_hash.hex(),
            head.state_root.hex(),
            head.log_root.hex(),
            head.log_size,
        )

    def block(self, height: int) -> dict[str, Any]:
        """A block with its receipts; raises `Problem`."""
        found = self.door.block(height)
        if found is None:
            newest = self.door.head().height
            raise Problem("not-found", 404, f"There is no block {height}: the newest is {newest}.")
        return {
            "height": found.height,
            "time": found.time,
            "app_hash": found.head.app_hash.hex(),
            "state_root": found.head.state_root.hex(),
            "receipts": [self._entry(raw, found.first_leaf + at) for at, raw in enumerate(found.leaves[:-1])],
        }

    def receipts(self, cursor: str | None, limit: int) -> Page:
        """Receipts, the newest first; raises `Problem` for a cursor that is none."""
        height, skip = self.door.head().height, 0
        if cursor is not None:
            raw = from_base64url(cursor, "the cursor")
            if len(raw) != 2 * 8:
                raise Problem("bad-request", 400, "The cursor is none of this list: begin without one.")
            height, skip = min(height, int.from_bytes(raw[:8], "big")), int.from_bytes(raw[8:], "big")
        items: list[dict[str, Any]] = []
        lowest = max(0, height - LOOKED_THROUGH)
        while height > lowest:
            entries = list(reversed(self._entries(height)))[skip:]
            taken = entries[: limit - len(items)]
            items += taken
            if len(taken) < len(entries) or len(items) == limit:
                skip += len(taken)
                if len(taken) == len(entries):
                    height, skip = height - 1, 0
                break
            height, skip = height - 1, 0
        more = height > 0
        return Page(items, to_base64url(height.to_bytes(8, "big") + skip.to_bytes(8, "big")) if more else None)

    def _entries(self, height: int) -> list[dict[str, Any]]:
        found = self.door.block(height)
        if found is None:
            return []
        return [self._entry(raw, found.first_leaf + at) for at, raw in enumerate(found.leaves[:-1])]

    def _entry(self, raw: bytes, leaf: int) -> dict[str, Any]:
        entry: Receipt | BlockReceipt = _ENTRIES.decode(raw)
        prefix = self.door.prefix
        events = [str(event[0]) for event in entry.events]
        if isinstance(entry, BlockReceipt):
            return {"leaf": leaf, "height": entry.height, "time": entry.time, "transaction": None, "events": events}
        return {
            "leaf": leaf,
            "height": entry.height,
            "time": entry.time,
            "transaction": entry.transaction.hex(),
            "code": entry.code,
            "facts": plain(dict(entry.facts), prefix),
            "events": events,
        }

    # State

    def rows(self, name: str, cursor: str | None, limit: int) -> Page:
        """Rows of a table in key order; raises `Problem`."""
        table = _table(name)
        after = b"" if cursor is None else table.prefix + from_base64url(cursor, "the cursor")
        found = self.door.scan(table.prefix, after, min(limit, PAGE - 1) + 1)
        shown = list(islice(found, limit))
        items = [{"key": to_base64url(key[len(table.prefix) :]), **self._row(table, key, raw)} for key, raw in shown]
        more = len(found) > limit
        return Page(items, items[-1]["key"] if more else None)

    def row(self, name: str, key: str) -> dict[str, Any]:
        """One row, by its key as a page shows it; raises `Problem`."""
        table = _table(name)
        full = table.prefix + from_base64url(key, "the key")
        raw = self.door.state(full)
        if raw is None:
            raise Problem("not-found", 404, f"{name} holds nothing under {key}.")
        return {"key": key, **self._row(table, full, raw)}

    def _row(self, table: Table[Any, Any], key: bytes, raw: bytes) -> dict[str, Any]:
        parts = table.decode_key(key)
        named = list(parts) if table.composite else [parts]
        prefix = self.door.prefix
        return {"parts": plain(named, prefix), "value": to_json(table.decode_value(raw), table.value, prefix)}


def _message(tag: str) -> type[Message]:
    if tag not in MESSAGES:
        raise Problem("not-found", 404, f"There is no message {tag[:80]}: GET /api/v1/messages lists them.")
    return MESSAGES[tag]


def _table(name: str) -> Table[Any, Any]:
    if name not in TABLES:
        raise Problem("not-found", 404, f"There is no table {name[:80]}: GET /api/v1/state lists them.")
    return TABLES[name]
