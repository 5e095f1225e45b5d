//! `kerege_native`: native twins behind `kerege.kernel` and `kerege.dossiers`; the plain Python versions are their oracle and fallback.
//!
//! Every function lets go of the interpreter lock while it works or waits, and needs it never inside; but for `cells` and
//! `changes`, which work on Python's own dictionaries and hold the lock meanwhile.

pub mod cells;
pub mod changes;
pub mod dump;
pub mod flat;
pub mod hash;
pub mod node;
pub mod scan;
pub mod sealing;
pub mod sheets;
pub mod signatures;
pub mod tree;
pub mod undo;

mod python;
