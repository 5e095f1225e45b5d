"""The snapshots that a node has made and gives to others: a folder each, named by its height.

In it are the manifest, the chunks of the state, and where the chunks of the history begin: those are cut out of the
ledger's own blocks when somebody asks, as blocks never change. A folder appears whole or not at all.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from kerege.consensus import rows
from kerege.consensus.snapshots.manifest import Manifest
from kerege.consensus.snapshots.records import Cutter, Place
from kerege.kernel.codec import decode
from kerege.storage.port import Area, Store

KEPT = 3
"""Snapshots that stay: whoever fetches one may take as long as the next two are made."""
GENESIS_PART = 1024 * 1024
"""Bytes of the genesis in one row of its stream."""

MANIFEST = "manifest"
PLACES = "places"
DRAFT = ".draft-"


class Places(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-snapshot-places/1"):
    """Where the history's chunks begin in this node's store."""

    chunk_bytes: int
    history: list[Place]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One that can be offered."""

    manifest: Manifest
    raw: bytes
    """The manifest's bytes: what the engine carries."""
    places: Places
    folder: Path


def state_file(folder: Path, number: int) -> Path:
    """Where a chunk of the state lies."""
    return folder / f"state-{number:06d}"


def genesis_rows(genesis: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The genesis as rows of a stream."""
    for number, at in enumerate(range(0, len(genesis), GENESIS_PART)):
        yield rows.height_key(number), genesis[at : at + GENESIS_PART]


class Shelf:
    """The snapshots under a folder. Reads may run beside the one process that makes a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def heights(self) -> list[int]:
        """Heights of the snapshots that are there, newest first."""
        try:
            return sorted((int(path.name) for path in self.folder.iterdir() if path.name.isdecimal()), reverse=True)
        except FileNotFoundError:
            return []

    def find(self, height: int) -> Snapshot | None:
        """The snapshot of a height; None where there is none, or none that can be read."""
        folder = self.folder / str(height)
        try:
            raw, places = (folder / MANIFEST).read_bytes(), (folder / PLACES).read_bytes()
            return Snapshot(decode(raw, Manifest), raw, decode(places, Places), folder)
        except (OSError, ValueError):  # one less to offer; the next one is made anew
            return None

    def all(self) -> list[Snapshot]:
        """What can be offered, newest first."""
        return [found for height in self.heights() if (found := self.find(height)) is not None]

    def chunk(self, store: Store, height: int, index: int) -> bytes:
        """One chunk; empty where it is not here any more."""
        found = self.find(height)
        if found is None or not 0 <= index < found.manifest.chunks:
            return b""
        manifest = found.manifest
        if index < manifest.genesis:
            return _genesis_chunk(store, found, index)
        if index < manifest.genesis + manifest.history:
            return _history_chunk(store, found, index - manifest.genesis)
        try:
            return state_file(found.folder, index - manifest.genesis - manifest.history).read_bytes()
        except FileNotFoundError:
            return b""

    def tidy(self, kept: int = KEPT) -> None:
        """Remove the oldest ones, and drafts that nobody finished: for the one process that makes new ones."""
        for height in self.heights()[kept:]:
            shutil.rmtree(self.folder / str(height), ignore_errors=True)
        for draft in self.folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)


def _genesis_chunk(store: Store, snapshot: Snapshot, index: int) -> bytes:
    cutter = Cutter(snapshot.places.chunk_bytes)
    chunks: list[bytes] = []
    for key, value in genesis_rows(rows.read_genesis(store) or b""):
        chunks += [chunk for _, chunk in cutter.add(key, value)]
    chunks += [chunk for _, chunk in cutter.rest()]
    return chunks[index] if index < len(chunks) else b""


def _history_chunk(store: Store, snapshot: Snapshot, index: int) -> bytes:
    return next(history_chunks(store, snapshot.manifest.head.height, snapshot.places, index), (None, b""))[1]


def history_chunks(store: Store, last: int, places: Places, start: int) -> Iterator[tuple[Place, bytes]]:
    """The chunks of the rows of all blocks up to a height, from the one that begins at a known place on."""
    key, skip = places.history[start] if start < len(places.history) else (b"", 0)
    cutter = Cutter(places.chunk_bytes)
    for found, value in store.scan(Area.BLOCKS, key, rows.height_key(last + 1)):
        yield from cutter.add(found, value, skip)
        skip = 0
    yield from cutter.rest()
