"""Values of vectors: terse forms become typed values, what is left out gets the smallest value that fits."""

from typing import Any

from msgspec import Struct
from msgspec import inspect as types

from kerege.kernel.days import parse_iso
from kerege.kernel.tables import Table
from kerege.testing import names

ADDRESS_LENGTH = 20


def read(form: Any, kind: Any) -> Any:  # noqa: ANN401 - any value of any annotation
    """The value of a form. Names stand for addresses and keys, any other word for bytes that look random."""
    return _read(form, types.type_info(kind))


def smallest(kind: Any) -> Any:  # noqa: ANN401 - any value of any annotation
    """The smallest value of an annotation."""
    return _smallest(types.type_info(kind))


def read_key(text: str, table: Table[Any, Any]) -> Any:  # noqa: ANN401 - the table's key type
    """A table's key written as parts between slashes, e.g. `alice/KGS`."""
    pieces = str(text).split("/", len(table.parts) - 1)
    parts = [_key_part(piece, part) for piece, part in zip(pieces, table.parts, strict=True)]
    return tuple(parts) if table.composite else parts[0]


def read_bytes(text: str, length: int) -> bytes:
    """Bytes of a length: hex, or a word; 20 bytes are the address of a name."""
    return _bytes(str(text), length, "address" if length == ADDRESS_LENGTH else "")


def _key_part(piece: str, part: tuple[str, int]) -> Any:  # noqa: ANN401
    kind, length = part
    if kind == "fixed":
        return _bytes(piece, length, "address" if length == ADDRESS_LENGTH else "")
    return int(piece) if kind == "int" else piece


def _bytes(text: str, length: int, label: str) -> bytes:
    if len(text) == 2 * length:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    if label == "address":
        return names.address(text)
    if label == "key":
        return names.signer(text).key
    return names.random_like(text, length)


def _unwrap(kind: types.Type) -> tuple[types.Type, str]:
    label = ""
    while isinstance(kind, types.Metadata):
        label = (kind.extra or {}).get("form", label)
        kind = kind.type
    return kind, label


def _read(form: Any, kind: types.Type) -> Any:  # noqa: ANN401, C901, PLR0911 - one case a kind
    kind, label = _unwrap(kind)
    if isinstance(kind, types.UnionType):
        return _read_union(form, kind)
    if isinstance(kind, types.StructType):
        given = form or {}
        known = {field.name for field in kind.fields}
        if not set(given) <= known:
            reason = f"{kind.cls.__name__} has no {sorted(set(given) - known)}"
            raise ValueError(reason)
        filled = {f.name: _read(given[f.name], f.type) if f.name in given else _smallest(f.type) for f in kind.fields}
        return kind.cls(**filled)
    if isinstance(kind, types.BytesType):
        if isinstance(form, bytes):
            return form
        if label == "message":
            return bytes.fromhex(form)
        return _bytes(str(form), kind.min_length or 16, label)
    if label == "day" and isinstance(form, str):
        return parse_iso(form)
    if isinstance(kind, types.EnumType):
        return kind.cls(form)
    if isinstance(kind, types.ListType | types.VarTupleType):
        listed = [_read(item, kind.item_type) for item in form]
        return listed if isinstance(kind, types.ListType) else tuple(listed)
    if isinstance(kind, types.TupleType):
        return tuple(_read(item, each) for item, each in zip(form, kind.item_types, strict=True))
    if isinstance(kind, types.IntType):
        return int(form)
    return form


def _read_union(form: Any, kind: types.UnionType) -> Any:  # noqa: ANN401
    if form is None:
        return None
    for each in kind.types:
        inner, label = _unwrap(each)
        if label == "day" and isinstance(form, str):
            return parse_iso(form)
        fits = {
            types.BoolType: bool, types.IntType: int, types.StrType: str, types.ListType: list, types.StructType: dict,
        }.get(type(inner), str)  # fmt: skip
        if isinstance(inner, types.NoneType) or not isinstance(form, fits):
            continue
        if isinstance(form, bool) and fits is int:
            continue
        return _read(form, each)
    reason = f"{form!r} fits none of {kind}"
    raise ValueError(reason)


def _smallest(kind: types.Type) -> Any:  # noqa: ANN401, PLR0911 - one case a kind
    kind, label = _unwrap(kind)
    if isinstance(kind, types.UnionType):
        return None if any(isinstance(_unwrap(t)[0], types.NoneType) for t in kind.types) else _smallest(kind.types[0])
    if isinstance(kind, types.StructType):
        return kind.cls(**{field.name: _smallest(field.type) for field in kind.fields})
    if isinstance(kind, types.BytesType):
        return names.signer("somebody").key if label == "key" else bytes(kind.min_length or 0)
    if isinstance(kind, types.IntType):
        return kind.ge or 0
    if isinstance(kind, types.BoolType):
        return False
    if isinstance(kind, types.EnumType):
        return next(iter(kind.cls))
    if isinstance(kind, types.LiteralType):
        return kind.values[0]
    if isinstance(kind, types.ListType | types.VarTupleType):
        listed = [_smallest(kind.item_type) for _ in range(kind.min_length or 0)]
        return listed if isinstance(kind, types.ListType) else tuple(listed)
    if isinstance(kind, types.TupleType):
        return tuple(map(_smallest, kind.item_types))
    return "KGS" if kind.min_length else ""  # type: ignore[attr-defined]


def fields_equal(value: Any, form: Any, annotation: Any) -> bool:  # noqa: ANN401
    """Whether a stored value is what a vector says: of a struct only the named fields, of anything else all."""
    if isinstance(value, Struct) and isinstance(form, dict):
        kinds = {field.name: field.type for field in types.type_info(type(value)).fields}  # type: ignore[attr-defined]
        return all(getattr(value, name) == _read(each, kinds[name]) for name, each in form.items())
    return bool(value == read(form, annotation))
