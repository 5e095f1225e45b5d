//! SHA-256 by the two rule books of the ledger: the Jellyfish tree and RFC 6962.

use std::iter::once;
use std::slice::from_ref;

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// Bytes of a block.
pub const BLOCK: usize = 64;

type State = [u32; 8];

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of an empty subtree of a Jellyfish tree, and so the root of an empty tree.
pub const PLACEHOLDER: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

const LEAF_TAG: &[u8; 13] = b"JMT::LeafNode";
const INNER_TAG: &[u8; 16] = b"JMT::IntrnalNode"; // the published tag, a vowel short to fit 16 bytes
const LENGTH: usize = 8; // of a message's length, behind its padding
const INITIAL: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of any bytes.
pub fn sha256(data: &[u8]) -> Hash {
    Sha256::digest(data).into()
}

/// Leaf hash of RFC 6962: SHA-256(0x00 ‖ data).
pub fn log_leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// Inner node of RFC 6962: SHA-256(0x01 ‖ left ‖ right).
pub fn log_inner_hash([left, right]: &[Hash; 2]) -> Hash {
    tagged(&[1], left, right)
}

/// Merkle tree hash of RFC 6962 over leaves, level by level.
pub fn log_root(leaves: &[Hash]) -> Hash {
    let mut messages = Messages::new(Begun::EMPTY, leaves.len());
    leaves.iter().for_each(|leaf| messages.push([&[0], leaf]));
    let mut level = messages.digests();
    while level.len() > 1 {
        let (pairs, alone) = level.as_chunks(); // a last one without a neighbour goes up as it is
        level = pairs.iter().map(log_inner_hash).chain(alone.iter().copied()).collect();
    }
    level.first().copied().unwrap_or_else(|| sha256(b""))
}

/// Hash of a leaf of a Jellyfish tree.
pub fn leaf_hash(key: &Hash, value: &Hash) -> Hash {
    tagged(LEAF_TAG, key, value)
}

/// Hash of an inner node of a Jellyfish tree.
pub fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    tagged(INNER_TAG, left, right)
}

/// SHA-256(tag ‖ a ‖ b), padded by hand: always two blocks, so the streaming buffer is saved.
#[inline]
fn tagged<const N: usize>(tag: &[u8; N], a: &Hash, b: &Hash) -> Hash {
    let mut message = [0u8; 128];
    let length = N + 64;
    message[..N].copy_from_slice(tag);
    message[N..N + 32].copy_from_slice(a);
    message[N + 32..length].copy_from_slice(b);
    message[length] = 0x80;
    message[120..].copy_from_slice(&(length as u64 * 8).to_be_bytes());
    let (blocks, _) = message.as_chunks::<64>();
    digest(INITIAL, blocks)
}

#[inline]
fn digest(mut state: State, blocks: &[[u8; BLOCK]]) -> Hash {
    compress256(&mut state, blocks);
    let mut digest = [0u8; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// SHA-256 where whole blocks have been absorbed, or none yet. Padding by hand saves the streaming buffer.
#[derive(Clone, Copy)]
pub struct Begun {
    state: State,
    absorbed: usize,
}

impl Begun {
    /// Nothing is absorbed yet.
    pub const EMPTY: Self = Self { state: INITIAL, absorbed: 0 };

    /// One block is absorbed.
    pub fn with(block: &[u8; BLOCK]) -> Self {
        let mut state = INITIAL;
        compress256(&mut state, from_ref(block));
        Self { state, absorbed: BLOCK }
    }

    /// Pad what stands in `message` after `start`, which is a multiple of a block.
    #[inline]
    fn pad(&self, message: &mut Vec<u8>, start: usize) {
        let bits = (self.absorbed + message.len() - start) as u64 * 8;
        message.push(0x80);
        message.resize((message.len() + LENGTH).next_multiple_of(BLOCK) - LENGTH, 0);
        message.extend_from_slice(&bits.to_be_bytes());
    }

    /// Hash of one message, which is padded where it stands.
    pub fn digest(&self, message: &mut Vec<u8>) -> Hash {
        self.pad(message, 0);
        digest(self.state, message.as_chunks().0)
    }
}

/// Messages that are hashed together, each written behind the one before: no compression waits for bytes that were
/// written a moment ago.
pub struct Messages {
    begun: Begun,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    /// Room for so many, most of them of two blocks at most.
    pub fn new(begun: Begun, count: usize) -> Self {
        Self { begun, bytes: Vec::with_capacity(count * 2 * BLOCK), ends: Vec::with_capacity(count) }
    }

    /// Add a message of parts, one behind another.
    #[inline]
    pub fn push<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let start = self.bytes.len();
        parts.into_iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.begun.pad(&mut self.bytes, start);
        self.ends.push(self.bytes.len() / BLOCK);
    }

    /// Hash of each, in their order.
    pub fn digests(&self) -> Vec<Hash> {
        let (blocks, _) = self.bytes.as_chunks();
        let starts = once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| digest(self.begun.state, &blocks[start..end])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_padding_equals_the_streaming_hasher() {
        let (a, b) = (sha256(b"a"), sha256(b"b"));
        assert_eq!(leaf_hash(&a, &b), sha256(&[&LEAF_TAG[..], &a, &b].concat()));
        assert_eq!(log_inner_hash(&[a, b]), sha256(&[&[1], &a[..], &b].concat()));
        assert_eq!(inner_hash(&a, &b), sha256(&[&INNER_TAG[..], &a, &b].concat()));
    }

    #[test]
    fn messages_hash_as_by_the_streaming_hasher_at_every_length() {
        let data: Vec<u8> = (0..=255).collect();
        let block = [7; BLOCK];
        for (begun, before) in [(Begun::EMPTY, &block[..0]), (Begun::with(&block), &block[..])] {
            let mut messages = Messages::new(begun, 0);
            (0..data.len()).for_each(|length| messages.push([&data[..length / 3], &data[length / 3..length]]));
            let expected: Vec<Hash> =
                (0..data.len()).map(|length| sha256(&[before, &data[..length]].concat())).collect();
            assert_eq!(messages.digests(), expected);
            assert!((0..data.len()).all(|length| begun.digest(&mut data[..length].to_vec()) == expected[length]));
        }
    }

    #[test]
    fn a_root_is_that_of_its_halves() {
        fn by_definition(leaves: &[Hash]) -> Hash {
            match leaves {
                [] => sha256(b""),
                [leaf] => log_leaf_hash(leaf),
                _ => {
                    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                    log_inner_hash(&[by_definition(left), by_definition(right)])
                }
            }
        }
        let leaves: Vec<Hash> = (0..20).map(|number| [number; 32]).collect();
        assert!((0..20).all(|count| log_root(&leaves[..count]) == by_definition(&leaves[..count])));
    }
}
