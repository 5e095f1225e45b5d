//! Nodes of a Jellyfish tree and what a small set of leaves hashes to.

use crate::hash::{Hash, PLACEHOLDER, inner_hash, leaf_hash};

/// A key hash with the hash of the value stored under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of the state key.
    pub key: Hash,
    /// SHA-256 of the state value.
    pub value: Hash,
}

/// What lies below a place of the tree; decides how its parent is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Empty,
    /// Exactly one leaf; its hash moves up to the shallowest place where it is alone.
    Leaf,
    /// Two leaves or more.
    Inner,
}

/// Hash and kind of one place of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Placeholder, leaf hash or inner hash, by `kind`.
    pub hash: Hash,
    /// What lies below.
    pub kind: Kind,
}

/// The node over no leaf at all.
pub const EMPTY: Node = Node { hash: PLACEHOLDER, kind: Kind::Empty };

/// Bit `depth` of a key, counted from the most significant.
#[inline]
pub fn bit(key: &Hash, depth: usize) -> bool {
    key[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// The first `level` bits of a key (at most 32) as a number: its index at that level.
#[inline]
pub fn prefix(key: &Hash, level: usize) -> usize {
    let head = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    (u64::from(head) >> (32 - level)) as usize
}

/// Parent of two neighbours: one lone leaf moves up, everything else is an inner node.
#[inline]
pub fn combine(left: Node, right: Node) -> Node {
    match (left.kind, right.kind) {
        (Kind::Empty, Kind::Empty | Kind::Leaf) => right,
        (Kind::Leaf, Kind::Empty) => left,
        _ => Node { hash: inner_hash(&left.hash, &right.hash), kind: Kind::Inner },
    }
}

/// Node over sorted leaves that share their first `depth` bits.
pub fn subtree(leaves: &[Leaf], depth: usize) -> Node {
    match leaves {
        [] => EMPTY,
        [leaf] => Node { hash: leaf_hash(&leaf.key, &leaf.value), kind: Kind::Leaf },
        _ => {
            let (left, right) = split(leaves, depth);
            combine(subtree(left, depth + 1), subtree(right, depth + 1))
        }
    }
}

/// Sorted leaves that share their first `depth` bits, parted by the next one.
pub fn split(leaves: &[Leaf], depth: usize) -> (&[Leaf], &[Leaf]) {
    leaves.split_at(leaves.partition_point(|leaf| !bit(&leaf.key, depth)))
}
