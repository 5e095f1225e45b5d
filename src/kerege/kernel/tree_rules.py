"""The Jellyfish Merkle tree over SHA-256: what a set of entries hashes to, and what a path proves.

The rules are those of penumbra-zone/jmt, whose roots are public: an entry is (key hash, value hash); a place of the
tree with nothing below is a placeholder; one entry alone below a place *is* that place, as a leaf; anything else is an
inner node over the two halves that the next bit of the key hash, most significant first, parts. The root therefore
depends on the entries alone, never on the order in which they came.
"""

from hashlib import sha256
from typing import NamedTuple

EMPTY_ROOT = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
"""Hash of a place with nothing below it, and so the root of an empty tree."""

HASH_SIZE = 32
ROW = 64
"""Size of an entry: key hash ‖ value hash."""

LEAF_TAG = b"JMT::LeafNode"
INNER_TAG = b"JMT::IntrnalNode"  # the published tag: a vowel short, to fit 16 bytes

EMPTY, LEAF, INNER = 0, 1, 2
"""Kinds of a place. Of two neighbours: kinds that sum up to 2 or more make an inner node, 1 moves the leaf up."""

_DEEPEST = 256


class TreePath(NamedTuple):
    """What the tree holds, or does not hold, under one key hash, with the hashes that prove it."""

    value_hash: bytes | None
    """SHA-256 of the value under the key; None where the key is absent."""
    siblings: bytes
    """Concatenated 32-byte hashes beside the way down, bottom-up: the deepest first."""
    other: bytes | None
    """Absent keys only: key hash ‖ value hash of the one leaf in the key's place; None where the place is empty."""


def leaf_hash(key_hash: bytes, value_hash: bytes) -> bytes:
    """Hash of a leaf of the state tree."""
    return sha256(LEAF_TAG + key_hash + value_hash).digest()


def subtree(rows: list[bytes], depth: int) -> tuple[bytes, int]:
    """Hash and kind of the place over sorted rows (key hash ‖ value hash) that share their first `depth` bits."""
    if not rows:
        return EMPTY_ROOT, EMPTY
    if len(rows) == 1:
        return sha256(LEAF_TAG + rows[0]).digest(), LEAF
    left, right = split(rows, depth)
    return sha256(INNER_TAG + subtree(left, depth + 1)[0] + subtree(right, depth + 1)[0]).digest(), INNER


def split(rows: list[bytes], depth: int) -> tuple[list[bytes], list[bytes]]:
    """Sorted rows that share their first `depth` bits, parted by the next one."""
    at, mask = depth >> 3, 0x80 >> (depth & 7)
    for number, row in enumerate(rows):
        if row[at] & mask:
            return rows[:number], rows[number:]
    return rows, []


def verify_path(root: bytes, key_hash: bytes, value_hash: bytes | None, siblings: bytes, other: bytes | None) -> bool:
    """Whether a path leads from a key to a root.

    With a `value_hash` it proves that the tree of that root holds it under the key (`other` must be None); without,
    that the key is absent: its place is empty, or taken by the one leaf `other` (key hash ‖ value hash), whose key
    shares every bit of the way. `siblings` are concatenated hashes, the deepest first, at most 256. Anything of a
    wrong length proves nothing.
    """
    depth, rest = divmod(len(siblings), HASH_SIZE)
    if rest or depth > _DEEPEST or len(key_hash) != HASH_SIZE:
        return False
    way = int.from_bytes(key_hash, "big")
    if value_hash is not None:
        if other is not None or len(value_hash) != HASH_SIZE:
            return False
        digest = leaf_hash(key_hash, value_hash)
    elif other is None:
        digest = EMPTY_ROOT
    else:
        apart = way ^ int.from_bytes(other[:HASH_SIZE], "big")
        if len(other) != ROW or not 0 < apart < 1 << (_DEEPEST - depth):
            return False
        digest = sha256(LEAF_TAG + other).digest()
    way >>= _DEEPEST - depth
    for at in range(0, len(siblings), HASH_SIZE):
        sibling = siblings[at : at + HASH_SIZE]
        digest = sha256(INNER_TAG + (sibling + digest if way & 1 else digest + sibling)).digest()
        way >>= 1
    return digest == root
