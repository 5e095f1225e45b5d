//! The tree of now: flat upper levels over small sorted buckets.
//!
//! The number of levels grows with the number of keys, a few buckets per changed key, and never changes a root.

use crate::hash::Hash;
use crate::node::{EMPTY, Kind, Leaf, Node, bit, combine, prefix, subtree};
use crate::undo::{Before, Layer};

/// Key hash and the value hash it shall have (none: delete).
#[derive(Clone, Copy)]
pub struct Change {
    /// SHA-256 of the state key.
    pub key: Hash,
    /// SHA-256 of the new value.
    pub value: Option<Hash>,
}

type Bucket = Vec<Leaf>;

const FIRST_DEPTH: usize = 4;
const DEEPEST: usize = 30;
/// Mean number of leaves a bucket above which another level is added.
const LOAD: usize = 2;
/// Levels just above the buckets whose old nodes are not kept (see `Layer`).
const NOT_KEPT: usize = 4;

/// The next level while it is being made: buckets are split in order, so both only grow at their end.
struct Growth {
    nodes: Vec<Node>,
    buckets: Vec<Bucket>,
}

/// All leaves and the nodes over them.
pub struct Flat {
    depth: usize,
    levels: Vec<Vec<Node>>,
    buckets: Vec<Bucket>,
    growth: Option<Growth>,
    count: usize,
}

impl Default for Flat {
    fn default() -> Self {
        Self {
            depth: FIRST_DEPTH,
            levels: (0..=FIRST_DEPTH).map(|level| vec![EMPTY; 1 << level]).collect(),
            buckets: vec![Bucket::new(); 1 << FIRST_DEPTH],
            growth: None,
            count: 0,
        }
    }
}

impl Flat {
    /// Number of keys.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        self.levels[0][0].hash
    }

    /// Number of levels of the flat part below the root.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The node at a place of the flat part.
    pub fn node(&self, level: usize, index: usize) -> Node {
        self.levels[level][index]
    }

    /// Apply sorted changes with distinct keys; the layer undoes them.
    pub fn update(&mut self, changes: &[Change]) -> Layer {
        let mut layer = Layer::new(self.depth.saturating_sub(NOT_KEPT), changes.len());
        let before = self.count;
        let mut touched = self.change_buckets(changes, &mut layer.leaves);
        for level in (0..=self.depth).rev() {
            let nodes = &mut self.levels[level];
            layer.keep(level, nodes, &touched);
            for &(place, node) in &touched {
                nodes[place as usize] = node;
            }
            touched = parents(nodes, &touched);
        }
        self.grow(self.count.saturating_sub(before) + 16);
        layer
    }

    /// Change the leaves; the nodes at the deepest full level that are thereby new, in order.
    fn change_buckets(&mut self, changes: &[Change], undo: &mut Vec<Before>) -> Vec<(u32, Node)> {
        let mut touched = Vec::with_capacity(changes.len());
        for group in changes.chunk_by(|a, b| prefix(&a.key, self.depth) == prefix(&b.key, self.depth)) {
            let index = prefix(&group[0].key, self.depth);
            let already = undo.len();
            let node = match &mut self.growth {
                Some(next) if 2 * index < next.buckets.len() => {
                    let (left, right) = group.split_at(group.partition_point(|c| !bit(&c.key, self.depth)));
                    for (child, part) in [(2 * index, left), (2 * index + 1, right)] {
                        if !part.is_empty() {
                            change_bucket(&mut next.buckets[child], part, undo, &mut self.count);
                            next.nodes[child] = subtree(&next.buckets[child], self.depth + 1);
                        }
                    }
                    combine(next.nodes[2 * index], next.nodes[2 * index + 1])
                }
                _ => {
                    change_bucket(&mut self.buckets[index], group, undo, &mut self.count);
                    subtree(&self.buckets[index], self.depth)
                }
            };
            if undo.len() > already {
                touched.push((index as u32, node));
            }
        }
        touched
    }

    /// Split at most `budget` buckets towards one more level, where there are keys enough to need it.
    fn grow(&mut self, mut budget: usize) {
        while budget > 0 {
            if self.growth.is_none() && (self.count <= LOAD << self.depth || self.depth == DEEPEST) {
                return;
            }
            let places = 1 << self.depth;
            let next = self.growth.get_or_insert_with(|| Growth {
                nodes: Vec::with_capacity(2 * places),
                buckets: Vec::with_capacity(2 * places),
            });
            let bucket = std::mem::take(&mut self.buckets[next.buckets.len() / 2]);
            let (left, right) = crate::node::split(&bucket, self.depth);
            for half in [left, right] {
                next.nodes.push(subtree(half, self.depth + 1));
                next.buckets.push(half.to_vec());
            }
            if next.buckets.len() == 2 * places {
                let grown = self.growth.take().expect("was just filled");
                self.levels.push(grown.nodes);
                self.buckets = grown.buckets;
                self.depth += 1;
            }
            budget -= 1;
        }
    }

    /// Append the leaves under a place, sorted by key.
    pub fn collect(&self, level: usize, index: usize, leaves: &mut Vec<Leaf>) {
        if self.levels[level][index].kind == Kind::Empty {
            return;
        }
        if level < self.depth {
            self.collect(level + 1, 2 * index, leaves);
            self.collect(level + 1, 2 * index + 1, leaves);
            return;
        }
        match &self.growth {
            Some(next) if 2 * index < next.buckets.len() => {
                leaves.extend_from_slice(&next.buckets[2 * index]);
                leaves.extend_from_slice(&next.buckets[2 * index + 1]);
            }
            _ => leaves.extend_from_slice(&self.buckets[index]),
        }
    }

    /// Make the whole tree from leaves in any order, on as many cores as there are (at most four).
    /// None where a key occurs twice.
    pub fn build(leaves: Vec<Leaf>) -> Option<Self> {
        let mut depth = FIRST_DEPTH;
        while leaves.len() > LOAD << depth && depth < DEEPEST {
            depth += 1;
        }
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
        let top = if leaves.len() < 4096 { 0 } else { cores.ilog2() as usize };
        let count = leaves.len();
        let mut levels: Vec<_> = (0..=depth).map(|level| vec![EMPTY; 1 << level]).collect();
        let mut buckets = vec![Bucket::new(); 1 << depth];
        let mut work = portions(leaves, top);
        std::thread::scope(|scope| {
            let mut parts: Vec<Vec<&mut [Node]>> = (0..1 << top).map(|_| Vec::new()).collect();
            for level in &mut levels[top..] {
                let width = level.len() >> top;
                for (part, nodes) in parts.iter_mut().zip(level.chunks_mut(width)) {
                    part.push(nodes);
                }
            }
            let width = buckets.len() >> top;
            let hands = work.iter_mut().zip(parts).zip(buckets.chunks_mut(width));
            let hands: Vec<_> = hands
                .map(|((leaves, nodes), buckets)| scope.spawn(move || build_part(leaves, nodes, buckets, depth)))
                .collect();
            hands.into_iter().all(|hand| hand.join().expect("building does not panic"))
        })
        .then_some(())?;
        for level in (0..top).rev() {
            for place in 0..1 << level {
                levels[level][place] = combine(levels[level + 1][2 * place], levels[level + 1][2 * place + 1]);
            }
        }
        Some(Self { depth, levels, buckets, growth: None, count })
    }
}

/// New nodes of the level above the touched ones, in order.
fn parents(nodes: &[Node], touched: &[(u32, Node)]) -> Vec<(u32, Node)> {
    let mut above: Vec<(u32, Node)> = Vec::with_capacity(touched.len());
    for &(place, _) in touched {
        let parent = place / 2;
        if nodes.len() > 1 && above.last().is_none_or(|&(last, _)| last != parent) {
            let left = 2 * parent as usize;
            above.push((parent, combine(nodes[left], nodes[left + 1])));
        }
    }
    above
}

fn change_bucket(bucket: &mut Bucket, changes: &[Change], undo: &mut Vec<Before>, count: &mut usize) {
    for &Change { key, value } in changes {
        match (bucket.binary_search_by(|leaf| leaf.key.cmp(&key)), value) {
            (Ok(at), Some(value)) if bucket[at].value == value => {}
            (Ok(at), Some(value)) => {
                undo.push(Before { key, value: Some(bucket[at].value) });
                bucket[at].value = value;
            }
            (Ok(at), None) => {
                undo.push(Before { key, value: Some(bucket.remove(at).value) });
                *count -= 1;
            }
            (Err(at), Some(value)) => {
                undo.push(Before { key, value: None });
                bucket.reserve_exact(1); // buckets are many and small: no room to spare in each
                bucket.insert(at, Leaf { key, value });
                *count += 1;
            }
            (Err(_), None) => {}
        }
    }
}

/// Leaves parted by their first `bits` bits.
fn portions(leaves: Vec<Leaf>, bits: usize) -> Vec<Vec<Leaf>> {
    if bits == 0 {
        return vec![leaves];
    }
    let mut parts: Vec<_> = (0..1 << bits).map(|_| Vec::with_capacity((leaves.len() >> bits) * 17 / 16)).collect();
    for leaf in leaves {
        parts[prefix(&leaf.key, bits)].push(leaf);
    }
    parts
}

/// Sort one portion, fill its buckets and the nodes above them (`levels`: its part of each level, top down).
fn build_part(leaves: &mut [Leaf], mut levels: Vec<&mut [Node]>, buckets: &mut [Bucket], depth: usize) -> bool {
    leaves.sort_unstable_by_key(|a| a.key);
    if leaves.windows(2).any(|pair| pair[0].key == pair[1].key) {
        return false;
    }
    let deepest = levels.last_mut().expect("at least one level");
    for group in leaves.chunk_by(|a, b| prefix(&a.key, depth) == prefix(&b.key, depth)) {
        let place = prefix(&group[0].key, depth) % buckets.len();
        buckets[place] = group.to_vec();
        deepest[place] = subtree(group, depth);
    }
    for level in (1..levels.len()).rev() {
        let (above, below) = levels.split_at_mut(level);
        for (parent, pair) in above[level - 1].iter_mut().zip(below[0].chunks_exact(2)) {
            *parent = combine(pair[0], pair[1]);
        }
    }
    true
}
