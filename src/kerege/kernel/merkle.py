"""Merkle trees of RFC 6962 / RFC 9162: roots, inclusion and consistency paths, and paths of several leaves at once.

Trees are given by their leaf *hashes*. Paths are lists of 32-byte hashes. Verifiers answer with a boolean and never
raise, whatever the bytes; makers raise `ValueError` for a request that makes no sense.

A **multi-target path** proves several leaves against one root. `path(targets, range)`: nothing for a single leaf;
else split at the largest power of two below the length, recurse into the children that hold targets, left to right,
then emit the root of the child that holds none, where one holds none. For one target that is the path of RFC 6962,
bottom-up. The verifier walks the same way and must consume everything.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""

HASH_SIZE = 32

_MAXIMUM_SIZE = 2**63  # bounds the depth of recursion on sizes that came from outside

RangeRoot = Callable[[int, int], bytes]
"""Root over the leaves from the first index to before the second."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """Leaf hash of each."""
    return _leaf_hashes(leaves)


def nodes_above(hashes: bytes | bytearray) -> bytes:
    """The nodes one level above an even number of concatenated hashes."""
    return _nodes_above(bytes(hashes))


def inner_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two below a size of two or more: where a tree parts into left and right."""
    return 1 << (size - 1).bit_length() - 1


def root(hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; `EMPTY` for none."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []  # an unpaired last node moves up as it is
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level += odd
    return level[0]


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """RFC 6962 PATH(index, hashes), bottom-up."""
    return multi_path(hashes, [index])


def multi_path(hashes: Sequence[bytes], targets: Sequence[int]) -> list[bytes]:
    """Multi-target path of strictly increasing indices, at least one."""
    return make_path(targets, len(hashes), lambda start, end: root(hashes[start:end]))


def consistency_path(hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """RFC 6962 PROOF(old_size, hashes): that the tree of the first `old_size` leaves grew into this one."""
    return make_consistency(old_size, len(hashes), lambda start, end: root(hashes[start:end]))


def make_path(targets: Sequence[int], size: int, range_root: RangeRoot) -> list[bytes]:
    """Multi-target path in a tree of `size` leaves whose roots of ranges come from `range_root`."""
    if not _increasing(targets, size):
        raise ValueError("targets must be strictly increasing, at least one, and inside the tree")
    path: list[bytes] = []

    def walk(start: int, end: int, inside: Sequence[int]) -> None:
        if end - start == 1:
            return
        middle = start + split_point(end - start)
        left = [index for index in inside if index < middle]
        right = inside[len(left) :]
        if left:
            walk(start, middle, left)
        if right:
            walk(middle, end, right)
        if not left:
            path.append(range_root(start, middle))
        elif not right:
            path.append(range_root(middle, end))

    walk(0, size, targets)
    return path


def make_consistency(old_size: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """Consistency path between two sizes of a tree whose roots of ranges come from `range_root`."""
    if not 0 < old_size <= size:
        raise ValueError("the old size must be at least one and at most the new one")
    path: list[bytes] = []
    start, end, whole = 0, size, True  # whole: the old tree is a complete left part, its root known to the verifier
    while old_size < end:
        middle = start + split_point(end - start)
        if old_size <= middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end))
    path.reverse()
    return path


def verify_inclusion(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Whether a leaf hash stands at an index of the tree of that size and root (RFC 9162 §2.1.3.2)."""
    return verify_multi(root, size, [(index, leaf)], path)


def verify_multi(root: bytes, size: int, targets: Sequence[tuple[int, bytes]], path: Sequence[bytes]) -> bool:
    """Whether leaf hashes stand at their indices, strictly increasing, of the tree of that size and root."""
    if not _increasing([index for index, _ in targets], size) or not _are_hashes(path):
        return False
    if not _are_hashes([leaf for _, leaf in targets]):
        return False
    rest = iter(path)
    return _fold(0, size, targets, rest) == root and next(rest, None) is None


def _fold(start: int, end: int, inside: Sequence[tuple[int, bytes]], rest: Iterator[bytes]) -> bytes | None:
    """Root over a range from its targets and the path; None where the path is too short."""
    if end - start == 1:
        return inside[0][1]
    middle = start + split_point(end - start)
    count = sum(index < middle for index, _ in inside)
    left = _fold(start, middle, inside[:count], rest) if count else None
    right = _fold(middle, end, inside[count:], rest) if count < len(inside) else None
    if not count:
        left = next(rest, None)
    elif count == len(inside):
        right = next(rest, None)
    return None if left is None or right is None else inner_hash(left, right)


def verify_consistency(old_root: bytes, old_size: int, new_root: bytes, new_size: int, path: Sequence[bytes]) -> bool:
    """Whether the tree of the new size and root only appended to the old one (RFC 9162 §2.1.4.2).

    An old tree without leaves proves nothing and is refused; equal sizes need equal roots and an empty path.
    """
    if not 0 < old_size <= new_size < _MAXIMUM_SIZE or not _are_hashes(path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    hashes = list(path)
    if old_size & (old_size - 1) == 0:  # a power of two: the old root is itself a node of the new tree
        hashes.insert(0, old_root)
    if not hashes:
        return False
    first, second = old_size - 1, new_size - 1
    while first & 1:
        first >>= 1
        second >>= 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if second == 0:
            return False
        if first & 1 or first == second:
            old, new = inner_hash(sibling, old), inner_hash(sibling, new)
            while first and not first & 1:
                first >>= 1
                second >>= 1
        else:
            new = inner_hash(new, sibling)
        first >>= 1
        second >>= 1
    return second == 0 and old == old_root and new == new_root


def _increasing(indices: Sequence[int], size: int) -> bool:
    last = -1
    for index in indices:
        if index <= last:
            return False
        last = index
    return len(indices) > 0 and last < size < _MAXIMUM_SIZE


def _are_hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(digest) == HASH_SIZE for digest in hashes)


def leaf_hashes_plain(leaves: Sequence[bytes]) -> list[bytes]:
    """The plain twin of `leaf_hashes`."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def nodes_above_plain(hashes: bytes) -> bytes:
    """The plain twin of `nodes_above`."""
    pairs = range(0, len(hashes), 2 * HASH_SIZE)
    return b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_SIZE]).digest() for at in pairs])


try:
    from kerege_native import leaf_hashes as _leaf_hashes
    from kerege_native import log_nodes_above as _nodes_above
except ImportError:
    _leaf_hashes = leaf_hashes_plain
    _nodes_above = nodes_above_plain
