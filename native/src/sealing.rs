//! Keyed names and authenticated encryption of dossiers: the twin of `kerege.dossiers.sealing`.
//!
//! HMAC-SHA-256 and AES-256-GCM, as there. Nothing is drawn here: nonces are the caller's.

use aes_gcm::aead::{AeadInOut, Nonce};
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::hash::Hash;

/// Bytes of a nonce.
pub const NONCE: usize = 12;
/// Bytes of an authentication tag.
pub const TAG: usize = 16;

/// What was asked for has no form: a key that is not 32 bytes, a message too long for the cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsealable;

/// Append one part as `join` encodes it: four bytes of length, then the bytes.
pub fn join(to: &mut Vec<u8>, part: &[u8]) -> Result<(), Unsealable> {
    to.extend_from_slice(&u32::try_from(part.len()).map_err(|_| Unsealable)?.to_be_bytes());
    to.extend_from_slice(part);
    Ok(())
}

/// A keyed hash, made once and used for many inputs.
#[derive(Clone)]
pub struct Prf(Hmac<Sha256>);

impl Prf {
    /// Under a key of any length.
    pub fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// The same with more of the input absorbed.
    pub fn then(&self, input: &[u8]) -> Self {
        Self(self.0.clone().chain_update(input))
    }

    /// HMAC-SHA-256 over what was absorbed and this.
    pub fn digest(&self, input: &[u8]) -> Hash {
        self.0.clone().chain_update(input).finalize().into_bytes().into()
    }
}

/// A key of AES-256-GCM, expanded once and used for many messages.
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// From 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, Unsealable> {
        Aes256Gcm::new_from_slice(key).map(Self).map_err(|_| Unsealable)
    }

    /// Close what stands in `row` after `start`, where 12 bytes of nonce come first: encrypted in place, the tag behind.
    pub fn close(&self, row: &mut Vec<u8>, start: usize, bound: &[u8]) -> Result<(), Unsealable> {
        let (nonce, plain) = row[start..].split_at_mut_checked(NONCE).ok_or(Unsealable)?;
        let nonce = <&Nonce<Aes256Gcm>>::try_from(&*nonce).map_err(|_| Unsealable)?;
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
            self.close(&mut row, 0, bound)?;
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
        let cipher = Cipher::new(&hex("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b")).unwrap();
        let nonce = hex("ac93a1a6145299bde902f21a");
        let (plain, bound) = (hex("2d71bcfa914e4ac045b2aa60955fad24"), hex("1e0889016f67601c8ebea4943bc23ad6"));
        let sealed = cipher.close_all(&[(&plain, &bound)], &nonce).unwrap();
        let expected = hex("8995ae2e6df3dbf96fac7b7137bae67feca5aa77d51d4a0a14d9c51e1da474ab");
        assert_eq!(sealed, [[nonce, expected].concat()]);
        assert_eq!(cipher.close_all(&[(&plain, &bound)], &[]), Err(Unsealable));
        assert_eq!(cipher.close(&mut vec![0; NONCE - 1], 0, &bound), Err(Unsealable));
        assert!(Cipher::new(&[0; 31]).is_err());
    }

    /// RFC 4231, test case 2.
    #[test]
    fn names_as_the_published_vector() {
        let digest = Prf::new(b"Jefe").then(b"what do ya want ").digest(b"for nothing?");
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(digest[28..], [0x64, 0xec, 0x38, 0x43]);
    }
}
