"""Looking for a word in all raw blocks: a name must not be there, an office's code is."""

import threading
import time
from dataclasses import dataclass

from kerege.consensus.door import Door
from kerege.kernel.codec import encode

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251")
LONGEST = 100
SECONDS = 2.0
"""What one request may take; a longer ledger is searched in several, each beginning where the one before ended."""

_one_at_a_time = threading.Lock()


class SearchBusy(Exception):
    """Somebody else's search is under way: a visitor must not take the machine from the ledger."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    word: str
    first: int
    """Height of the first block searched."""
    last: int
    """Height of the last one."""
    head: int
    """Height of the newest block."""
    size: int
    """Bytes searched."""
    hits: int

    @property
    def rest(self) -> int:
        """Blocks that were not searched for want of time."""
        return self.head - self.last


def patterns(word: str) -> tuple[bytes, ...]:
    """The bytes of a word in the usual encodings and letter cases."""
    found: dict[bytes, None] = {}
    for form in (word, word.lower(), word.upper(), word.title()):
        for encoding in ENCODINGS:
            try:
                found[form.encode(encoding)] = None
            except UnicodeEncodeError:
                continue
    return tuple(found)


def search(door: Door, word: str, first: int = 0, seconds: float = SECONDS) -> Found:
    """Search blocks as they are stored, transactions and receipts, from a height on; raises `SearchBusy`."""
    if not _one_at_a_time.acquire(blocking=False):
        raise SearchBusy
    try:
        return _search(door, word, first, time.monotonic() + seconds)
    finally:
        _one_at_a_time.release()


def _search(door: Door, word: str, first: int, until: float) -> Found:
    """At least one block, whatever the time."""
    wanted, head = patterns(word), door.head().height
    first = height = min(first, head)
    size = hits = 0
    while True:
        block = door.block(height)
        raw = b"" if block is None else encode(block)
        size += len(raw)
        hits += sum(raw.count(pattern) for pattern in wanted)
        if height == head or time.monotonic() > until:
            return Found(word, first, height, head, size, hits)
        height += 1
