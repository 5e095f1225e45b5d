//! Values in memory while a block executes: the twin of `kerege.kernel.cells`.
//!
//! The same Python dictionaries as there: only the steps of every read and write are taken here. What is not in memory,
//! and every key that is not of the two common layouts, is asked of Python, with nothing locked meanwhile.

use std::sync::{Mutex, MutexGuard};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyList, PySet, PyString, PyTuple};

/// What changes from transaction to transaction, or from block to block.
struct Open {
    young: Py<PyDict>,
    old: Py<PyDict>,
    changes: Py<PyDict>,
    touched: Py<PySet>,
    operations: i64,
    created: i64,
}

/// See `kerege.kernel.cells.Cells`.
#[pyclass(frozen, module = "kerege_native")]
pub struct Cells {
    open: Mutex<Open>,
    #[pyo3(get)]
    undo: Py<PyList>,
    #[pyo3(get)]
    known: Py<PyDict>,
    load: Py<PyAny>,
    know: Py<PyAny>,
}

impl Cells {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("nothing panics while it is locked")
    }
}

#[pymethods]
impl Cells {
    #[new]
    fn new(py: Python<'_>, load: Py<PyAny>, know: Py<PyAny>) -> PyResult<Self> {
        let empty = || PyDict::new(py).unbind();
        let touched = PySet::empty(py)?.unbind();
        let open = Open { young: empty(), old: empty(), changes: empty(), touched, operations: 0, created: 0 };
        Ok(Self { open: Mutex::new(open), undo: PyList::empty(py).unbind(), known: empty(), load, know })
    }

    #[getter]
    fn young(&self, py: Python<'_>) -> Py<PyDict> {
        self.open().young.clone_ref(py)
    }

    #[setter]
    fn set_young(&self, young: Py<PyDict>) {
        let old = std::mem::replace(&mut self.open().young, young);
        drop(old); // after the lock is free: it may be the last reference to many values
    }

    #[getter]
    fn old(&self, py: Python<'_>) -> Py<PyDict> {
        self.open().old.clone_ref(py)
    }

    #[setter]
    fn set_old(&self, old: Py<PyDict>) {
        let older = std::mem::replace(&mut self.open().old, old);
        drop(older);
    }

    #[getter]
    fn changes(&self, py: Python<'_>) -> Py<PyDict> {
        self.open().changes.clone_ref(py)
    }

    #[setter]
    fn set_changes(&self, changes: Py<PyDict>) {
        let old = std::mem::replace(&mut self.open().changes, changes);
        drop(old);
    }

    #[getter]
    fn touched(&self, py: Python<'_>) -> Py<PySet> {
        self.open().touched.clone_ref(py)
    }

    #[setter]
    fn set_touched(&self, touched: Py<PySet>) {
        self.open().touched = touched;
    }

    #[getter]
    fn operations(&self) -> i64 {
        self.open().operations
    }

    #[setter]
    fn set_operations(&self, operations: i64) {
        self.open().operations = operations;
    }

    #[getter]
    fn created(&self) -> i64 {
        self.open().created
    }

    #[setter]
    fn set_created(&self, created: i64) {
        self.open().created = created;
    }

    fn column(this: Py<Self>, table: Bound<'_, PyAny>) -> PyResult<Column> {
        let py = table.py();
        Ok(Column {
            cells: this,
            layout: Layout::of(&table)?,
            name: table.getattr(intern!(py, "name"))?.cast_into::<PyString>()?.unbind(),
            few: table.getattr(intern!(py, "few"))?.extract()?,
            table: table.unbind(),
            last: Mutex::new(None),
        })
    }

    fn begin_transaction(&self, py: Python<'_>) -> PyResult<()> {
        let mut open = self.open();
        (open.operations, open.created) = (0, 0);
        drop(open);
        let undo = self.undo.bind(py);
        undo.del_slice(0, undo.len())
    }

    fn differences<'py>(&self, watched: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let py = watched.py();
        let (young, found) = (self.young(py).into_bound(py), PyDict::new(py));
        let mut seen = Seen::default();
        for entry in self.undo.bind(py) {
            let entry = entry.cast_into::<PyTuple>()?;
            let (name, key) = (entry.get_borrowed_item(0)?.getattr(intern!(py, "name"))?, entry.get_item(1)?);
            if !watched.contains(&name)? || seen.before(&key)? {
                continue;
            }
            let change = (&key, entry.get_borrowed_item(2)?, young.get_item(&key)?).into_pyobject(py)?;
            match found.get_item(&name)? {
                Some(list) => list.cast_into::<PyList>()?.append(change)?,
                None => found.set_item(&name, PyList::new(py, [change])?)?,
            }
            seen.keys.push(key);
        }
        Ok(found)
    }
}

/// Keys met so far: most transactions meet a handful, so that they are compared one by one, and a set serves beyond.
#[derive(Default)]
struct Seen<'py> {
    keys: Vec<Bound<'py, PyAny>>,
    many: Option<(Bound<'py, PySet>, usize)>,
}

/// Up to so many keys are compared one by one.
const HANDFUL: usize = 8;

impl<'py> Seen<'py> {
    fn before(&mut self, key: &Bound<'py, PyAny>) -> PyResult<bool> {
        if self.keys.len() <= HANDFUL {
            let raw = key.cast::<PyBytes>()?.as_bytes();
            return Ok(self.keys.iter().any(|met| met.cast::<PyBytes>().is_ok_and(|met| met.as_bytes() == raw)));
        }
        let (set, entered) = match self.many.take() {
            Some(many) => many,
            None => (PySet::empty(key.py())?, 0),
        };
        for met in &self.keys[entered..] {
            set.add(met)?;
        }
        let found = set.contains(key)?;
        self.many = Some((set, self.keys.len()));
        Ok(found)
    }
}

/// How a table lays out its keys, as far as keys are made here.
enum Layout {
    /// Prefix, then so many bytes.
    Fixed(Vec<u8>, usize),
    /// Prefix, then so many bytes, then text closed by a zero byte.
    FixedAndText(Vec<u8>, usize),
    /// Any other: `Table.encode_key` makes the key.
    Other,
}

/// No key of the common layouts is longer; a longer one is made by Python.
const ROOM: usize = 128;

impl Layout {
    fn of(table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = table.py();
        let prefix: Vec<u8> = table.getattr(intern!(py, "prefix"))?.cast::<PyBytes>()?.as_bytes().to_vec();
        let parts: Vec<(String, usize)> = table.getattr(intern!(py, "parts"))?.extract()?;
        let composite: bool = table.getattr(intern!(py, "composite"))?.extract()?;
        let kinds: Vec<(&str, usize)> = parts.iter().map(|(name, length)| (name.as_str(), *length)).collect();
        Ok(match kinds[..] {
            [("fixed", length)] if !composite => Self::Fixed(prefix, length),
            [("fixed", length), ("text", _)] if composite => Self::FixedAndText(prefix, length),
            _ => Self::Other,
        })
    }

    /// The stored key; None where Python has to make it, or to say what is wrong with it.
    fn encode<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let py = key.py();
        match self {
            Self::Fixed(prefix, length) => {
                let Ok(key) = key.cast_exact::<PyBytes>() else { return Ok(None) };
                Ok(joined(py, *length, key.as_bytes(), [prefix, key.as_bytes(), b"", b""]))
            }
            Self::FixedAndText(prefix, length) => {
                let Ok(pair) = key.cast_exact::<PyTuple>() else { return Ok(None) };
                if pair.len() != 2 {
                    return Ok(None);
                }
                let (first, second) = (pair.get_item(0)?, pair.get_item(1)?);
                let (Ok(first), Ok(second)) = (first.cast_exact::<PyBytes>(), second.cast_exact::<PyString>()) else {
                    return Ok(None);
                };
                let Ok(text) = second.to_str() else { return Ok(None) };
                if text.as_bytes().contains(&0) {
                    return Ok(None);
                }
                Ok(joined(py, *length, first.as_bytes(), [prefix, first.as_bytes(), text.as_bytes(), b"\0"]))
            }
            Self::Other => Ok(None),
        }
    }
}

/// The parts as one key, where `fixed` has its length and the whole fits.
fn joined<'py>(py: Python<'py>, length: usize, fixed: &[u8], parts: [&[u8]; 4]) -> Option<Bound<'py, PyBytes>> {
    let (mut room, mut end) = ([0; ROOM], 0);
    for part in parts {
        room.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    (fixed.len() == length).then(|| PyBytes::new(py, &room[..end]))
}

/// See `kerege.kernel.cells.Column`.
#[pyclass(frozen, module = "kerege_native")]
pub struct Column {
    cells: Py<Cells>,
    table: Py<PyAny>,
    name: Py<PyString>,
    layout: Layout,
    few: bool,
    last: Mutex<Option<Last>>,
}

/// The key asked for last: it is read, then written, and comes with the same objects each time.
struct Last {
    parts: Parts<Py<PyAny>>,
    raw: Py<PyBytes>,
}

/// The objects that a key is made of: itself, or the two of a pair.
type Parts<T> = (T, Option<T>);

fn parts_of<'a, 'py>(key: &'a Bound<'py, PyAny>) -> Option<Parts<Borrowed<'a, 'py, PyAny>>> {
    if key.is_exact_instance_of::<PyBytes>() {
        return Some((key.as_borrowed(), None));
    }
    let pair = key.cast_exact::<PyTuple>().ok().filter(|pair| pair.len() == 2)?;
    Some((pair.get_borrowed_item(0).ok()?, Some(pair.get_borrowed_item(1).ok()?)))
}

impl Last {
    fn is_of(&self, (first, second): &Parts<Borrowed<'_, '_, PyAny>>) -> bool {
        self.parts.0.as_ptr() == first.as_ptr()
            && self.parts.1.as_ref().map(Py::as_ptr) == second.as_ref().map(|second| second.as_ptr())
    }
}

impl Column {
    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().expect("nothing panics while it is locked")
    }

    fn encode<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = key.py();
        let parts = parts_of(key);
        if let Some(parts) = &parts
            && let Some(last) = &*self.last()
            && last.is_of(parts)
        {
            return Ok(last.raw.bind(py).clone());
        }
        let Some(raw) = self.layout.encode(key)? else {
            let raw = self.table.bind(py).call_method1(intern!(py, "encode_key"), (key,))?;
            return Ok(raw.cast_into::<PyBytes>()?);
        };
        if let Some((first, second)) = parts {
            let own = |part: Borrowed<'_, '_, PyAny>| part.to_owned().unbind();
            let last = Last { parts: (own(first), second.map(own)), raw: raw.clone().unbind() };
            let before = self.last().replace(last);
            drop(before); // with nothing locked: it may be the last reference
        }
        Ok(raw)
    }

    /// Whether the table has few keys and this is none of them.
    fn is_vain(&self, raw: &Bound<'_, PyBytes>) -> PyResult<bool> {
        if !self.few {
            return Ok(false);
        }
        let py = raw.py();
        match self.cells.get().known.bind(py).get_item(&self.name)? {
            Some(known) => {
                known.cast::<PySet>().map_or(Ok(false), |known| Ok(known.is_empty() || !known.contains(raw)?))
            }
            None => Ok(false),
        }
    }

    /// One operation more; the young values, and the value under the key.
    fn read<'py>(&self, raw: &Bound<'py, PyBytes>) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyAny>)> {
        let (py, cells) = (raw.py(), self.cells.get());
        let mut open = cells.open();
        open.operations += 1;
        let (young, old) = (open.young.clone_ref(py).into_bound(py), open.old.clone_ref(py).into_bound(py));
        drop(open);
        if self.is_vain(raw)? {
            return Ok((young, py.None().into_bound(py)));
        }
        if let Some(value) = young.get_item(raw)? {
            return Ok((young, value));
        }
        let value = match old.get_item(raw)? {
            Some(value) => value,
            None => cells.load.bind(py).call1((&self.table, raw))?,
        };
        young.set_item(raw, &value)?;
        Ok((young, value))
    }
}

#[pymethods]
impl Column {
    fn find<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.read(&self.encode(key)?)?.1)
    }

    fn put<'py>(&self, key: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = key.py();
        let (raw, cells) = (self.encode(key)?, self.cells.get());
        let (young, before) = self.read(&raw)?;
        if self.few {
            cells.know.bind(py).call1((&self.table, &raw))?;
        }
        cells.undo.bind(py).append((&self.table, &raw, &before))?;
        let mut open = cells.open();
        open.created += i64::from(before.is_none()) - i64::from(value.is_none());
        let (changes, touched) = (open.changes.clone_ref(py).into_bound(py), open.touched.clone_ref(py).into_bound(py));
        drop(open);
        match changes.get_item(&raw)? {
            Some(change) => change.cast_into::<PyList>()?.set_item(2, value)?,
            None => {
                touched.add(&self.name)?;
                changes.set_item(&raw, PyList::new(py, [self.table.bind(py), &before, value])?)?;
            }
        }
        young.set_item(&raw, value)
    }

    fn want<'py>(&self, key: &Bound<'py, PyAny>, wanted: &Bound<'py, PyDict>) -> PyResult<()> {
        let (py, raw, cells) = (key.py(), self.encode(key)?, self.cells.get());
        let in_memory = cells.young(py).bind(py).contains(&raw)? || cells.old(py).bind(py).contains(&raw)?;
        if in_memory || self.is_vain(&raw)? { Ok(()) } else { wanted.set_item(raw, &self.table) }
    }
}
