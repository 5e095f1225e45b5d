"""Making a snapshot: the same bytes on every member, beside a ledger that goes on.

Costs one walk through the state, and through the blocks since the snapshot before: chunks of older ones are known.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from kerege.consensus import rows
from kerege.consensus.agreed import read_agreed
from kerege.consensus.past import head_at, rows_at
from kerege.consensus.snapshots.manifest import CHUNKS_MAX, HASH_BYTES, MANIFEST_MAX, Manifest
from kerege.consensus.snapshots.records import CHUNK_BYTES, Cutter
from kerege.consensus.snapshots.shelf import (
    DRAFT,
    MANIFEST,
    PLACES,
    Places,
    Shelf,
    Snapshot,
    genesis_rows,
    history_chunks,
    state_file,
)
from kerege.durable import sync_folder
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.storage.port import Store


class CannotMake(Exception):
    """There is no snapshot of this height to be made here; the text says why."""


def make_snapshot(store: Store, shelf: Shelf, height: int, *, chunk_bytes: int = CHUNK_BYTES) -> Snapshot:
    """Put the snapshot of a height on the shelf and let the oldest ones go.

    `store` must not change meanwhile: a secondary. Raises `CannotMake`, and `TooOld` where the state of the height is
    gone.
    """
    agreed, head, genesis = read_agreed(store), head_at(store, height), rows.read_genesis(store)
    if agreed is None or head is None or genesis is None or agreed.height < height:
        raise CannotMake(f"this store is not at height {height} yet")
    found = shelf.find(height)
    if found is not None:
        return found
    shelf.tidy()
    draft = shelf.folder / f"{DRAFT}{height}"
    draft.mkdir(parents=True)
    begun = b"".join(sha256(chunk).digest() for chunk in _chunks(genesis_rows(genesis), chunk_bytes))
    history, places = _history(store, shelf, head.height, chunk_bytes)
    state = bytearray()
    for number, chunk in enumerate(_chunks(rows_at(store, height), chunk_bytes)):
        _write(state_file(draft, number), chunk)
        state += sha256(chunk).digest()
    manifest = Manifest(
        ledger=decode(genesis, Genesis).ledger,
        height=height,
        head=head,
        genesis=len(begun) // HASH_BYTES,
        history=len(history) // HASH_BYTES,
        state=len(state) // HASH_BYTES,
        hashes=begun + history + bytes(state),
    )
    raw = encode(manifest)
    if manifest.chunks > CHUNKS_MAX or len(raw) > MANIFEST_MAX:
        raise CannotMake(f"{manifest.chunks} chunks are more than an engine carries: this ledger needs a newer format")
    _write(draft / PLACES, encode(places))
    _write(draft / MANIFEST, raw)
    sync_folder(draft)
    draft.rename(shelf.folder / str(height))
    sync_folder(shelf.folder)
    shelf.tidy()
    return Snapshot(manifest, raw, places, shelf.folder / str(height))


def _chunks(stream: Iterator[tuple[bytes, bytes]], chunk_bytes: int) -> Iterator[bytes]:
    cutter = Cutter(chunk_bytes)
    for key, value in stream:
        for _, chunk in cutter.add(key, value):
            yield chunk
    for _, chunk in cutter.rest():
        yield chunk


def _history(store: Store, shelf: Shelf, last: int, chunk_bytes: int) -> tuple[bytes, Places]:
    """Hashes and places of the history's chunks; those that an earlier snapshot closed are taken from there."""
    hashes, known = bytearray(), Places(chunk_bytes, [])
    for earlier in shelf.all():
        if earlier.places.chunk_bytes == chunk_bytes and earlier.manifest.head.height <= last:
            known = earlier.places
            break
    closed = max(0, len(known.history) - 1)  # the last one was cut short by its head
    if closed:
        first = earlier.manifest.genesis
        hashes += b"".join(earlier.manifest.hash_of(first + number) for number in range(closed))
    places = Places(chunk_bytes, known.history[:closed])
    for place, chunk in history_chunks(store, last, known, closed):
        places.history.append(place)
        hashes += sha256(chunk).digest()
    return bytes(hashes), places


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
