"""How ledger values look in JSON and how JSON becomes ledger values: by field names, strictly.

Addresses are bech32m, amounts strings, other bytes lower-case hex, days ISO dates, times integers in
milliseconds. Tagged structs are objects with the tag under `"type"`.
"""

import re
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from kerege.kernel import addresses, days
from kerege.kernel.errors import BadForm

_AMOUNT = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
"""Brackets, and texts, which may hold some that do not count."""

_TYPES: dict[Any, types.Type] = {}


def _type_of(kind: Any) -> types.Type:  # noqa: ANN401 - any annotation
    try:
        return _TYPES[kind]
    except (KeyError, TypeError):
        found = types.type_info(kind)
        try:
            _TYPES[kind] = found
        except TypeError:
            return found
        return found


def to_json(value: Any, kind: Any, prefix: str) -> Any:  # noqa: ANN401
    """The JSON-able form of a value of an annotated type; `prefix` is the nation's for addresses."""
    return _write(value, _type_of(kind), prefix)


def from_json(form: Any, kind: Any, prefix: str) -> Any:  # noqa: ANN401
    """The value of its JSON form; raises `BadForm` with the field where it does not fit."""
    value = _read(form, _type_of(kind), prefix, "$")
    try:
        return msgspec.convert(msgspec.to_builtins(value, builtin_types=(bytes,)), kind)
    except msgspec.ValidationError as error:  # bounds and patterns, told by position
        raise _misfit(value, kind, "$") or BadForm(field="$", reason=str(error)) from None


def _misfit(value: Any, kind: Any, path: str) -> BadForm | None:  # noqa: ANN401
    """The innermost part whose value is out of bounds, by the names of its fields; None where all fit."""
    parts: list[tuple[str, Any, Any]] = []
    if isinstance(value, Struct):
        hints = get_type_hints(type(value), include_extras=True)
        parts = [(f"{path}.{name}", getattr(value, name), hints[name]) for name in value.__struct_fields__]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{at}]", item, type(item)) for at, item in enumerate(value) if isinstance(item, Struct)]
    for inner, part, its_kind in parts:
        found = _misfit(part, its_kind, inner)
        if found is not None:
            return found
    try:
        msgspec.convert(msgspec.to_builtins(value, builtin_types=(bytes,)), kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        return BadForm(field=path + place.rstrip("`"), reason=reason)
    return None


def named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, for a parser's `object_pairs_hook`; raises `ValueError` for a name given twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a field twice")
    return found


def is_deeper(raw: bytes, maximum: int) -> bool:
    """Whether JSON nests deeper than a bound: asked before decoding, which needs a frame of the stack for each level.

    Of bytes that are no JSON it says what it sees; decoding refuses them.
    """
    depth = 0
    for found in _BRACKETS.finditer(raw):
        if found[0] in {b"[", b"{"}:
            depth += 1
            if depth > maximum:
                return True
        elif found[0] in {b"]", b"}"}:
            depth -= 1
    return False


def _unwrap(kind: types.Type) -> tuple[types.Type, str]:
    """The bare kind and how its values are written."""
    form = ""
    while isinstance(kind, types.Metadata):
        form = (kind.extra or {}).get("form", form)
        kind = kind.type
    return kind, form


_PLAIN: dict[type, type[types.Type]] = {
    bytes: types.BytesType,
    bool: types.BoolType,
    int: types.IntType,
    str: types.StrType,
}


def _alternative(kind: types.UnionType, value: Any) -> types.Type:  # noqa: ANN401
    """The alternative that a value is of; msgspec allows one of a kind, structs aside (which tell themselves)."""
    wanted = _PLAIN.get(type(value))
    found = [each for each in kind.types if wanted is not None and isinstance(_unwrap(each)[0], wanted)]
    if not found and isinstance(value, list | tuple):
        sequences = (types.ListType, types.VarTupleType, types.TupleType)
        found = [each for each in kind.types if isinstance(_unwrap(each)[0], sequences)]
    return found[0] if found else types.AnyType()


def _write(value: Any, kind: types.Type, prefix: str) -> Any:  # noqa: ANN401, PLR0911 - one case a kind
    kind, form = _unwrap(kind)
    if isinstance(kind, types.UnionType):
        kind, form = _unwrap(_alternative(kind, value))
    if value is None:
        return None
    if isinstance(value, bytes):
        return addresses.encode(prefix, value) if form == "address" else value.hex()
    if isinstance(value, Struct):
        return _write_struct(value, prefix)
    if form == "amount":
        return str(value)
    if form == "day":
        return days.iso(value)
    if isinstance(kind, types.ListType | types.VarTupleType):
        return [_write(item, kind.item_type, prefix) for item in value]
    if isinstance(kind, types.TupleType):
        return [_write(item, each, prefix) for item, each in zip(value, kind.item_types, strict=True)]
    if isinstance(value, list | tuple):
        return [_write(item, types.AnyType(), prefix) for item in value]
    return value


def _write_struct(value: Struct, prefix: str) -> dict[str, Any]:
    kind = type(value)
    described = _type_of(kind)
    out: dict[str, Any] = {} if kind.__struct_config__.tag is None else {"type": kind.__struct_config__.tag}
    if isinstance(described, types.StructType):
        out |= {f.name: _write(getattr(value, f.name), f.type, prefix) for f in described.fields}
    return out


def _read(form: Any, kind: types.Type, prefix: str, path: str) -> Any:  # noqa: ANN401, C901, PLR0911 - one case a kind
    kind, shape = _unwrap(kind)
    if isinstance(kind, types.UnionType):
        return _read_union(form, kind, prefix, path)
    if isinstance(kind, types.StructType):
        return _read_struct(form, kind, prefix, path)
    if isinstance(kind, types.NoneType):
        return _expect(form is None, None, path, "null expected")
    if isinstance(kind, types.BytesType):
        return _read_bytes(form, shape, prefix, path)
    if shape == "amount":
        fits = isinstance(form, str) and _AMOUNT.fullmatch(form) is not None
        return int(_expect(fits, form, path, "an amount is a string of digits"))
    if shape == "day":
        return _read_day(form, path)
    if isinstance(kind, types.ListType | types.VarTupleType):
        items = _expect(isinstance(form, list), form, path, "a list expected")
        read = [_read(item, kind.item_type, prefix, f"{path}[{i}]") for i, item in enumerate(items)]
        return tuple(read) if isinstance(kind, types.VarTupleType) else read
    if isinstance(kind, types.TupleType):
        fits = isinstance(form, list) and len(form) == len(kind.item_types)
        items = _expect(fits, form, path, f"a list of {len(kind.item_types)} expected")
        pairs = zip(items, kind.item_types, strict=True)
        return tuple(_read(item, each, prefix, f"{path}[{i}]") for i, (item, each) in enumerate(pairs))
    if isinstance(kind, types.IntType):
        return _expect(isinstance(form, int) and not isinstance(form, bool), form, path, "an integer expected")
    if isinstance(kind, types.BoolType):
        return _expect(isinstance(form, bool), form, path, "true or false expected")
    if isinstance(kind, types.EnumType):
        allowed = [each.value for each in kind.cls]
        return _expect(form in allowed, form, path, f"one of {', '.join(map(str, allowed))} expected")
    return _expect(isinstance(form, str), form, path, "text expected")


def _expect(fits: bool, value: Any, path: str, reason: str) -> Any:  # noqa: ANN401, FBT001 - an assertion helper
    if not fits:
        raise BadForm(field=path, reason=reason)
    return value


def _read_day(form: Any, path: str) -> int:  # noqa: ANN401
    try:
        return days.parse_iso(_expect(isinstance(form, str), form, path, "a date is YYYY-MM-DD"))
    except BadForm as error:
        raise BadForm(field=path, reason=error.reason) from None


def _read_bytes(form: Any, shape: str, prefix: str, path: str) -> bytes:  # noqa: ANN401
    text = _expect(isinstance(form, str), form, path, "text expected")
    if shape == "address":
        try:
            return addresses.decode(prefix, text)
        except ValueError as error:
            raise BadForm(field=path, reason=str(error)) from None
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise BadForm(field=path, reason="lower-case hex expected") from None
    return bytes(_expect(raw.hex() == text, raw, path, "lower-case hex expected"))


def _read_struct(form: Any, kind: types.StructType, prefix: str, path: str) -> Any:  # noqa: ANN401
    given = dict(_expect(isinstance(form, dict), form, path, "an object expected"))
    if kind.tag is not None:
        tag = given.pop("type", kind.tag)
        _expect(tag == kind.tag, tag, f"{path}.type", f"{kind.tag} expected")
    values = {}
    for field in kind.fields:
        if field.name in given:
            values[field.name] = _read(given.pop(field.name), field.type, prefix, f"{path}.{field.name}")
        elif field.required:
            raise BadForm(field=f"{path}.{field.name}", reason="missing")
    _expect(not given, given, path, f"unknown: {', '.join(sorted(map(str, given)))}")
    return kind.cls(**values)


def _read_union(form: Any, kind: types.UnionType, prefix: str, path: str) -> Any:  # noqa: ANN401
    structs = [each for each in kind.types if isinstance(each, types.StructType)]
    if isinstance(form, dict) and structs:
        tag = form.get("type")
        for struct in structs:
            if struct.tag == tag or len(structs) == 1:
                return _read_struct(form, struct, prefix, path)
        raise BadForm(field=f"{path}.type", reason=f"one of {', '.join(str(s.tag) for s in structs)} expected")
    last = BadForm(field=path, reason="fits none of the alternatives")
    for each in kind.types:
        try:
            return _read(form, each, prefix, path)
        except BadForm as error:
            last = error
    raise last


def json_schema(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    """JSON Schema 2020-12 of the form that `from_json` reads."""
    return _schema(_type_of(kind))


_FORMS = {
    "address": {"type": "string", "pattern": "^[a-z]{2,8}1[02-9ac-hj-np-z]{38}$"},
    "amount": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"},
    "day": {"type": "string", "format": "date"},
}


def _schema(kind: types.Type) -> dict[str, Any]:  # noqa: PLR0911 - one case a kind
    if isinstance(kind, types.Metadata):
        # Where values are written otherwise than they are kept (an address is text), the bounds are of that form too.
        written = _FORMS.get((kind.extra or {}).get("form", ""))
        return {**(written or _schema(kind.type)), **(kind.extra_json_schema or {})}
    if isinstance(kind, types.StructType):
        properties: dict[str, Any] = {"type": {"const": kind.tag}} if kind.tag is not None else {}
        properties |= {f.name: _schema(f.type) for f in kind.fields}
        needed = [f.name for f in kind.fields if f.required]
        return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    if isinstance(kind, types.UnionType):
        return {"anyOf": [_schema(each) for each in kind.types]}
    if isinstance(kind, types.ListType | types.VarTupleType):
        return {"type": "array", "items": _schema(kind.item_type), **_bounds(kind, _ITEMS)}
    if isinstance(kind, types.TupleType):
        return {"type": "array", "prefixItems": [_schema(each) for each in kind.item_types], "items": False}
    if isinstance(kind, types.BytesType):
        digits = {name: 2 * bound for name, bound in _bounds(kind, _LENGTH).items()}
        return {"type": "string", "pattern": "^([0-9a-f]{2})*$", **digits}
    if isinstance(kind, types.EnumType):
        return {"enum": [each.value for each in kind.cls]}
    if isinstance(kind, types.LiteralType):
        return {"enum": list(kind.values)}
    if isinstance(kind, types.NoneType):
        return {"type": "null"}
    name = _SCHEMA_NAMES.get(type(kind))
    return {"type": name, **_bounds(kind, _RANGE), **_bounds(kind, _LENGTH)} if name else {}


def _bounds(kind: types.Type, names: dict[str, str]) -> dict[str, Any]:
    """The bounds of a type under their names in JSON Schema."""
    found = {word: getattr(kind, name, None) for name, word in names.items()}
    told = {word: bound for word, bound in found.items() if bound is not None}
    if "pattern" in told:  # the ends of a text, as JSON Schema spells them
        told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    return told


_RANGE = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
_LENGTH = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_ITEMS = {"min_length": "minItems", "max_length": "maxItems"}


_SCHEMA_NAMES: dict[type[types.Type], str] = {
    types.IntType: "integer",
    types.BoolType: "boolean",
    types.StrType: "string",
}


def field_types(kind: type[Struct]) -> dict[str, Any]:
    """Field name → annotation with its metadata."""
    hints = get_type_hints(kind, include_extras=True)
    return {f.name: hints[f.name] for f in msgspec.structs.fields(kind)}
