"""The state tree of one module: a Jellyfish Merkle tree over SHA-256 that remembers its last 128 heights.

Two twins stand behind one interface: `kerege_native.StateTree` (Rust) and `PlainTree`, its oracle in the tests and the
fallback where the native package is absent. Both give the same roots, paths and dumps, byte for byte. Both hold all
leaves in memory and are a cache: what they hold can be made again from the state.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Protocol

from kerege.kernel.tree_plain import PlainTree
from kerege.kernel.tree_rules import EMPTY_ROOT, TreePath, verify_path

try:
    import kerege_native as native
except ImportError:
    native = None  # type: ignore[assignment]

__all__ = [
    "EMPTY_ROOT",
    "PlainTree",
    "StateTree",
    "TreePath",
    "hash_pairs",
    "make_tree",
    "native_present",
    "verify_path",
]


class StateTree(Protocol):
    """Entries of one module's state, what they hash to, and proofs at any of the last 128 committed heights.

    The native twin may be used from several threads at once and lets go of the interpreter while it works; the plain
    one is for one thread at a time.
    """

    @property
    def root(self) -> bytes:
        """Root over everything updated so far, committed or not; 32 bytes."""

    @property
    def height(self) -> int:
        """The last committed height; −1 before the first commit."""

    def __len__(self) -> int:
        """Number of keys, uncommitted updates included."""

    def update(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """Put or delete (value None) entries by state key and state value, hashed here; returns the new root.

        Any order, a key at most once, else `ValueError` and no change. Deleting what is absent changes nothing.
        """

    def update_hashed(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """Like `update`, with key hashes and value hashes of 32 bytes each (else `ValueError`)."""

    def commit(self, height: int) -> bytes:
        """Seal everything updated since the last commit as the state at a height; returns its root.

        Raises `ValueError` where the height is not above the last. Of the sealed heights the newest 128 are held.
        """

    def rollback(self, height: int) -> bytes:
        """Return to a held height and drop what came after it, uncommitted updates too; returns its root.

        `rollback(tree.height)` drops uncommitted updates only. Raises `LookupError` where the height is not held.
        """

    def root_at(self, height: int) -> bytes:
        """Root at a held height; raises `LookupError` where it is not held."""

    def heights(self) -> tuple[int, int]:
        """Oldest and newest height held."""

    def prove(self, key_hash: bytes, height: int | None = None) -> TreePath:
        """What was under a key at a held height (None: the last committed), with its path; checked by `verify_path`.

        Raises `LookupError` where the height is not held, `ValueError` for a key hash of another size.
        """

    def load(self, chunks: Iterable[bytes], height: int) -> bytes:
        """Replace everything by entries in any order, as committed at a height; returns the root.

        A chunk is any number of key hash ‖ value hash. Raises `ValueError` for a repeated key or a torn chunk.
        """

    def dump(self, height: int | None = None) -> Iterator[bytes]:
        """The entries at a held height (None: the last committed) as chunks of a start-up cache.

        Header (magic, height, number of entries, root), sorted entries, SHA-256 over all of it. Updates may go on
        between chunks; raises `LookupError` once the height is held no longer.
        """

    def restore(self, chunks: Iterable[bytes]) -> bytes:
        """Replace everything by a dump, cut anyhow; returns the root and sets the height.

        Raises `ValueError`, and changes nothing, where checksum, order, number or root do not hold.
        """


def native_present() -> bool:
    """Whether the native twin is installed."""
    return native is not None


def make_tree(kind: str = "") -> StateTree:
    """An empty tree: the native twin where present, else the plain one; "native" or "plain" asks for one of them.

    Raises `ImportError` where the native twin is asked for and absent, `ValueError` for another kind.
    """
    if kind not in {"", "native", "plain"}:
        raise ValueError(f"no such kind of tree: {kind}")
    if kind == "plain" or not (kind or native_present()):
        return PlainTree()
    if native_present():
        return native.StateTree(TreePath)
    raise ImportError("kerege_native is not installed: `make native` builds it where Rust is present")


def hash_pairs(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """State keys and state values as one chunk of key hash ‖ value hash, for `StateTree.load`."""
    if native_present():
        return native.hash_pairs(pairs)
    return b"".join([sha256(part).digest() for pair in pairs for part in pair])
