//! The state tree with its history: commits, proofs and rollback at the last heights.

use std::collections::{BTreeMap, VecDeque};

use crate::flat::{Change, Flat};
use crate::hash::Hash;
use crate::node::{Kind, Leaf, Node, bit, prefix, split, subtree};
use crate::undo::Layer;

/// Number of committed heights at which proofs and rollback are possible.
const HEIGHTS: usize = 128;

/// One committed height.
#[derive(Clone, Copy)]
pub struct Seal {
    /// Block height; −1 stands for the empty tree before anything was committed.
    pub height: i64,
    /// Root at that height.
    pub root: Hash,
    /// Number of keys at that height.
    pub count: usize,
    /// Number of layers ever made up to that height.
    layers: u64,
}

/// What was found on the way down to a key.
pub struct Path {
    /// Siblings, deepest first.
    pub siblings: Vec<Hash>,
    /// The only leaf under the place where the way ended: of the key itself, of another one, or none.
    pub leaf: Option<Leaf>,
}

/// What keeps a request from being answered.
#[derive(Debug)]
pub enum Refusal {
    /// The height is not, or no longer, held.
    Height,
    /// A key occurs twice.
    Twice,
}

/// A Jellyfish Merkle tree over SHA-256 with the undo layers of its last heights.
pub struct Tree {
    flat: Flat,
    layers: VecDeque<Layer>,
    dropped: u64,
    seals: VecDeque<Seal>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::of(Flat::default(), -1)
    }
}

impl Tree {
    fn of(flat: Flat, height: i64) -> Self {
        let seal = Seal { height, root: flat.root(), count: flat.count(), layers: 0 };
        Self { flat, layers: VecDeque::new(), dropped: 0, seals: VecDeque::from([seal]) }
    }

    /// Make the tree of these leaves (any order) as committed at a height; nothing older is held.
    pub fn load(leaves: Vec<Leaf>, height: i64) -> Result<Self, Refusal> {
        Ok(Self::of(Flat::build(leaves).ok_or(Refusal::Twice)?, height))
    }

    /// Number of keys, uncommitted changes included.
    pub fn count(&self) -> usize {
        self.flat.count()
    }

    /// Root, uncommitted changes included.
    pub fn root(&self) -> Hash {
        self.flat.root()
    }

    /// Number of levels of the flat part below the root.
    pub fn depth(&self) -> usize {
        self.flat.depth()
    }

    /// Oldest height held.
    pub fn oldest(&self) -> Seal {
        self.seals[0]
    }

    /// Newest committed height.
    pub fn newest(&self) -> Seal {
        self.seals[self.seals.len() - 1]
    }

    /// Apply changes in any order; refuse a key that occurs twice.
    pub fn update(&mut self, mut changes: Vec<Change>) -> Result<(), Refusal> {
        changes.sort_unstable_by_key(|a| a.key);
        if changes.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return Err(Refusal::Twice);
        }
        self.layers.push_back(self.flat.update(&changes));
        Ok(())
    }

    /// Seal everything applied so far as the state at a height above the last.
    pub fn commit(&mut self, height: i64) -> Result<(), Refusal> {
        if height <= self.newest().height {
            return Err(Refusal::Height);
        }
        let layers = self.dropped + self.layers.len() as u64;
        self.seals.push_back(Seal { height, root: self.root(), count: self.count(), layers });
        while self.seals.len() > HEIGHTS {
            self.seals.pop_front();
        }
        while self.dropped < self.oldest().layers {
            self.layers.pop_front();
            self.dropped += 1;
        }
        Ok(())
    }

    /// The seal of a height (none: the newest).
    pub fn seal(&self, height: Option<i64>) -> Result<Seal, Refusal> {
        let Some(height) = height else { return Ok(self.newest()) };
        let at = self.seals.binary_search_by_key(&height, |seal| seal.height).map_err(|_| Refusal::Height)?;
        Ok(self.seals[at])
    }

    /// Go back to a height that is held; uncommitted changes are dropped too.
    pub fn rollback(&mut self, height: i64) -> Result<(), Refusal> {
        let seal = self.seal(Some(height))?;
        let mut old = BTreeMap::new();
        let keep = (seal.layers - self.dropped) as usize;
        while self.layers.len() > keep {
            let layer = self.layers.pop_back().expect("counted above");
            old.extend(layer.leaves.iter().map(|before| (before.key, before.value)));
        }
        let changes: Vec<_> = old.into_iter().map(|(key, value)| Change { key, value }).collect();
        self.flat.update(&changes);
        assert_eq!(self.root(), seal.root, "undo layers lead back to the sealed root");
        self.seals.retain(|seal| seal.height <= height);
        Ok(())
    }

    /// Layers that were applied after a seal, oldest first.
    fn after(&self, seal: Seal) -> impl DoubleEndedIterator<Item = &Layer> + Clone {
        self.layers.range((seal.layers - self.dropped) as usize..)
    }

    /// The way down to a key at a height (none: the newest committed).
    pub fn prove(&self, key: &Hash, height: Option<i64>) -> Result<Path, Refusal> {
        let seal = self.seal(height)?;
        let (own, beside) = self.nodes_on_path(key, seal);
        let last = own.iter().position(|node| node.kind != Kind::Inner).unwrap_or(own.len() - 1);
        let mut siblings: Vec<Hash> = beside[..last].iter().map(|node| node.hash).collect();
        let all = self.leaves_under(last, prefix(key, last), seal);
        let (mut leaves, mut depth) = (&all[..], last);
        while leaves.len() > 1 {
            let (left, right) = split(leaves, depth);
            let (mine, other) = if bit(key, depth) { (right, left) } else { (left, right) };
            depth += 1;
            siblings.push(subtree(other, depth).hash);
            leaves = mine;
        }
        siblings.reverse();
        Ok(Path { siblings, leaf: leaves.first().copied() })
    }

    /// Nodes on the way to a key, from the root as deep as every layer kept them, and the siblings below the root.
    fn nodes_on_path(&self, key: &Hash, seal: Seal) -> (Vec<Node>, Vec<Node>) {
        let depth = self.after(seal).map(Layer::depth).min().unwrap_or(self.flat.depth());
        let mut own = vec![None; depth + 1];
        let mut beside = vec![None; depth];
        for layer in self.after(seal) {
            for level in 0..=depth {
                let index = prefix(key, level);
                if level > 0 && beside[level - 1].is_none() {
                    beside[level - 1] = layer.node(level, index ^ 1);
                }
                let Some(node) = layer.node(level, index) else { break }; // nothing below was touched either
                own[level].get_or_insert(node);
            }
        }
        let now = |level: usize, index: usize, old: Option<Node>| old.unwrap_or_else(|| self.flat.node(level, index));
        let own = own.iter().enumerate().map(|(level, &old)| now(level, prefix(key, level), old));
        let beside = beside.iter().enumerate().map(|(at, &old)| now(at + 1, prefix(key, at + 1) ^ 1, old));
        (own.collect(), beside.collect())
    }

    /// Leaves under a place of the tree as they were at a seal, sorted.
    pub fn leaves_under(&self, level: usize, index: usize, seal: Seal) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.flat.collect(level, index, &mut leaves);
        let mut old = BTreeMap::new();
        for layer in self.after(seal).rev() {
            old.extend(layer.leaves_under(level, index).iter().map(|before| (before.key, before.value)));
        }
        if !old.is_empty() {
            leaves.retain(|leaf| !old.contains_key(&leaf.key));
            leaves.extend(old.into_iter().filter_map(|(key, value)| value.map(|value| Leaf { key, value })));
            leaves.sort_unstable_by_key(|a| a.key);
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{PLACEHOLDER, sha256};

    fn changes(numbers: std::ops::Range<u32>, value: Option<&[u8]>) -> Vec<Change> {
        numbers.map(|n| Change { key: sha256(&n.to_be_bytes()), value: value.map(sha256) }).collect()
    }

    /// The definition: nothing, one leaf, or two halves.
    fn naive(tree: &Tree) -> Hash {
        let leaves = tree.leaves_under(0, 0, Seal { layers: tree.dropped + tree.layers.len() as u64, ..tree.newest() });
        subtree(&leaves, 0).hash
    }

    #[test]
    fn growing_shrinking_and_going_back_keep_the_root_of_the_definition() {
        let mut tree = Tree::default();
        let mut roots = vec![tree.root()];
        for height in 0..40 {
            let first = height as u32 * 50;
            tree.update(changes(first..first + 70, Some(&[height as u8]))).unwrap();
            tree.update(changes(first / 2..first / 2 + 9, None)).unwrap();
            tree.commit(height).unwrap();
            assert_eq!(tree.root(), naive(&tree));
            roots.push(tree.root());
        }
        for height in (-1..40).rev() {
            tree.rollback(height).unwrap();
            assert_eq!(tree.root(), roots[(height + 1) as usize]);
        }
        assert_eq!((tree.root(), tree.count()), (PLACEHOLDER, 0));
    }

    #[test]
    fn a_tree_built_at_once_equals_one_built_in_steps() {
        let mut tree = Tree::default();
        tree.update(changes(0..9000, Some(b"value"))).unwrap();
        let leaves = tree.leaves_under(0, 0, Seal { layers: 1, ..tree.newest() });
        assert_eq!(Tree::load(leaves, 0).unwrap().root(), tree.root());
    }
}
