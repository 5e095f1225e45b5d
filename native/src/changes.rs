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

/// What is the same for all changes of one table.
struct OfTable<'py> {
    table: Bound<'py, PyAny>,
    schema: u8,
    tree: Bound<'py, PyList>,
}

type Encoded<'py> = (Bound<'py, PyDict>, Bound<'py, PyList>, Bound<'py, PyDict>);

/// In order of the keys: key → bytes to store; key and bytes before; by position of a module, what its tree must take.
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
    let (stored, undo, touched) = (PyDict::new(py), PyList::empty(py), PyDict::new(py));
    let mut tables: Vec<OfTable<'py>> = Vec::new();
    for (key, change) in sorted(items)? {
        let table = change.get_item(0)?;
        let at = match tables.iter().position(|met| met.table.is(&table)) {
            Some(at) => at,
            None => {
                tables.push(of_table(table, position, &touched)?);
                tables.len() - 1
            }
        };
        let OfTable { schema, tree, .. } = &tables[at];
        let before = change.get_item(1)?;
        let before = match outdated.get_item(&key)? {
            Some(old) if !before.is_none() => Some(old.cast_into::<PyBytes>()?),
            _ => encoded(*schema, &before, encode)?,
        };
        let now = encoded(*schema, &change.get_item(2)?, encode)?;
        tree.append((&key, &now))?;
        stored.set_item(&key, now)?;
        undo.append((key, before))?;
    }
    Ok((stored, undo, touched))
}

type Change<'py> = (Bound<'py, PyBytes>, Bound<'py, PyList>);

fn sorted<'py>(items: &Bound<'py, PyDict>) -> PyResult<Vec<Change<'py>>> {
    let mut all = Vec::with_capacity(items.len());
    for (key, change) in items {
        all.push((key.cast_into::<PyBytes>()?, change.cast_into::<PyList>()?));
    }
    all.sort_unstable_by(|(one, _), (two, _)| one.as_bytes().cmp(two.as_bytes()));
    Ok(all)
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
    Ok(OfTable { table, schema, tree })
}

/// Schema byte and MessagePack of a value; None for None. Numbers are written here, all else by `encode`.
fn encoded<'py>(
    schema: u8,
    value: &Bound<'py, PyAny>,
    encode: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let py = value.py();
    if value.is_none() {
        return Ok(None);
    }
    if value.is_exact_instance_of::<PyInt>()
        && let Ok(number) = value.extract::<u64>()
    {
        return Ok(Some(unsigned(py, schema, number)));
    }
    let encoded = encode.call1((value,))?.cast_into::<PyBytes>()?;
    let plain = encoded.as_bytes();
    let whole = PyBytes::new_with(py, plain.len() + 1, |room| {
        room[0] = schema;
        room[1..].copy_from_slice(plain);
        Ok(())
    })?;
    Ok(Some(whole))
}

fn unsigned(py: Python<'_>, schema: u8, number: u64) -> Bound<'_, PyBytes> {
    let bytes = number.to_be_bytes();
    let (mark, width) = match number {
        0..=0x7f => return PyBytes::new(py, &[schema, number as u8]),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        _ => (0xcf, 8),
    };
    let mut room = [schema, mark, 0, 0, 0, 0, 0, 0, 0, 0];
    room[2..2 + width].copy_from_slice(&bytes[8 - width..]);
    PyBytes::new(py, &room[..2 + width])
}
