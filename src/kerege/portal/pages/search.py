"""Looking for a word in all raw blocks: a name must not be there, an office's code is."""

from dataclasses import dataclass

from kerege.consensus.door import Door
from kerege.kernel.codec import encode

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251")
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    word: str
    blocks: int
    size: int
    """Bytes searched."""
    hits: int


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


def search(door: Door, word: str) -> Found:
    """Search every block as it is stored, transactions and receipts."""
    wanted = patterns(word)
    blocks = size = hits = 0
    for height in range(door.head().height + 1):
        block = door.block(height)
        if block is None:
            continue
        raw = encode(block)
        blocks, size = blocks + 1, size + len(raw)
        hits += sum(raw.count(pattern) for pattern in wanted)
    return Found(word, blocks, size, hits)
