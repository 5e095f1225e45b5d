"""Rows of the state as JSON forms and back: what a ledger holds, readable without the ledger's program.

A row keeps the schema number it was stored with, so that an import gives the same bytes and thereby the same root.
"""

from typing import Any

from kerege.kernel import forms
from kerege.kernel.errors import BadForm
from kerege.kernel.module import Modules
from kerege.kernel.tables import Table

FORMAT = "kerege-export/1"

_ROW = ("table", "key", "schema", "value")


def export_row(modules: Modules, key: bytes, stored: bytes, prefix: str) -> dict[str, Any]:
    """The JSON form of a stored row; raises `ValueError` where no table of these modules has it.

    `key` is a list of the key's parts; `prefix` is the nation's for addresses.
    """
    table = _table(modules, key.partition(b"\0")[0].decode())
    schema, kind, value = table.decode_stored(stored)
    parts = table.decode_key(key)
    kinds = table.key if table.composite else (table.key,)
    values = parts if table.composite else (parts,)
    told = [forms.to_json(part, kind, prefix) for part, kind in zip(values, kinds, strict=True)]
    return {"table": table.name, "key": told, "schema": schema, "value": forms.to_json(value, kind, prefix)}


def import_row(modules: Modules, row: dict[str, Any], prefix: str) -> tuple[bytes, bytes]:
    """Key and stored bytes of an exported row; raises `BadForm`, or `ValueError` for an unknown table or schema."""
    if tuple(row) != _ROW:
        raise BadForm(field="$", reason=f"the members are {', '.join(_ROW)}")
    table = _table(modules, row["table"])
    kinds = table.key if table.composite else (table.key,)
    if not isinstance(row["key"], list) or len(row["key"]) != len(kinds):
        raise BadForm(field="$.key", reason=f"a list of {len(kinds)} expected")
    parts = [forms.from_json(form, kind, prefix) for form, kind in zip(row["key"], kinds, strict=True)]
    value = forms.from_json(row["value"], table.type_of(row["schema"]), prefix)
    return table.encode_key(tuple(parts) if table.composite else parts[0]), table.encode_stored(row["schema"], value)


def _table(modules: Modules, name: str) -> Table[Any, Any]:
    found = modules.tables.get(name)
    if found is None:
        raise ValueError(f"no module of this ledger has a table {name!r}")
    return found
