//! Ed25519 by ZIP 215, singly and in batches on own threads that never need the interpreter.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes};

/// Most signatures a batch: beyond, little is won. Below 95 each costs a sixth more.
pub const BATCH: usize = 256;

/// Signatures a group of a batch that failed: what one bad signature costs its neighbours is least near the root of 256.
const GROUP: usize = 16;

/// Whether a signature of a message is good under a key by ZIP 215.
pub fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(key), <[u8; 64]>::try_from(signature)) else {
        return false;
    };
    VerificationKey::try_from(key).is_ok_and(|key| key.verify(&Signature::from_bytes(&signature), message).is_ok())
}

/// Why a key may not be registered; empty where it may.
pub fn key_fault(key: &[u8]) -> &'static str {
    let Ok(key) = CompressedEdwardsY::from_slice(key) else { return "length" };
    match key.decompress() {
        None => "not on the curve",
        Some(point) if point.compress() != key => "encoding",
        Some(point) if point.is_small_order() => "small order",
        Some(_) => "",
    }
}

/// Copies of what shall be checked, laid out flat.
#[derive(Default)]
pub struct Claims {
    messages: Vec<u8>,
    rows: Vec<Option<Claim>>,
}

struct Claim {
    key: [u8; 32],
    signature: [u8; 64],
    message: Range<usize>,
}

impl Claims {
    /// Add one; a key or signature of another length than 32 or 64 bytes is bad without a check.
    pub fn add(&mut self, key: &[u8], message: &[u8], signature: &[u8]) {
        let start = self.messages.len();
        let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else {
            return self.rows.push(None);
        };
        self.messages.extend_from_slice(message);
        self.rows.push(Some(Claim { key, signature, message: start..self.messages.len() }));
    }

    fn item(&self, row: usize) -> Option<Item> {
        let claim = self.rows[row].as_ref()?;
        let message = &self.messages[claim.message.clone()];
        Some(Item::from((VerificationKeyBytes::from(claim.key), Signature::from_bytes(&claim.signature), message)))
    }

    /// One verdict a row: 1 good, 0 bad. All at once; where that fails, in groups; where a group fails, each by itself.
    ///
    /// So nobody makes a signature cost more than three checks, of which only the last is no batch's.
    fn verdicts(&self, rows: Range<usize>) -> Vec<u8> {
        let items: Vec<_> = rows.map(|row| self.item(row)).collect();
        let batch_good = all_good(&items);
        let verdicts = |group: &[Option<Item>]| {
            let group_good = batch_good || all_good(group);
            let good = |item: Item| group_good || item.verify_single().is_ok();
            group.iter().map(|item| item.clone().is_some_and(good) as u8).collect::<Vec<_>>()
        };
        items.chunks(GROUP).flat_map(verdicts).collect()
    }
}

/// Whether those of a form that can be checked are good, all of them.
fn all_good(items: &[Option<Item>]) -> bool {
    let mut batch = Verifier::new();
    items.iter().flatten().cloned().for_each(|item| batch.queue(item));
    batch.verify(rand::rng()).is_ok()
}

struct Progress {
    verdicts: Vec<u8>,
    missing: usize,
    broken: bool,
}

struct Submission {
    claims: Claims,
    progress: Mutex<Progress>,
    finished: Condvar,
}

impl Submission {
    fn run(&self, rows: Range<usize>) {
        let verdicts = catch_unwind(AssertUnwindSafe(|| self.claims.verdicts(rows.clone())));
        let mut progress = self.progress.lock().expect("no panic while held");
        match verdicts {
            Ok(verdicts) => progress.verdicts[rows.clone()].copy_from_slice(&verdicts),
            Err(_) => progress.broken = true, // told to whoever collects
        }
        progress.missing -= rows.len();
        if progress.missing == 0 {
            self.finished.notify_all();
        }
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Arc<Submission>, Range<usize>)>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

impl Shared {
    fn work(&self) {
        loop {
            let mut queue = self.queue.lock().expect("no panic while held");
            let (submission, rows) = loop {
                match queue.jobs.pop_front() {
                    Some(job) => break job,
                    None if queue.closed => return,
                    None => queue = self.arrived.wait(queue).expect("no panic while held"),
                }
            };
            drop(queue);
            submission.run(rows);
        }
    }
}

#[derive(Default)]
struct Tickets {
    last: u64,
    open: HashMap<u64, Arc<Submission>>,
}

/// Why verdicts cannot be had.
pub enum NoVerdict {
    /// The ticket was never given or has been collected.
    Unknown,
    /// A check panicked.
    Broken,
}

/// Worker threads and the queue before them.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    tickets: Mutex<Tickets>,
}

impl Pool {
    /// Start the workers.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let start = |number| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("ed25519-{number}")).spawn(move || shared.work())
        };
        let workers = (0..threads).map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { shared, workers: Mutex::new(workers), tickets: Mutex::default() })
    }

    /// Queue claims; none where the pool is closed.
    pub fn submit(&self, claims: Claims) -> Option<u64> {
        let count = claims.rows.len();
        let progress = Progress { verdicts: vec![0; count], missing: count, broken: false };
        let submission = Arc::new(Submission { claims, progress: Mutex::new(progress), finished: Condvar::new() });
        {
            let mut queue = self.shared.queue.lock().expect("no panic while held");
            if queue.closed {
                return None;
            }
            let batches = count.div_ceil(BATCH);
            let cut = |number| count * number / batches;
            queue.jobs.extend((0..batches).map(|number| (Arc::clone(&submission), cut(number)..cut(number + 1))));
        }
        self.shared.arrived.notify_all();
        let mut tickets = self.tickets.lock().expect("no panic while held");
        tickets.last += 1;
        let ticket = tickets.last;
        tickets.open.insert(ticket, submission);
        Some(ticket)
    }

    /// Whether collecting would not wait.
    pub fn done(&self, ticket: u64) -> Result<bool, NoVerdict> {
        let tickets = self.tickets.lock().expect("no panic while held");
        let submission = tickets.open.get(&ticket).ok_or(NoVerdict::Unknown)?;
        Ok(submission.progress.lock().expect("no panic while held").missing == 0)
    }

    /// Wait for the verdicts of a ticket and forget it.
    pub fn collect(&self, ticket: u64) -> Result<Vec<u8>, NoVerdict> {
        let submission = self.tickets.lock().expect("no panic while held").open.remove(&ticket);
        let submission = submission.ok_or(NoVerdict::Unknown)?;
        let mut progress = submission.progress.lock().expect("no panic while held");
        while progress.missing > 0 {
            progress = submission.finished.wait(progress).expect("no panic while held");
        }
        if progress.broken { Err(NoVerdict::Broken) } else { Ok(std::mem::take(&mut progress.verdicts)) }
    }

    /// Take nothing more, finish what is queued, end the workers.
    pub fn close(&self) {
        self.shared.queue.lock().expect("no panic while held").closed = true;
        self.shared.arrived.notify_all();
        for worker in self.workers.lock().expect("no panic while held").drain(..) {
            worker.join().expect("workers catch panics");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_zebra::SigningKey;

    #[test]
    fn one_bad_signature_in_a_batch_is_found_and_harms_no_other() {
        let pool = Pool::new(2).unwrap();
        let mut claims = Claims::default();
        for number in 0..200u8 {
            let key = SigningKey::from([number; 32]);
            let mut signature = key.sign(&[number]).to_bytes().to_vec();
            match number {
                70 => signature[3] ^= 1,
                71 => signature.truncate(63),
                _ => {}
            }
            claims.add(VerificationKeyBytes::from(&key).as_ref(), &[number], &signature);
        }
        let ticket = pool.submit(claims).unwrap();
        let verdicts = pool.collect(ticket).ok().unwrap();
        let bad: Vec<_> = verdicts.iter().enumerate().filter(|&(_, &good)| good == 0).map(|(at, _)| at).collect();
        assert_eq!(bad, [70, 71]);
        assert!(pool.collect(ticket).is_err());
    }
}
