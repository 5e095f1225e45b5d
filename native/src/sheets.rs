//! Sealing of whole dossiers: the twin of `kerege.dossiers.sheets` and of the commitments of `kerege.kernel`.
//!
//! A row is nonce ‖ cover ‖ tag. The cover, padded, is the MessagePack array of which list of names it follows, the
//! commitments one behind another, what the salts of empty fields are drawn from, and, by their positions, the fields
//! that are not empty: salt and value ‖ tag, under the row's nonce, for each has a key of its own. Everything is encrypted
//! where it stands. What was hashed before is not wiped: the values, and the data key that every key comes from, lie in
//! the caller's memory as well.

use aes::Aes256Enc;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;

use crate::hash::{Begun, Hash, Messages, log_root};
use crate::sealing::{Cipher, NONCE, Prf, TAG, Unsealable, join, joined};

/// Bytes of a salt.
pub const SALT: usize = 32;
/// Bytes that the salts of one dossier are drawn from.
pub const SEED: usize = 32;

const FIELD_TAG: &[u8] = b"kerege/field/1\x00";
const FIELD_BOUND: &[u8] = b"kerege/sealed-field/1";
const COVER_BOUND: &[u8] = b"kerege/cover/1";
const LENGTH: usize = 4;
const MAXIMUM_NAME: usize = 255;
const MAXIMUM_THREADS: usize = 8;
const WORTH_A_THREAD: usize = 16;

/// What one dossier is sealed from.
pub struct Sheet<'a> {
    /// Keyed name of the row.
    pub locator: &'a [u8],
    /// Version of the record.
    pub version: u64,
    /// Key from which the keys of row and fields are derived.
    pub data_key: &'a [u8],
    /// Which list of names it follows.
    pub names_id: &'a [u8],
    /// Name of each field; the same list for all dossiers of one service.
    pub names: &'a [&'a str],
    /// Value of each field.
    pub values: Vec<&'a str>,
    /// What the salts are drawn from.
    pub seed: &'a [u8],
    /// 12 bytes, never used twice.
    pub nonce: &'a [u8],
}

/// A sealed dossier.
pub struct Sealed {
    /// What is kept.
    pub row: Vec<u8>,
    /// Commitment of each field.
    pub commitments: Vec<Hash>,
    /// RFC 6962 root over them.
    pub root: Hash,
}

/// Seal many, on as many threads as the machine has processors where there are enough for each.
pub fn seal_all(sheets: &[Sheet], step: usize) -> Result<Vec<Sealed>, Unsealable> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAXIMUM_THREADS);
    if sheets.len() < threads * WORTH_A_THREAD {
        return sheets.iter().map(|sheet| sheet.seal(step)).collect();
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = sheets
            .chunks(sheets.len().div_ceil(threads))
            .map(|part| scope.spawn(move || part.iter().map(|sheet| sheet.seal(step)).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut sealed = Vec::with_capacity(sheets.len());
        for part in parts {
            sealed.extend(part.join().expect("sealing does not panic")?);
        }
        Ok(sealed)
    })
}

impl Sheet<'_> {
    /// Seal it, filled up to a multiple of `step` bytes.
    pub fn seal(&self, step: usize) -> Result<Sealed, Unsealable> {
        let named = self.names.iter().all(|name| (1..=MAXIMUM_NAME).contains(&name.len()));
        let fits = named && self.values.len() == self.names.len() && step > 0;
        if !fits || self.seed.len() != SEED || self.nonce.len() != NONCE {
            return Err(Unsealable);
        }
        let blank = Prf::new(self.seed).digest(joined([b"blank"])?);
        let salts = self.salts(&blank)?;
        let commitments = self.commitments(&salts)?;
        let root = log_root(&commitments);
        let filled: Vec<usize> = (0..self.values.len()).filter(|&at| !self.values[at].is_empty()).collect();
        let (cover_key, field_keys) = self.keys(&filled)?;
        let mut row = Vec::with_capacity(self.room(step));
        row.extend_from_slice(self.nonce);
        row.extend_from_slice(&[0; LENGTH]);
        row.push(0x94); // the sheet: an array of four
        bytes(&mut row, self.names_id)?;
        bytes(&mut row, commitments.as_flattened())?;
        bytes(&mut row, &blank)?;
        map_header(&mut row, filled.len())?;
        let mut bound = joined([FIELD_BOUND, self.locator])?;
        let bound_start = bound.len();
        for (&at, key) in filled.iter().zip(&field_keys) {
            bound.truncate(bound_start);
            join(&mut bound, self.names[at].as_bytes())?;
            join(&mut bound, &self.version.to_be_bytes())?;
            number(&mut row, at)?;
            bytes_header(&mut row, SALT + self.values[at].len() + TAG)?;
            let start = row.len();
            row.extend_from_slice(&salts[at]);
            row.extend_from_slice(self.values[at].as_bytes());
            Cipher::new(key).close(&mut row, start, self.nonce, &bound)?;
        }
        let plain = row.len() - NONCE - LENGTH;
        row[NONCE..NONCE + LENGTH].copy_from_slice(&u32::try_from(plain).map_err(|_| Unsealable)?.to_be_bytes());
        row.resize(NONCE + (LENGTH + plain).next_multiple_of(step), 0);
        let bound = joined([COVER_BOUND, self.locator, &self.version.to_be_bytes()])?;
        Cipher::new(&cover_key).close(&mut row, NONCE, self.nonce, &bound)?;
        Ok(Sealed { row, commitments, root })
    }

    /// Keys of the cover and of the fields at these places.
    fn keys(&self, places: &[usize]) -> Result<(Hash, Vec<Hash>), Unsealable> {
        let prf = Prf::new(self.data_key);
        let mut inputs = prf.inputs(places.len() + 1);
        let prefix = joined([b"field", self.locator])?;
        for &at in places {
            let name = self.names[at].as_bytes();
            inputs.push([&prefix, &(name.len() as u32).to_be_bytes(), name]);
        }
        inputs.push([&joined([b"row", self.locator])?]);
        let mut keys = prf.digests(&inputs);
        let cover = keys.pop().ok_or(Unsealable)?;
        Ok((cover, keys))
    }

    /// The salt of each field: those of empty ones are drawn from `blank`.
    fn salts(&self, blank: &[u8]) -> Result<Vec<[u8; SALT]>, Unsealable> {
        let count = self.values.len();
        let (filled, blanks) = (salts_of(self.seed, count)?, salts_of(blank, count)?);
        let pairs = filled.into_iter().zip(blanks).zip(&self.values);
        Ok(pairs.map(|((one, other), value)| if value.is_empty() { other } else { one }).collect())
    }

    /// SHA-256("kerege/field/1" ‖ 0x00 ‖ byte(len(name)) ‖ name ‖ salt ‖ value) of each field.
    fn commitments(&self, salts: &[[u8; SALT]]) -> Result<Vec<Hash>, Unsealable> {
        let mut messages = Messages::new(Begun::EMPTY, self.names.len());
        for ((name, value), salt) in self.names.iter().zip(&self.values).zip(salts) {
            messages.push([FIELD_TAG, &[name.len() as u8], name.as_bytes(), salt, value.as_bytes()]);
        }
        Ok(messages.digests())
    }

    /// No less than the row will need, so that it never moves.
    fn room(&self, step: usize) -> usize {
        let filled = self.values.iter().filter(|value| !value.is_empty());
        let fields: usize = filled.map(|value| 8 + SALT + value.len() + TAG).sum(); // 8: headers
        NONCE + LENGTH + 32 + (self.names.len() + 2) * SALT + fields + step + TAG
    }
}

/// Salts of so many fields: the key stream of AES-256 in counter mode under the seed, from zero, cut in pieces.
fn salts_of(seed: &[u8], count: usize) -> Result<Vec<[u8; SALT]>, Unsealable> {
    let mut salts = vec![[0; SALT]; count];
    let mut stream = Ctr128BE::<Aes256Enc>::new_from_slices(seed, &[0; 16]).map_err(|_| Unsealable)?;
    stream.apply_keystream(salts.as_flattened_mut());
    Ok(salts)
}

fn bytes(to: &mut Vec<u8>, told: &[u8]) -> Result<(), Unsealable> {
    bytes_header(to, told.len())?;
    to.extend_from_slice(told);
    Ok(())
}

fn map_header(to: &mut Vec<u8>, count: usize) -> Result<(), Unsealable> {
    match count {
        0..16 => to.push(0x80 | count as u8),
        16..0x1_0000 => header16(to, 0xde, count),
        _ => header32(to, 0xdf, count)?,
    }
    Ok(())
}

fn number(to: &mut Vec<u8>, value: usize) -> Result<(), Unsealable> {
    match value {
        0..0x80 => to.push(value as u8),
        0x80..0x100 => to.extend_from_slice(&[0xcc, value as u8]),
        0x100..0x1_0000 => header16(to, 0xcd, value),
        _ => header32(to, 0xce, value)?,
    }
    Ok(())
}

fn bytes_header(to: &mut Vec<u8>, length: usize) -> Result<(), Unsealable> {
    match length {
        0..0x100 => to.extend_from_slice(&[0xc4, length as u8]),
        0x100..0x1_0000 => header16(to, 0xc5, length),
        _ => header32(to, 0xc6, length)?,
    }
    Ok(())
}

fn header16(to: &mut Vec<u8>, mark: u8, length: usize) {
    to.push(mark);
    to.extend_from_slice(&(length as u16).to_be_bytes());
}

fn header32(to: &mut Vec<u8>, mark: u8, length: usize) -> Result<(), Unsealable> {
    to.push(mark);
    to.extend_from_slice(&u32::try_from(length).map_err(|_| Unsealable)?.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_multiple_of_the_step_and_two_seals() {
        let (seed, nonce) = ([7; SEED], [9; NONCE]);
        let (names, values) = (&["surname", "given_name"], vec!["Асанова", ""]);
        let (locator, data_key) = (&[1; 32], &[2; 32]);
        let names_id = &[3; 32];
        let sheet = Sheet { locator, version: 1, data_key, names_id, names, values, seed: &seed, nonce: &nonce };
        let sealed = sheet.seal(4096).unwrap();
        assert_eq!(sealed.row.len(), NONCE + 4096 + TAG);
        assert_eq!(sealed.commitments.len(), 2);
        assert!(sheet.seal(0).is_err());
    }

    #[test]
    fn many_are_sealed_as_one_by_one() {
        let seed = [7; SEED];
        let nonces: Vec<[u8; NONCE]> = (0..100).map(|number| [number; NONCE]).collect();
        let sheets: Vec<Sheet> = nonces
            .iter()
            .map(|nonce| Sheet {
                locator: &nonce[..4],
                version: 1,
                data_key: &[2; 32],
                names_id: &[3; 32],
                names: &["surname"],
                values: vec!["Асанова"],
                seed: &seed,
                nonce,
            })
            .collect();
        let together = seal_all(&sheets, 64).unwrap();
        assert!(sheets.iter().zip(&together).all(|(sheet, sealed)| sheet.seal(64).unwrap().row == sealed.row));
        assert_eq!(together.len(), 100);
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14: blocks 0, 1 and 2 under zeros.
    #[test]
    fn salts_are_the_published_key_stream() {
        let salts = salts_of(&[0; SEED], 2).unwrap();
        let zero = 0xdc95_c078_a240_8989_ad48_a214_9284_2087_u128;
        let one = 0x530f_8afb_c745_36b9_a963_b4f1_c4cb_738b_u128;
        let two = 0xcea7_403d_4d60_6b6e_074e_c5d3_baf3_9d18_u128;
        assert_eq!(salts[0], [zero.to_be_bytes(), one.to_be_bytes()].as_flattened());
        assert_eq!(salts[1][..16], two.to_be_bytes());
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let seal = |seed: usize, nonce: usize, name: &str, values: Vec<&str>| {
            let (seed, nonce, names, data_key) = (&vec![0; seed], &vec![0; nonce], &[name], &[]);
            let sheet = Sheet { locator: &[], version: 0, data_key, names_id: &[], names, values, seed, nonce };
            sheet.seal(64).is_ok()
        };
        assert!(seal(32, 12, "a", vec![""]));
        assert!(!seal(31, 12, "a", vec![""]) && !seal(32, 11, "a", vec![""]));
        assert!(!seal(32, 12, "", vec![""]) && !seal(32, 12, &"a".repeat(256), vec![""]));
        assert!(!seal(32, 12, "a", vec![]) && !seal(32, 12, "a", vec!["", ""]));
    }
}
