//! What a batch of changes overwrote, so that proofs and rollback reach back.

use crate::hash::Hash;
use crate::node::{Node, prefix};

/// A key hash with the value hash it had before (none: it was absent).
#[derive(Clone, Copy)]
pub struct Before {
    /// SHA-256 of the state key.
    pub key: Hash,
    /// SHA-256 of the value it had.
    pub value: Option<Hash>,
}

/// The nodes of one level as they were before a batch.
enum OldLevel {
    /// The whole level: cheaper where a batch touches about all of it.
    Whole(Vec<Node>),
    /// Touched places, ascending, with what they held.
    Some(Vec<u32>, Vec<Node>),
}

impl OldLevel {
    fn get(&self, index: usize) -> Option<Node> {
        match self {
            Self::Whole(nodes) => Some(nodes[index]),
            Self::Some(places, nodes) => places.binary_search(&(index as u32)).ok().map(|at| nodes[at]),
        }
    }
}

/// Everything one batch overwrote: leaves by key, and nodes of the upper levels.
///
/// Nodes of the levels below `depth()` are not kept: they are made again from some 16 to 32 leaves when asked for.
pub struct Layer {
    /// Old leaves, sorted by key.
    pub leaves: Vec<Before>,
    levels: Vec<OldLevel>,
}

impl Layer {
    /// A layer that will keep the nodes of the levels 0 to `depth`.
    pub fn new(depth: usize, changes: usize) -> Self {
        let levels = (0..=depth).map(|_| OldLevel::Some(Vec::new(), Vec::new())).collect();
        Self { leaves: Vec::with_capacity(changes), levels }
    }

    /// The deepest level whose nodes are kept.
    pub fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// Keep the nodes of a level that are about to be overwritten (places ascending).
    pub fn keep(&mut self, level: usize, nodes: &[Node], touched: &[(u32, Node)]) {
        let Some(old) = self.levels.get_mut(level) else { return };
        *old = if touched.len() * 2 >= nodes.len() {
            OldLevel::Whole(nodes.to_vec())
        } else {
            let places = touched.iter().map(|&(place, _)| place).collect();
            OldLevel::Some(places, touched.iter().map(|&(place, _)| nodes[place as usize]).collect())
        };
    }

    /// The node as it was before this batch; none where the batch did not touch it.
    pub fn node(&self, level: usize, index: usize) -> Option<Node> {
        self.levels[level].get(index)
    }

    /// Old leaves under one place of the tree.
    pub fn leaves_under(&self, level: usize, index: usize) -> &[Before] {
        if level <= self.depth() && self.node(level, index).is_none() {
            return &[];
        }
        let start = self.leaves.partition_point(|old| prefix(&old.key, level) < index);
        let length = self.leaves[start..].iter().take_while(|old| prefix(&old.key, level) == index).count();
        &self.leaves[start..start + length]
    }
}
