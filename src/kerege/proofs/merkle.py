"""Paths in the Merkle trees of RFC 6962 (§2.1) and RFC 9162 (§2.1), over SHA-256.

Paths run bottom-up. A *multi-target path* proves several leaves at once: it is what a recursion emits that goes first
into the children holding targets, left to right, and then emits the root of the child that holds none. For one target
it is the RFC's own path.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from .outcome import Malformed
from .text import HASH_SIZE


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf (RFC 6962 §2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below `size`: how many leaves the left child holds."""
    return 1 << ((size - 1).bit_length() - 1)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root of a tree over the leaves' data (RFC 6962 §2.1); of none: the hash of nothing."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    half = _split(len(leaves))
    return node_hash(root_of(leaves[:half]), root_of(leaves[half:]))


def multi_path(leaves: Sequence[bytes], targets: Sequence[int]) -> list[bytes]:
    """The multi-target path of some places in a tree over the leaves' data."""
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    left, right = [t for t in targets if t < half], [t - half for t in targets if t >= half]
    path = multi_path(leaves[:half], left) if left else []
    path += multi_path(leaves[half:], right) if right else []
    path += [] if left else [root_of(leaves[:half])]
    return path + ([] if right else [root_of(leaves[half:])])


class _Fold:
    """One walk over a multi-target path; also collects the plain path of each target."""

    __slots__ = ("at", "leaves", "path", "paths")

    def __init__(self, leaves: Mapping[int, bytes], path: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.path = path
        self.at = 0
        self.paths: dict[int, list[bytes]] = {index: [] for index in leaves}

    def next(self) -> bytes:
        if self.at == len(self.path):
            raise Malformed("the path is too short")
        self.at += 1
        return self.path[self.at - 1]

    def root(self, start: int, size: int, targets: Sequence[int]) -> bytes:
        if size == 1:
            return self.leaves[start]
        half = _split(size)
        in_left = [t for t in targets if t < start + half]
        in_right = [t for t in targets if t >= start + half]
        left = self.root(start, half, in_left) if in_left else None
        right = self.root(start + half, size - half, in_right) if in_right else None
        left = self.next() if left is None else left
        right = self.next() if right is None else right
        for target in in_left:
            self.paths[target].append(right)
        for target in in_right:
            self.paths[target].append(left)
        return node_hash(left, right)


def fold(leaves: Mapping[int, bytes], size: int, path: Sequence[bytes]) -> tuple[bytes, dict[int, list[bytes]]]:
    """Return the root of a tree of `size` leaves to which `path` leads, and the plain RFC 6962 path of each target.

    `leaves` maps the position of each target (0 … `size` − 1) to its leaf hash.

    Raises:
        Malformed: a position lies outside the tree, or the path is too short or too long.
    """
    targets = sorted(leaves)
    if not targets or targets[0] < 0 or targets[-1] >= size:
        raise Malformed("a position lies outside the tree")
    if any(len(h) != HASH_SIZE for h in (*leaves.values(), *path)):
        raise Malformed("a hash is not 32 bytes long")
    walk = _Fold(leaves, path)
    root = walk.root(0, size, targets)
    if walk.at != len(path):
        raise Malformed("the path is too long")
    return root, walk.paths


def root_of_path(leaf: bytes, position: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root to which the RFC 6962 `path` of the leaf hash `leaf` leads, or raise `Malformed`."""
    return fold({position: leaf}, size, path)[0]


def sides(position: int, count: int) -> int:
    """Return the turns of the path of leaf `position` in a tree of `count` leaves.

    Bit k, from the leaf upwards, is 1 where the hash so far is the *right* child. Unlike a position within a count,
    the turns are wholly bound by the root: another turn gives another hash.
    """
    if not 0 <= position < count:
        raise Malformed("a position lies outside the tree")
    turns, level, last = 0, 0, count - 1
    while last:
        if position & 1 or position != last:  # a last node without sibling passes a level by (RFC 9162 §2.1.3.2)
            turns |= (position & 1) << level
            level += 1
        position >>= 1
        last >>= 1
    return turns


def root_of_sides(leaf: bytes, turns: int, path: Sequence[bytes]) -> bytes:
    """Return the root to which `path` leads from a leaf hash by `turns` (see `sides`), or raise `Malformed`."""
    if turns >> len(path):
        raise Malformed("more turns than hashes")
    node = leaf
    for level, sibling in enumerate(path):
        node = node_hash(sibling, node) if turns >> level & 1 else node_hash(node, sibling)
    return node


def is_consistent(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Say whether `path` proves that the newer log only appended to the older one (RFC 9162 §2.1.4.2).

    An empty older log proves nothing and is refused; equal sizes need an empty path and equal roots.
    """
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    hashes = list(path) if old_size & (old_size - 1) else [old_root, *path]
    if not hashes:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
