"""Presence and absence in a module's state tree: a Jellyfish Merkle tree over SHA-256, by the public rules of `jmt`.

A key's place follows the bits of SHA-256(key) from the top; a subtree with one key is that key's leaf, an empty one
the placeholder. Siblings run bottom-up, the deepest first.
"""

from collections.abc import Sequence
from hashlib import sha256

from .outcome import Malformed

PLACEHOLDER = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
"""Hash of an empty subtree."""

BITS = 256


def leaf_hash(key_hash: bytes, value_hash: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"JMT::LeafNode" + key_hash + value_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node; its tag is spelled so in the public rules."""
    return sha256(b"JMT::IntrnalNode" + left + right).digest()


def _climb(node: bytes, key_hash: bytes, siblings: Sequence[bytes]) -> bytes:
    depth = len(siblings)
    if depth > BITS:
        raise Malformed("the state path is longer than a key")
    if depth and siblings[0] == PLACEHOLDER:
        raise Malformed("the state path is longer than needed")  # a lone leaf or an empty place moves up
    bits = int.from_bytes(key_hash, "big") >> (BITS - depth)
    for sibling in siblings:
        node = node_hash(sibling, node) if bits & 1 else node_hash(node, sibling)
        bits >>= 1
    return node


def root_of_present(key: bytes, value: bytes, siblings: Sequence[bytes]) -> bytes:
    """Return the root of a tree in which `key` holds `value`, or raise `Malformed`."""
    key_hash = sha256(key).digest()
    return _climb(leaf_hash(key_hash, sha256(value).digest()), key_hash, siblings)


def root_of_absent(key: bytes, other: tuple[bytes, bytes] | None, siblings: Sequence[bytes]) -> bytes:
    """Return the root of a tree that does not hold `key`.

    Where the key would be, there is nothing (`other` None) or the leaf of another key (its key hash and value hash).

    Raises:
        Malformed: the other leaf is the key's own, or does not stand where the key would.
    """
    key_hash = sha256(key).digest()
    if other is None:
        return _climb(PLACEHOLDER, key_hash, siblings)
    other_key, other_value = other
    shift = BITS - len(siblings)
    if other_key == key_hash:
        raise Malformed("the leaf shown as another is the key's own")
    if shift < 0 or int.from_bytes(other_key, "big") >> shift != int.from_bytes(key_hash, "big") >> shift:
        raise Malformed("the leaf shown as another stands elsewhere")
    return _climb(leaf_hash(other_key, other_value), key_hash, siblings)
