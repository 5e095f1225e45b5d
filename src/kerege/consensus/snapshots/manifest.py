"""What a snapshot says of itself, and which offers are refused before a single chunk is fetched."""

from hashlib import sha256

from msgspec import Struct

from kerege.consensus.cometbft import messages as m
from kerege.kernel.block import Head
from kerege.kernel.codec import decode
from kerege.kernel.machine import app_hash, state_root
from kerege.kernel.module import Modules
from kerege.kernel.types import Height

FORMAT = 1
"""Of manifest, streams and chunks together: another one is another number."""
MANIFEST_MAX = 3_900_000
"""Bytes: the engine carries 4,000,000 with what it adds. Enough for about 120,000 chunks."""
CHUNKS_MAX = 100_000
"""What engines take by default: some 800 GB."""
CHUNK_MAX = 10_000_000
"""Bytes of one chunk at most."""

HASH_BYTES = 32


class Unacceptable(ValueError):
    """A snapshot that is not taken, whoever offers it; the text says why."""


class Manifest(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="kerege-snapshot/1"):
    """A ledger at a height of its engine: three streams, in this order, each beginning with a new chunk."""

    ledger: str
    height: Height
    """The engine's; the ledger's own last block may be lower, where the ones since were empty."""
    head: Head
    genesis: int
    """Chunks of the genesis, cut into rows."""
    history: int
    """Chunks of the rows of all blocks, from block 0 to the head."""
    state: int
    """Chunks of the rows of the state."""
    hashes: bytes
    """SHA-256 of every chunk, one after another."""

    @property
    def chunks(self) -> int:
        """How many there are."""
        return self.genesis + self.history + self.state

    def hash_of(self, index: int) -> bytes:
        """What a chunk must hash to."""
        return self.hashes[HASH_BYTES * index : HASH_BYTES * (index + 1)]


def identity(raw: bytes) -> bytes:
    """What the engine knows a snapshot by: equal where two members offer the same."""
    return sha256(raw).digest()


def read_offer(offered: m.Snapshot, modules: Modules, ledger: str, trusted: bytes) -> Manifest:
    """The manifest of an offer that can be what it says; raises `Unacceptable`.

    `trusted` is the app hash that the engine's light client verified for the height: a manifest with any other head
    is refused here, and whether the chunks have that head's roots is found when they are there.
    """
    raw = offered.metadata
    if len(raw) > MANIFEST_MAX:
        raise Unacceptable(f"its manifest has {len(raw)} bytes, {MANIFEST_MAX} at most")
    if identity(raw) != offered.hash:
        raise Unacceptable("its manifest does not have the hash it is offered by")
    try:
        manifest = decode(raw, Manifest)
    except ValueError as error:
        raise Unacceptable(f"its manifest cannot be read: {error}") from None
    if manifest.ledger != ledger:
        raise Unacceptable(f"it is of ledger {manifest.ledger}, this home of {ledger}")
    _check_counts(manifest, offered.height, offered.chunks)
    _check_head(manifest.head, modules, trusted)
    return manifest


def _check_counts(manifest: Manifest, height: int, chunks: int) -> None:
    if manifest.height != height or manifest.head.height > height:
        raise Unacceptable(f"it is offered for height {height} and holds {manifest.height}")
    if min(manifest.genesis, manifest.history, manifest.state) < 1 or manifest.chunks > CHUNKS_MAX:
        raise Unacceptable(f"{manifest.chunks} chunks, {CHUNKS_MAX} at most and one of each part at least")
    if manifest.chunks != chunks or len(manifest.hashes) != HASH_BYTES * chunks:
        raise Unacceptable(f"it is offered with {chunks} chunks and lists {len(manifest.hashes) // HASH_BYTES}")


def _check_head(head: Head, modules: Modules, trusted: bytes) -> None:
    if len(head.module_roots) != len(modules.names):
        raise Unacceptable(f"its state has {len(head.module_roots)} modules, this program {len(modules.names)}")
    if state_root(modules.names, head.module_roots) != head.state_root:
        raise Unacceptable("its modules' roots do not give its state root")
    if app_hash(head.state_root, head.log_root) != head.app_hash or head.app_hash != trusted:
        raise Unacceptable(f"its roots give app hash {head.app_hash.hex()}, verified is {trusted.hex()}")
