"""The state trees at start: from a dump and the changes since, or rebuilt from the state.

The trees are a cache of the state, never its truth: a missing, old or damaged dump costs time only.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kerege.consensus.rows import Undo, read_undo
from kerege.kernel.block import Head
from kerege.kernel.module import Modules
from kerege.kernel.tree import StateTree, hash_pairs, make_tree
from kerege.storage.port import Area, Store

CHUNK = 20_000
REPLAYED_CHANGES = 400_000
"""How many changed keys a start may replay on a dump: about two seconds."""

Progress = Callable[[str, int], None]


def open_trees(modules: Modules, store: Store, head: Head, folder: Path | None, progress: Progress) -> list[StateTree]:
    """The modules' trees at the head, with as many older heights as the dump and the undo rows give."""
    trees = [make_tree() for _ in modules.all]
    dumped = None if folder is None else _restore(modules, trees, folder)
    if dumped is not None and _replay(modules, store, trees, dumped, head):
        return trees
    trees = [make_tree() for _ in modules.all]
    for name, tree in zip(modules.names, trees, strict=True):
        tree.load(_chunks(store, name, progress), head.height)
    _check(modules, trees, head)
    return trees


def _check(modules: Modules, trees: list[StateTree], head: Head) -> None:
    for name, tree, root in zip(modules.names, trees, head.module_roots, strict=True):
        if tree.root != root:
            reason = f"state of {name} does not match the root of block {head.height}: the store is damaged"
            raise RuntimeError(reason)


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
    except (OSError, ValueError):
        return None
    heights = {tree.height for tree in trees}
    return heights.pop() if len(heights) == 1 else None


def _replay(modules: Modules, store: Store, trees: list[StateTree], dumped: int, head: Head) -> bool:
    """Bring restored trees to the head block by block, so that older heights can be proven again."""
    after: dict[bytes, bytes | None] = {}
    steps: list[tuple[int, list[tuple[bytes, bytes | None]]]] = []
    for height in range(head.height, dumped, -1):
        undo: Undo | None = read_undo(store, height)
        if undo is None:
            return False
        steps.append((height, [(key, after[key] if key in after else store.get(Area.STATE, key)) for key, _ in undo]))
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


def dump_trees(modules: Modules, store: Store, trees: list[StateTree], folder: Path) -> int:
    """Write the trees of the oldest height that a start can still replay from; returns that height."""
    height = _dump_height(store, trees)
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


def _dump_height(store: Store, trees: list[StateTree]) -> int:
    oldest = max(tree.heights()[0] for tree in trees)
    height, changes = trees[0].height, 0
    while height > oldest:
        undo = read_undo(store, height)
        if undo is None:
            break
        changes += len(undo)
        if changes > REPLAYED_CHANGES:
            break
        height -= 1
    return height
