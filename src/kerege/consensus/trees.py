"""The state trees at start: from a dump and the changes since, or rebuilt from the state.

The trees are a cache of the state, never its truth: a missing, old or damaged dump costs time only.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from kerege.consensus.rows import Undo, height_key, read_head, read_undo
from kerege.kernel.block import Head
from kerege.kernel.module import Modules
from kerege.kernel.tree import PlainTree, StateTree, TreePath, hash_pairs, make_tree
from kerege.storage.port import Area, Store

CHUNK = 20_000
REPLAYED_CHANGES = 400_000
"""How many changed keys a start may replay on a dump: about two seconds."""

Progress = Callable[[str, int], None]


class Damaged(Exception):
    """What is stored contradicts itself; the text is a sentence with the cure."""


class SharedTree:
    """A plain tree behind a lock, for provers beside the engine; the native twin needs none. See `StateTree`."""

    def __init__(self, tree: PlainTree) -> None:
        self._tree = tree
        self._lock = threading.Lock()

    @property
    def root(self) -> bytes:
        """See `StateTree.root`."""
        with self._lock:
            return self._tree.root

    @property
    def height(self) -> int:
        """See `StateTree.height`."""
        with self._lock:
            return self._tree.height

    def __len__(self) -> int:
        with self._lock:
            return len(self._tree)

    def update(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """See `StateTree.update`."""
        with self._lock:
            return self._tree.update(changes)

    def update_hashed(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """See `StateTree.update_hashed`."""
        with self._lock:
            return self._tree.update_hashed(changes)

    def commit(self, height: int) -> bytes:
        """See `StateTree.commit`."""
        with self._lock:
            return self._tree.commit(height)

    def rollback(self, height: int) -> bytes:
        """See `StateTree.rollback`."""
        with self._lock:
            return self._tree.rollback(height)

    def root_at(self, height: int) -> bytes:
        """See `StateTree.root_at`."""
        with self._lock:
            return self._tree.root_at(height)

    def heights(self) -> tuple[int, int]:
        """See `StateTree.heights`."""
        with self._lock:
            return self._tree.heights()

    def prove(self, key_hash: bytes, height: int | None = None) -> TreePath:
        """See `StateTree.prove`."""
        with self._lock:
            return self._tree.prove(key_hash, height)

    def load(self, chunks: Iterable[bytes], height: int) -> bytes:
        """See `StateTree.load`."""
        with self._lock:
            return self._tree.load(chunks, height)

    def dump(self, height: int | None = None) -> Iterator[bytes]:
        """See `StateTree.dump`."""
        with self._lock:
            chunks = self._tree.dump(height)
        while True:
            with self._lock:
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def restore(self, chunks: Iterable[bytes]) -> bytes:
        """See `StateTree.restore`."""
        with self._lock:
            return self._tree.restore(chunks)


def new_trees(modules: Modules, kind: str = "") -> list[StateTree]:
    """Empty trees for a ledger whose proofs are made beside its writer; `kind` as for `kernel.tree.make_tree`."""
    trees = [make_tree(kind) for _ in modules.all]
    return [SharedTree(tree) if isinstance(tree, PlainTree) else tree for tree in trees]


def open_trees(
    modules: Modules, store: Store, head: Head, folder: Path | None, progress: Progress, kind: str = ""
) -> list[StateTree]:
    """The modules' trees at the head, with as many older heights as the dump and the undo rows give.

    Raises `Damaged` where the state does not have the roots of the head.
    """
    trees = new_trees(modules, kind)
    dumped = None if folder is None else _restore(modules, trees, folder)
    if dumped is not None and dumped <= head.height and _replay(modules, store, trees, dumped, head):
        return trees
    trees = new_trees(modules, kind)
    for name, tree in zip(modules.names, trees, strict=True):
        tree.load(_chunks(store, name, progress), head.height)
    _check(modules, trees, head)
    return trees


def _check(modules: Modules, trees: list[StateTree], head: Head) -> None:
    if len(head.module_roots) != len(trees):
        raise Damaged(
            f"block {head.height} has {len(head.module_roots)} modules, this program {len(trees)}: use the release "
            "that wrote it."
        )
    for name, tree, root in zip(modules.names, trees, head.module_roots, strict=True):
        if tree.root != root:
            raise Damaged(
                f"the state of {name} does not have the root of block {head.height}: the store is damaged, restore it "
                "from a backup."
            )


def _chunks(store: Store, module: str, progress: Progress) -> Iterator[bytes]:
    pairs, done = [], 0
    for pair in store.scan(Area.STATE, module.encode() + b".", module.encode() + b"/"):
        pairs.append(pair)
        if len(pairs) == CHUNK:
            yield hash_pairs(pairs)
            done += CHUNK
            progress(module, done)
            pairs = []
    if pairs:
        yield hash_pairs(pairs)


def _file(folder: Path, module: str) -> Path:
    return folder / f"tree-{module}.dump"


def _restore(modules: Modules, trees: list[StateTree], folder: Path) -> int | None:
    """Load the dumps; the height all of them hold, or None where one is missing, damaged or of another height."""
    try:
        for name, tree in zip(modules.names, trees, strict=True):
            with _file(folder, name).open("rb") as file:
                tree.restore(iter(lambda: file.read(1 << 20), b""))
    except (OSError, ValueError):  # costs time only: the trees are built from the state
        return None
    heights = {tree.height for tree in trees}
    return heights.pop() if len(heights) == 1 else None


def _replay(modules: Modules, store: Store, trees: list[StateTree], dumped: int, head: Head) -> bool:
    """Bring restored trees to the head block by block, so that older heights can be proven again."""
    after: dict[bytes, bytes | None] = {}
    steps: list[tuple[int, list[tuple[bytes, bytes | None]]]] = []
    for height in _blocks(store, dumped, head.height):
        undo: Undo | None = read_undo(store, height)
        if undo is None:
            return False
        unknown = [key for key, _ in undo if key not in after]
        after.update(zip(unknown, store.multi_get(Area.STATE, unknown), strict=True))
        steps.append((height, [(key, after[key]) for key, _ in undo]))
        after.update(undo)
    for height, changes in reversed(steps):
        apply_changes(modules, trees, height, changes)
    return [tree.root for tree in trees] == head.module_roots


def apply_changes(
    modules: Modules, trees: list[StateTree], height: int, changes: list[tuple[bytes, bytes | None]]
) -> None:
    """Update each module's tree with its keys and commit the height."""
    touched: dict[str, list[tuple[bytes, bytes | None]]] = {name: [] for name in modules.names}
    for key, value in changes:
        touched[key[: key.index(b".")].decode()].append((key, value))
    for name, tree in zip(modules.names, trees, strict=True):
        if touched[name]:
            tree.update(touched[name])
        tree.commit(height)


def _blocks(store: Store, above: int, upto: int) -> list[int]:
    """Heights of the blocks in between, newest first: a replicated engine's empty ones are none of the ledger's."""
    keys = store.scan(Area.UNDO, height_key(above + 1), height_key(upto + 1), reverse=True)
    return [int.from_bytes(key, "big") for key, _ in keys]


def dump_trees(modules: Modules, store: Store, trees: list[StateTree], folder: Path, *, spare: int = 0) -> int:
    """Write the trees of the oldest height that a start can still replay from; returns that height.

    Blocks may go on meanwhile: `spare` is how many may pass before that height leaves the window. Raises `LookupError`
    where more did (the files are then of different heights, and a start builds the trees from the state).
    """
    height = _dump_height(store, trees, spare)
    folder.mkdir(parents=True, exist_ok=True)
    for name, tree in zip(modules.names, trees, strict=True):
        path = _file(folder, name)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.writelines(tree.dump(height))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return height


def _dump_height(store: Store, trees: list[StateTree], spare: int) -> int:
    """As far back from the durable head (the trees may be ahead of it) as undo rows, trees and patience reach."""
    head = read_head(store)
    if head is None:
        raise Damaged("the store holds no block: restore it from a backup.")
    oldest = max(0, *(tree.heights()[0] + spare for tree in trees))
    height, changes = head.height, 0
    for block, before in pairwise([*_blocks(store, oldest - 1, head.height), -1]):
        undo = read_undo(store, block)
        if undo is None or before < oldest:
            break
        changes += len(undo)
        if changes > REPLAYED_CHANGES:
            break
        height = before
    return height
