"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): the same request gets the same answer.

Held in memory, bounded by number, bytes and age, and gone with the process. Nothing depends on that: the ledger itself
answers a transaction that it has seen with the first receipt, whatever the key and however long ago.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from litestar.response.base import ASGIResponse

from kerege.api.problems import KEY_IN_USE, KEY_REUSED, MALFORMED, Problem

MAXIMUM_KEYS = 10_000
MAXIMUM_BYTES = 64 * 1024 * 1024
MAXIMUM_AGE = 3_600.0
"""Seconds."""

PATTERN = r'^("[A-Za-z0-9._~:/+=-]{1,128}"|[A-Za-z0-9._~:/+=-]{1,128})$'
_KEY = re.compile(PATTERN, re.ASCII)
_OVERHEAD = 512
"""Bytes of an entry beside its body."""


@dataclass(slots=True, eq=False)
class Entry:
    """A key in use: `answer` is None while the first request with it is under way."""

    key: str
    fingerprint: bytes
    at: float
    answer: ASGIResponse | None = None


class Keys:
    """Answers by key."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, header: str, fingerprint: bytes) -> Entry:
        """The key's entry, with the answer given before, if any; raises `Problem` where it is malformed or in use."""
        if _KEY.fullmatch(header) is None:
            raise Problem(
                MALFORMED,
                "The Idempotency-Key is 1 to 128 letters, digits or ._~:/+=- , in quotes or not: draw a random UUID.",
            )
        key = header.strip('"')
        self._forget_old(key)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(key, fingerprint, self._now())
            self._bytes += _OVERHEAD
            self._shrink()
            return entry
        if entry.fingerprint != fingerprint:
            raise Problem(
                KEY_REUSED,
                f"The key {key} came with another body before: draw a new key for a new request.",
            )
        if entry.answer is None:
            raise Problem(
                KEY_IN_USE,
                f"The first request with the key {key} is not answered yet: send it again in a second.",
                headers={"retry-after": "1"},
            )
        self._entries.move_to_end(key)
        return entry

    def end(self, entry: Entry, answer: ASGIResponse | None) -> None:
        """Keep the answer to the request that `begin` let in; None: nothing was decided, forget the key."""
        if self._entries.get(entry.key) is not entry:
            return
        if answer is None:
            self._drop(entry.key)
            return
        entry.answer = answer
        self._bytes += len(answer.body)
        self._shrink()

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key)
        self._bytes -= _OVERHEAD + (0 if entry.answer is None else len(entry.answer.body))

    def _forget_old(self, key: str) -> None:
        """Drop what is too old: the key asked for, and from the front, where what nobody asks for gathers."""
        before = self._now() - MAXIMUM_AGE
        asked = self._entries.get(key)
        if asked is not None and asked.at < before:
            self._drop(key)
        while self._entries:
            first, entry = next(iter(self._entries.items()))
            if entry.at >= before:
                return
            self._drop(first)

    def _shrink(self) -> None:
        while len(self._entries) > MAXIMUM_KEYS or (self._bytes > MAXIMUM_BYTES and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))
