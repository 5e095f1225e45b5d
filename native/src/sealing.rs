//! Keyed names and authenticated encryption of dossiers: the twin of `kerege.dossiers.sealing`.
//!
//! HMAC-SHA-256 and AES-256-GCM, as there. Nothing is drawn here: nonces are the caller's.

use aes::Aes256Enc;
use aes::cipher::consts::U12;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{AesGcm, KeyInit, Nonce};

use crate::hash::{BLOCK, Begun, Hash, Messages, sha256};

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of a nonce.
pub const NONCE: usize = 12;
/// Bytes of an authentication tag.
pub const TAG: usize = 16;

/// What was asked for has no form: a key or seed that is not 32 bytes, a message too long for the cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsealable;

/// Append one part as `join` encodes it: four bytes of length, then the bytes.
pub fn join(to: &mut Vec<u8>, part: &[u8]) -> Result<(), Unsealable> {
    to.extend_from_slice(&u32::try_from(part.len()).map_err(|_| Unsealable)?.to_be_bytes());
    to.extend_from_slice(part);
    Ok(())
}

/// A list of parts as `join` encodes it.
pub fn joined<const N: usize>(parts: [&[u8]; N]) -> Result<Vec<u8>, Unsealable> {
    let mut list = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    parts.into_iter().try_for_each(|part| join(&mut list, part))?;
    Ok(list)
}

/// A key of HMAC-SHA-256, absorbed once and used for many inputs.
pub struct Prf {
    inner: Begun,
    outer: Begun,
}

impl Prf {
    /// Of any length.
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            block[..KEY].copy_from_slice(&sha256(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let begun = |pad| Begun::with(&block.map(|byte| byte ^ pad));
        Self { inner: begun(0x36), outer: begun(0x5c) }
    }

    /// Of one input, which is used up.
    pub fn digest(&self, mut input: Vec<u8>) -> Hash {
        let digest = self.inner.digest(&mut input);
        input.clear();
        input.extend_from_slice(&digest);
        self.outer.digest(&mut input)
    }

    /// To be filled with many inputs for `digests`.
    pub fn inputs(&self, count: usize) -> Messages {
        Messages::new(self.inner, count)
    }

    /// Of each input.
    pub fn digests(&self, inputs: &Messages) -> Vec<Hash> {
        let inner = inputs.digests();
        let mut outer = Messages::new(self.outer, inner.len());
        inner.iter().for_each(|digest| outer.push([digest]));
        outer.digests()
    }
}

/// A key of AES-256-GCM, expanded once and used for many messages.
pub struct Cipher(AesGcm<Aes256Enc, U12>);

impl Cipher {
    /// Expand it.
    #[inline]
    pub fn new(key: &[u8; KEY]) -> Self {
        Self(AesGcm::new(key.into()))
    }

    /// Close what stands in `row` from `start` on: encrypted in place, the tag behind.
    pub fn close(&self, row: &mut Vec<u8>, start: usize, nonce: &[u8], bound: &[u8]) -> Result<(), Unsealable> {
        let nonce = <&Nonce<U12>>::try_from(nonce).map_err(|_| Unsealable)?;
        let plain = row.get_mut(start..).ok_or(Unsealable)?;
        let tag = self.0.encrypt_inout_detached(nonce, bound, plain.into()).map_err(|_| Unsealable)?;
        row.extend_from_slice(&tag);
        Ok(())
    }

    /// Seal each (plain, bound), with 12 bytes of `nonces` for each.
    pub fn close_all(&self, rows: &[(&[u8], &[u8])], nonces: &[u8]) -> Result<Vec<Vec<u8>>, Unsealable> {
        if nonces.len() != rows.len() * NONCE {
            return Err(Unsealable);
        }
        let seal = |(&(plain, bound), nonce): (&(&[u8], &[u8]), &[u8])| {
            let mut row = Vec::with_capacity(NONCE + plain.len() + TAG);
            row.extend_from_slice(nonce);
            row.extend_from_slice(plain);
            self.close(&mut row, NONCE, nonce, bound)?;
            Ok(row)
        };
        rows.iter().zip(nonces.chunks_exact(NONCE)).map(seal).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST CAVP `gcmEncryptExtIV256`, 96-bit nonce, 128-bit plain text, 128-bit associated data, count 0.
    #[test]
    fn seals_as_the_published_vector() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let key = hex("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b");
        let cipher = Cipher::new(&key.try_into().unwrap());
        let nonce = hex("ac93a1a6145299bde902f21a");
        let (plain, bound) = (hex("2d71bcfa914e4ac045b2aa60955fad24"), hex("1e0889016f67601c8ebea4943bc23ad6"));
        let sealed = cipher.close_all(&[(&plain, &bound)], &nonce).unwrap();
        let expected = hex("8995ae2e6df3dbf96fac7b7137bae67feca5aa77d51d4a0a14d9c51e1da474ab");
        assert_eq!(sealed, [[nonce.clone(), expected].concat()]);
        assert_eq!(cipher.close_all(&[(&plain, &bound)], &[]), Err(Unsealable));
        assert_eq!(cipher.close(&mut vec![0], 0, &nonce[1..], &bound), Err(Unsealable));
        assert_eq!(cipher.close(&mut vec![0], 2, &nonce, &bound), Err(Unsealable));
    }

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn names_as_the_published_vectors() {
        let digest = Prf::new(b"Jefe").digest(b"what do ya want for nothing?".to_vec());
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(digest[28..], [0x64, 0xec, 0x38, 0x43]);
        let digest = Prf::new(&[0xaa; 131]).digest(b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec());
        assert_eq!(digest[..4], [0x60, 0xe4, 0x31, 0x59]);
        assert_eq!(digest[28..], [0x0e, 0xe3, 0x7f, 0x54]);
    }
}
