//! The module as Python sees it. Signatures and contracts: `src/kerege/kernel/{tree,scan,crypto}.py`.

use std::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pyo3::exceptions::{PyLookupError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyTuple};

use crate::dump::{Dump, leaves, restore};
use crate::flat::Change;
use crate::hash::{Hash, log_inner_hash, log_leaf_hash, sha256};
use crate::node::Leaf;
use crate::sealing::{Cipher, Prf, Unsealable, join};
use crate::sheets::{Sheet, seal_all};
use crate::signatures::{self, Claims, NoVerdict, Pool};
use crate::tree::{Refusal, Tree};

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Height => PyLookupError::new_err("the height is not held"),
            Refusal::Twice => PyValueError::new_err("a key occurs twice"),
        }
    }
}

type RawChange<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);

fn to_hash(bytes: &[u8]) -> PyResult<Hash> {
    bytes.try_into().map_err(|_| PyValueError::new_err("a hash has 32 bytes"))
}

/// Jellyfish Merkle tree over SHA-256 (see `kerege.kernel.tree.StateTree`).
#[pyclass(frozen, module = "kerege_native")]
struct StateTree {
    path: Py<PyAny>,
    tree: RwLock<Tree>,
}

impl StateTree {
    fn read(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().expect("a tree is not used after a panic")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tree> {
        self.tree.write().expect("a tree is not used after a panic")
    }

    fn change(&self, make: impl FnOnce() -> Vec<Change>) -> Result<Hash, Refusal> {
        let changes = make();
        let mut tree = self.write();
        tree.update(changes)?;
        Ok(tree.root())
    }

    fn replace(&self, tree: Tree) -> Hash {
        let root = tree.root();
        let old = std::mem::replace(&mut *self.write(), tree);
        drop(old); // after the lock is free: millions of small buckets
        root
    }
}

#[pymethods]
impl StateTree {
    #[new]
    fn new(path: Py<PyAny>) -> Self {
        Self { path, tree: RwLock::new(Tree::default()) }
    }

    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.read().root()))
    }

    #[getter]
    fn height(&self, py: Python<'_>) -> i64 {
        py.detach(|| self.read().newest().height)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| self.read().count())
    }

    fn heights(&self, py: Python<'_>) -> (i64, i64) {
        py.detach(|| {
            let tree = self.read();
            (tree.oldest().height, tree.newest().height)
        })
    }

    fn update<'py>(&self, py: Python<'py>, changes: Vec<RawChange<'py>>) -> PyResult<Bound<'py, PyBytes>> {
        let raw: Vec<_> =
            changes.iter().map(|(key, value)| (key.as_bytes(), value.as_ref().map(|value| value.as_bytes()))).collect();
        let hash = |(key, value): (&[u8], Option<&[u8]>)| Change { key: sha256(key), value: value.map(sha256) };
        let root = py.detach(|| self.change(|| raw.into_iter().map(hash).collect()))?;
        Ok(PyBytes::new(py, &root))
    }

    fn update_hashed<'py>(&self, py: Python<'py>, changes: Vec<RawChange<'py>>) -> PyResult<Bound<'py, PyBytes>> {
        let change = |(key, value): &RawChange<'py>| {
            let value = value.as_ref().map(|value| to_hash(value.as_bytes())).transpose()?;
            Ok(Change { key: to_hash(key.as_bytes())?, value })
        };
        let changes = changes.iter().map(change).collect::<PyResult<Vec<_>>>()?;
        let root = py.detach(|| self.change(|| changes))?;
        Ok(PyBytes::new(py, &root))
    }

    fn commit<'py>(&self, py: Python<'py>, height: i64) -> PyResult<Bound<'py, PyBytes>> {
        let root = py.detach(|| {
            let mut tree = self.write();
            tree.commit(height).map(|()| tree.root())
        });
        let root = root.map_err(|_| PyValueError::new_err("a height must be above the last committed one"))?;
        Ok(PyBytes::new(py, &root))
    }

    fn rollback<'py>(&self, py: Python<'py>, height: i64) -> PyResult<Bound<'py, PyBytes>> {
        let root = py.detach(|| {
            let mut tree = self.write();
            tree.rollback(height).map(|()| tree.root())
        })?;
        Ok(PyBytes::new(py, &root))
    }

    fn root_at<'py>(&self, py: Python<'py>, height: i64) -> PyResult<Bound<'py, PyBytes>> {
        let seal = py.detach(|| self.read().seal(Some(height)))?;
        Ok(PyBytes::new(py, &seal.root))
    }

    #[pyo3(signature = (key_hash, height = None))]
    fn prove<'py>(&self, py: Python<'py>, key_hash: &[u8], height: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
        let key = to_hash(key_hash)?;
        let path = py.detach(|| self.read().prove(&key, height))?;
        let siblings = PyBytes::new(py, path.siblings.as_flattened());
        let found = path.leaf.filter(|leaf| leaf.key == key).map(|leaf| PyBytes::new(py, &leaf.value));
        let other = path.leaf.filter(|leaf| leaf.key != key);
        let other = other.map(|leaf| PyBytes::new(py, [leaf.key, leaf.value].as_flattened()));
        self.path.bind(py).call1((found, siblings, other))
    }

    fn load<'py>(&self, py: Python<'py>, chunks: &Bound<'py, PyAny>, height: i64) -> PyResult<Bound<'py, PyBytes>> {
        let mut all: Vec<Leaf> = Vec::new();
        for chunk in PyIterator::from_object(chunks)? {
            let chunk = chunk?.cast_into::<PyBytes>()?;
            let some = leaves(chunk.as_bytes());
            all.extend(some.ok_or_else(|| PyValueError::new_err("a chunk is no multiple of 64 bytes"))?);
        }
        let root = py.detach(|| Tree::load(all, height).map(|tree| self.replace(tree)))?;
        Ok(PyBytes::new(py, &root))
    }

    #[pyo3(signature = (height = None))]
    fn dump(tree: Py<Self>, py: Python<'_>, height: Option<i64>) -> PyResult<TreeDump> {
        let this = tree.get();
        let dump = py.detach(|| Dump::new(&this.read(), height))?;
        Ok(TreeDump { tree, dump: Mutex::new(dump) })
    }

    fn restore<'py>(&self, py: Python<'py>, chunks: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut all = Vec::new();
        for chunk in PyIterator::from_object(chunks)? {
            all.extend_from_slice(chunk?.cast_into::<PyBytes>()?.as_bytes());
        }
        let root = py.detach(|| restore(&all).map(|tree| self.replace(tree))).map_err(PyValueError::new_err)?;
        Ok(PyBytes::new(py, &root))
    }
}

/// Iterator over the chunks of a dump.
#[pyclass(frozen, module = "kerege_native")]
struct TreeDump {
    tree: Py<StateTree>,
    dump: Mutex<Dump>,
}

#[pymethods]
impl TreeDump {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let tree = self.tree.get();
        let chunk = py.detach(|| self.dump.lock().expect("no panic while held").next(&tree.read()))?;
        Ok(chunk.map(|chunk| PyBytes::new(py, &chunk)))
    }
}

/// Ed25519 batches on own threads (see `kerege.kernel.crypto`).
#[pyclass(frozen, module = "kerege_native")]
struct BatchVerifier {
    pool: Pool,
}

impl From<NoVerdict> for PyErr {
    fn from(reason: NoVerdict) -> Self {
        match reason {
            NoVerdict::Unknown => PyLookupError::new_err("no such ticket, or it was collected before"),
            NoVerdict::Broken => PyRuntimeError::new_err("a signature check broke down"),
        }
    }
}

#[pymethods]
impl BatchVerifier {
    #[new]
    #[pyo3(signature = (threads = 2))]
    fn new(threads: usize) -> PyResult<Self> {
        if threads == 0 {
            return Err(PyValueError::new_err("at least one thread"));
        }
        Ok(Self { pool: Pool::new(threads)? })
    }

    fn submit(
        &self,
        py: Python<'_>,
        items: Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>, Bound<'_, PyBytes>)>,
    ) -> PyResult<u64> {
        let mut claims = Claims::default();
        for (key, payload, signature) in &items {
            claims.add(key.as_bytes(), payload.as_bytes(), signature.as_bytes());
        }
        py.detach(|| self.pool.submit(claims)).ok_or_else(|| PyRuntimeError::new_err("the verifier is closed"))
    }

    fn done(&self, py: Python<'_>, ticket: u64) -> PyResult<bool> {
        Ok(py.detach(|| self.pool.done(ticket))?)
    }

    fn collect<'py>(&self, py: Python<'py>, ticket: u64) -> PyResult<Bound<'py, PyBytes>> {
        let verdicts = py.detach(|| self.pool.collect(ticket))?;
        Ok(PyBytes::new(py, &verdicts))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.pool.close());
    }
}

/// Whether an Ed25519 signature is good by ZIP 215.
#[pyfunction]
fn verify(py: Python<'_>, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    py.detach(|| signatures::verify(key, message, signature))
}

/// Why an Ed25519 key may not be registered; empty where it may.
#[pyfunction]
fn ed25519_key_fault(key: &[u8]) -> &'static str {
    signatures::key_fault(key)
}

/// Number of values of one bounded MessagePack value, or minus the number of the reason it is refused for.
#[pyfunction]
fn scan(data: &[u8], max_depth: usize, max_items: usize) -> i64 {
    crate::scan::scan(data, max_depth, max_items).map_or_else(|reason| -(reason as i64), |items| items as i64)
}

/// SHA-256 of any bytes.
#[pyfunction(name = "sha256")]
fn sha256_of<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &sha256(data))
}

/// RFC 6962 nodes above neighbouring hashes, concatenated; ends that are no pair of hashes are left out.
#[pyfunction]
fn log_nodes_above<'py>(py: Python<'py>, hashes: &[u8]) -> Bound<'py, PyBytes> {
    let (pairs, _) = hashes.as_chunks().0.as_chunks();
    let above: Vec<_> = pairs.iter().map(log_inner_hash).collect();
    PyBytes::new(py, above.as_flattened())
}

/// SHA-256 of each, concatenated.
#[pyfunction]
fn sha256_many<'py>(py: Python<'py>, items: Vec<Bound<'py, PyBytes>>) -> Bound<'py, PyBytes> {
    let items: Vec<_> = items.iter().map(|item| item.as_bytes()).collect();
    let digests = py.detach(|| items.into_iter().map(sha256).collect::<Vec<_>>());
    PyBytes::new(py, digests.as_flattened())
}

/// RFC 6962 leaf hashes.
#[pyfunction]
fn leaf_hashes<'py>(py: Python<'py>, leaves: Vec<Bound<'py, PyBytes>>) -> PyResult<Bound<'py, PyList>> {
    let items: Vec<_> = leaves.iter().map(|leaf| leaf.as_bytes()).collect();
    let digests = py.detach(|| items.into_iter().map(log_leaf_hash).collect::<Vec<_>>());
    PyList::new(py, digests.iter().map(|digest| PyBytes::new(py, digest)))
}

/// SHA-256 of state keys and values as concatenated key hash ‖ value hash, for `StateTree.load`.
#[pyfunction]
fn hash_pairs<'py>(py: Python<'py>, pairs: Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>) -> Bound<'py, PyBytes> {
    let items: Vec<_> = pairs.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]).collect();
    let digests = py.detach(|| items.into_iter().map(sha256).collect::<Vec<_>>());
    PyBytes::new(py, digests.as_flattened())
}

impl From<Unsealable> for PyErr {
    fn from(_: Unsealable) -> Self {
        PyValueError::new_err("a length that has no sealed form")
    }
}

/// (keyed name, version, data key, id of the list of names, names, values, seed of the salts, nonce).
type RawSheet<'py> = (
    Bound<'py, PyBytes>,
    u64,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// Seal dossiers (see `kerege.dossiers.sheets`): for each the row, the commitments one after another, the content root.
#[pyfunction]
fn seal_sheets<'py>(py: Python<'py>, sheets: Vec<RawSheet<'py>>, step: usize) -> PyResult<Bound<'py, PyList>> {
    // Neighbours of one service share their list of names: it is read once for all of them.
    let mut forms: Vec<(&Bound<'py, PyTuple>, Vec<&str>)> = Vec::new();
    let mut places = Vec::with_capacity(sheets.len());
    for (.., names, _, _, _) in &sheets {
        if forms.last().is_none_or(|(last, _)| !last.is(names)) {
            forms.push((names, texts(names)?));
        }
        places.push(forms.len() - 1);
    }
    let mut asked = Vec::with_capacity(sheets.len());
    for ((locator, version, data_key, names_id, _, values, seed, nonce), place) in sheets.iter().zip(places) {
        asked.push(Sheet {
            locator: locator.as_bytes(),
            version: *version,
            data_key: data_key.as_bytes(),
            names_id: names_id.as_bytes(),
            names: &forms[place].1,
            values: texts(values)?,
            seed: seed.as_bytes(),
            nonce: nonce.as_bytes(),
        });
    }
    let sealed = py.detach(|| seal_all(&asked, step))?;
    let answers = sealed.into_iter().map(|one| {
        let commitments = PyBytes::new(py, one.commitments.as_flattened());
        (PyBytes::new(py, &one.row), commitments, PyBytes::new(py, &one.root))
    });
    PyList::new(py, answers)
}

/// The texts of a tuple, as they lie there.
fn texts<'a>(tuple: &'a Bound<'_, PyTuple>) -> PyResult<Vec<&'a str>> {
    tuple.iter_borrowed().map(<&str>::extract).collect()
}

/// A list of parts in one encoding (see `kerege.dossiers.sealing.join_plain`).
#[pyfunction(name = "join")]
#[pyo3(signature = (*parts))]
fn join_parts<'py>(py: Python<'py>, parts: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &joined_parts(parts)?))
}

/// HMAC-SHA-256 over parts, each with its length before it (see `kerege.dossiers.sealing.prf_plain`).
#[pyfunction]
#[pyo3(signature = (key, *parts))]
fn prf<'py>(py: Python<'py>, key: &[u8], parts: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &Prf::new(key).digest(joined_parts(parts)?)))
}

/// `prf` over each of many lists of parts.
#[pyfunction]
fn prf_many<'py>(py: Python<'py>, key: &[u8], lists: Vec<Bound<'py, PyTuple>>) -> PyResult<Bound<'py, PyList>> {
    let prf = Prf::new(key);
    let mut inputs = prf.inputs(lists.len());
    for parts in &lists {
        inputs.push([&joined_parts(parts)?]);
    }
    PyList::new(py, prf.digests(&inputs).iter().map(|digest| PyBytes::new(py, digest)))
}

fn joined_parts(parts: &Bound<'_, PyTuple>) -> PyResult<Vec<u8>> {
    let mut joined = Vec::with_capacity(256);
    for part in parts.iter_borrowed() {
        if let Ok(bytes) = part.cast::<PyBytes>() {
            join(&mut joined, bytes.as_bytes())?;
        } else if let Ok(text) = part.cast::<PyString>() {
            join(&mut joined, text.to_str()?.as_bytes())?;
        } else {
            join(&mut joined, &part.extract::<u64>()?.to_be_bytes())?;
        }
    }
    Ok(joined)
}

/// Seal small rows (plain, bound) under one key: nonce, cipher text and tag of each; 12 bytes of `nonces` for each.
#[pyfunction]
fn seal_many<'py>(
    py: Python<'py>,
    key: &[u8],
    rows: Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>,
    nonces: &[u8],
) -> PyResult<Bound<'py, PyList>> {
    let rows: Vec<_> = rows.iter().map(|(plain, bound)| (plain.as_bytes(), bound.as_bytes())).collect();
    let sealed = py.detach(|| Cipher::new(key.try_into().map_err(|_| Unsealable)?).close_all(&rows, nonces))?;
    PyList::new(py, sealed.iter().map(|row| PyBytes::new(py, row)))
}

#[pymodule]
mod kerege_native {
    #[pymodule_export]
    use super::{
        BatchVerifier, StateTree, TreeDump, ed25519_key_fault, hash_pairs, join_parts, leaf_hashes, log_nodes_above,
        prf, prf_many, scan, seal_many, seal_sheets, sha256_many, sha256_of, verify,
    };
    #[pymodule_export]
    use crate::cells::{Cells, Column};
    #[pymodule_export]
    use crate::changes::{encode_changes, fill_batch, settle};
}
