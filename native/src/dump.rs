//! The start-up cache of a tree: header (64), leaves (64 each, sorted), SHA-256 over both (32).
//!
//! Header: magic (16) ‖ height as signed 64-bit ‖ number of leaves as unsigned 64-bit ‖ root (32), big-endian.

use sha2::{Digest, Sha256};

use crate::hash::Hash;
use crate::node::Leaf;
use crate::tree::{Refusal, Seal, Tree};

const MAGIC: &[u8; 16] = b"kerege-tree/1\n\0\0";
/// Size of the header and of a leaf.
pub const ROW: usize = 64;
const CHECKSUM: usize = 32;
/// Leaves a chunk, about: 512 KiB.
const CHUNK: usize = 8192;

/// A dump in the making; the tree may go on meanwhile.
pub struct Dump {
    seal: Seal,
    level: usize,
    next: usize,
    hasher: Sha256,
    state: State,
}

enum State {
    Header,
    Leaves,
    Done,
}

impl Dump {
    /// Begin a dump of a height (none: the newest committed).
    pub fn new(tree: &Tree, height: Option<i64>) -> Result<Self, Refusal> {
        let seal = tree.seal(height)?;
        let mut level = 0;
        while seal.count > CHUNK << level && level < tree.depth() {
            level += 1;
        }
        Ok(Self { seal, level, next: 0, hasher: Sha256::new(), state: State::Header })
    }

    /// The next chunk; refuses where the height is held no longer.
    pub fn next(&mut self, tree: &Tree) -> Result<Option<Vec<u8>>, Refusal> {
        match self.state {
            State::Header => {
                self.state = State::Leaves;
                let Seal { height, root, count, .. } = self.seal;
                let header = [&MAGIC[..], &height.to_be_bytes(), &(count as u64).to_be_bytes(), &root].concat();
                self.hasher.update(&header);
                Ok(Some(header))
            }
            State::Leaves if self.next < 1 << self.level => {
                let seal = tree.seal(Some(self.seal.height))?;
                if seal.root != self.seal.root {
                    return Err(Refusal::Height); // rolled back and committed anew meanwhile
                }
                let leaves = tree.leaves_under(self.level, self.next, seal);
                self.next += 1;
                let chunk = leaves.iter().flat_map(|leaf| [leaf.key, leaf.value]).collect::<Vec<Hash>>().concat();
                self.hasher.update(&chunk);
                Ok(Some(chunk))
            }
            State::Leaves => {
                self.state = State::Done;
                Ok(Some(self.hasher.finalize_reset().to_vec()))
            }
            State::Done => Ok(None),
        }
    }
}

/// Leaves out of concatenated key hash ‖ value hash; none where the length is no multiple of 64.
pub fn leaves(bytes: &[u8]) -> Option<Vec<Leaf>> {
    let (rows, rest) = bytes.as_chunks::<ROW>();
    let leaf = |row: &[u8; ROW]| {
        let (halves, _) = row.as_chunks::<32>();
        Leaf { key: halves[0], value: halves[1] }
    };
    rest.is_empty().then(|| rows.iter().map(leaf).collect())
}

/// The tree of a complete dump, or what is wrong with it.
pub fn restore(bytes: &[u8]) -> Result<Tree, &'static str> {
    let body_end = bytes.len().checked_sub(CHECKSUM).filter(|&end| end >= ROW).ok_or("too short for a dump")?;
    let (body, checksum) = bytes.split_at(body_end);
    if Sha256::digest(body)[..] != *checksum {
        return Err("the checksum does not hold");
    }
    let (header, rows) = body.split_at(ROW);
    if header[..16] != MAGIC[..] {
        return Err("not a dump of this format");
    }
    let number = |at: usize| <[u8; 8]>::try_from(&header[at..at + 8]).expect("eight bytes");
    let leaves = leaves(rows).ok_or("a leaf is cut short")?;
    if leaves.len() as u64 != u64::from_be_bytes(number(24)) {
        return Err("the number of leaves differs from the header");
    }
    if !leaves.is_sorted_by(|a, b| a.key < b.key) {
        return Err("leaves are not in order");
    }
    let tree = Tree::load(leaves, i64::from_be_bytes(number(16))).map_err(|_| "a key occurs twice")?;
    if tree.root() != header[32..] {
        return Err("the root differs from the header");
    }
    Ok(tree)
}
