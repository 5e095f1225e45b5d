//! SHA-256 by the two rule books of the ledger: the Jellyfish tree and RFC 6962.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of an empty subtree of a Jellyfish tree, and so the root of an empty tree.
pub const PLACEHOLDER: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

const LEAF_TAG: &[u8; 13] = b"JMT::LeafNode";
const INNER_TAG: &[u8; 16] = b"JMT::IntrnalNode"; // the published tag, a vowel short to fit 16 bytes
const INITIAL: [u32; 8] =
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
pub fn log_inner_hash(pair: &[u8; 64]) -> Hash {
    Sha256::new().chain_update([1]).chain_update(pair).finalize().into()
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
    let mut state = INITIAL;
    let (blocks, _) = message.as_chunks::<64>();
    compress256(&mut state, blocks);
    let mut digest = [0u8; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_padding_equals_the_streaming_hasher() {
        let (a, b) = (sha256(b"a"), sha256(b"b"));
        assert_eq!(leaf_hash(&a, &b), sha256(&[&LEAF_TAG[..], &a, &b].concat()));
        assert_eq!(inner_hash(&a, &b), sha256(&[&INNER_TAG[..], &a, &b].concat()));
    }
}
