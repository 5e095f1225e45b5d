//! What a block changed, at its end: the twin of the functions of `kerege.kernel.changes`.
//!
//! A change is a list of table, value before the block and value now, under its key in one dictionary.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyInt, PyList};

/// Leave out of the changes the keys that hold again what they held before. Of those that stay, what was changed in the
/// tables with these names: table name → key, value before and value now.
#[pyfunction]
pub fn settle<'py>(items: &Bound<'py, PyDict>, watched: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = items.py();
    let (found, mut same) = (PyDict::new(py), Vec::new());
    let mut lists: Vec<(Bound<'py, PyAny>, Option<Bound<'py, PyList>>)> = Vec::new();
    for (key, change) in items {
        let change = change.cast_into::<PyList>()?;
        let (table, before, now) = (change.get_item(0)?, change.get_item(1)?, change.get_item(2)?);
        if before.is(&now) || before.eq(&now)? {
            same.push(key);
            continue;
        }
        let at = match lists.iter().position(|(met, _)| met.is(&table)) {
            Some(at) => at,
            None => {
                let name = table.getattr(intern!(py, "name"))?;
                let list = watched.contains(&name)?.then(|| PyList::empty(py));
                list.iter().try_for_each(|list| found.set_item(&name, list))?;
                lists.push((table, list));
                lists.len() - 1
            }
        };
        if let Some(list) = &lists[at].1 {
            list.append((key, before, now))?;
        }
    }
    same.into_iter().try_for_each(|key| items.del_item(key))?;
    Ok(found)
}

/// What is the same for all changes of one table, and those changes.
struct OfTable<'py> {
    table: Bound<'py, PyAny>,
    prefix: Vec<u8>,
    schema: u8,
    tree: Bound<'py, PyList>,
    changes: Vec<Keyed<'py, PyList>>,
}

type Encoded<'py> = (Bound<'py, PyDict>, Bound<'py, PyBytes>, Bound<'py, PyDict>);

/// In order of the keys: key → bytes to store; the undo row; by position of a module, what its tree must take.
///
/// `outdated`: bytes before where encoding would not give them; `position`: module → its number.
#[pyfunction]
pub fn encode_changes<'py>(
    items: &Bound<'py, PyDict>,
    outdated: &Bound<'py, PyDict>,
    position: &Bound<'py, PyDict>,
    encode: &Bound<'py, PyAny>,
) -> PyResult<Encoded<'py>> {
    let py = items.py();
    let (stored, touched) = (PyDict::new(py), PyDict::new(py));
    let (mut undo, mut before, mut now) = (Vec::with_capacity(64 * items.len()), Vec::new(), Vec::new());
    write_length(&mut undo, items.len(), ARRAY);
    for OfTable { schema, tree, changes, .. } in by_table(items, position, &touched)? {
        for Keyed { key, value: change, .. } in changes {
            let value = change.get_item(1)?;
            undo.push(ARRAY.fixed | 2);
            write_bytes(&mut undo, key.as_bytes());
            match outdated.get_item(&key)? {
                _ if value.is_none() => undo.push(NIL),
                Some(old) => write_bytes(&mut undo, old.cast::<PyBytes>()?.as_bytes()),
                None => {
                    write_value(&mut before, schema, &value, encode)?;
                    write_bytes(&mut undo, &before);
                }
            }
            let value = change.get_item(2)?;
            let value = match value.is_none() {
                true => None,
                false => {
                    write_value(&mut now, schema, &value, encode)?;
                    Some(PyBytes::new(py, &now))
                }
            };
            tree.append((&key, &value))?;
            stored.set_item(key, value)?;
        }
    }
    Ok((stored, PyBytes::new(py, &undo), touched))
}

/// The changes in order of their keys: a table's keys begin with its prefix, and no prefix with another.
fn by_table<'py>(
    items: &Bound<'py, PyDict>,
    position: &Bound<'py, PyDict>,
    touched: &Bound<'py, PyDict>,
) -> PyResult<Vec<OfTable<'py>>> {
    let mut tables: Vec<OfTable<'py>> = Vec::new();
    for (key, change) in items {
        let change = change.cast_into::<PyList>()?;
        let table = change.get_item(0)?;
        let at = match tables.iter().position(|met| met.table.is(&table)) {
            Some(at) => at,
            None => {
                tables.push(of_table(table, position, touched)?);
                tables.len() - 1
            }
        };
        let OfTable { prefix, changes, .. } = &mut tables[at];
        changes.push(Keyed::new(key.cast_into()?, change, prefix.len()));
    }
    tables.sort_unstable_by(|one, two| one.prefix.cmp(&two.prefix));
    tables.iter_mut().for_each(|table| sort(&mut table.changes));
    Ok(tables)
}

fn of_table<'py>(
    table: Bound<'py, PyAny>,
    position: &Bound<'py, PyDict>,
    touched: &Bound<'py, PyDict>,
) -> PyResult<OfTable<'py>> {
    let py = table.py();
    let number = position.as_any().get_item(table.getattr(intern!(py, "module"))?)?;
    let tree = match touched.get_item(&number)? {
        Some(tree) => tree.cast_into::<PyList>()?,
        None => {
            let tree = PyList::empty(py);
            touched.set_item(number, &tree)?;
            tree
        }
    };
    let schema = table.getattr(intern!(py, "schema"))?.extract()?;
    let prefix = table.getattr(intern!(py, "prefix"))?.cast::<PyBytes>()?.as_bytes().to_vec();
    Ok(OfTable { table, prefix, schema, tree, changes: Vec::new() })
}

/// Something under a key, with eight bytes of the key at hand: most keys differ there, and sorting reads no others.
struct Keyed<'py, T> {
    start: u64,
    key: Bound<'py, PyBytes>,
    value: Bound<'py, T>,
}

impl<'py, T> Keyed<'py, T> {
    /// `skip`: how many bytes at its beginning the key shares with all it is sorted among.
    fn new(key: Bound<'py, PyBytes>, value: Bound<'py, T>, skip: usize) -> Self {
        let (mut start, rest) = ([0; 8], key.as_bytes().get(skip..).unwrap_or_default());
        let length = rest.len().min(start.len());
        start[..length].copy_from_slice(&rest[..length]);
        Self { start: u64::from_be_bytes(start), key, value }
    }
}

fn sort<T>(all: &mut [Keyed<'_, T>]) {
    all.sort_unstable_by(|one, two| one.start.cmp(&two.start).then_with(|| one.key.as_bytes().cmp(two.key.as_bytes())));
}

/// How MessagePack tells the length of an array or of bytes.
struct Lengths {
    /// Marks of a length of one, two and four bytes; the shortest is 0 where there is none.
    marks: [u8; 3],
    /// Mark that a length below 16 is part of; 0 where there is none.
    fixed: u8,
}

const ARRAY: Lengths = Lengths { marks: [0, 0xdc, 0xdd], fixed: 0x90 };
const BYTES: Lengths = Lengths { marks: [0xc4, 0xc5, 0xc6], fixed: 0 };
const NIL: u8 = 0xc0;

fn write_length(room: &mut Vec<u8>, length: usize, Lengths { marks: [one, two, four], fixed }: Lengths) {
    let bytes = (length as u32).to_be_bytes();
    match length {
        0..=15 if fixed != 0 => room.push(fixed | length as u8),
        0..=0xff if one != 0 => room.extend_from_slice(&[one, length as u8]),
        0..=0xffff => room.extend_from_slice(&[two, bytes[2], bytes[3]]),
        _ => room.extend_from_slice(&[four, bytes[0], bytes[1], bytes[2], bytes[3]]),
    }
}

fn write_bytes(room: &mut Vec<u8>, bytes: &[u8]) {
    write_length(room, bytes.len(), BYTES);
    room.extend_from_slice(bytes);
}

/// Schema byte and MessagePack of a value, in place of what was there. Numbers are written here, all else by `encode`.
fn write_value(room: &mut Vec<u8>, schema: u8, value: &Bound<'_, PyAny>, encode: &Bound<'_, PyAny>) -> PyResult<()> {
    room.clear();
    room.push(schema);
    if value.is_exact_instance_of::<PyInt>()
        && let Ok(number) = value.extract::<u64>()
    {
        write_number(room, number);
        return Ok(());
    }
    room.extend_from_slice(encode.call1((value,))?.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

fn write_number(room: &mut Vec<u8>, number: u64) {
    let bytes = number.to_be_bytes();
    let (mark, width) = match number {
        0..=0x7f => return room.push(number as u8),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        _ => (0xcf, 8),
    };
    room.push(mark);
    room.extend_from_slice(&bytes[8 - width..]);
}

/// Put every key with its value into a batch of the store, in order of the keys, or delete it where the value is None.
#[pyfunction]
pub fn fill_batch(batch: &Bound<'_, PyAny>, changes: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut all = Vec::with_capacity(changes.len());
    for (key, value) in changes {
        all.push(Keyed::new(key.cast_into()?, value, 0));
    }
    sort(&mut all);
    for Keyed { key, value, .. } in all {
        match value.is_none() {
            true => batch.del_item(key)?,
            false => batch.set_item(key, value)?,
        }
    }
    Ok(())
}
