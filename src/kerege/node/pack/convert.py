"""Plain data to typed structs, by names: strict, and every refusal with the place in the file.

The structs of a service definition travel as arrays; people write them with names. A union of tagged structs is
written as an operator, `{"==": [left, right]}`; a day as `YYYY-MM-DD`.
"""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from kerege.kernel.days import parse_iso
from kerege.kernel.errors import BadForm
from kerege.node.pack.errors import BadDate, KeyMissing, KeyUnknown, WrongValue
from kerege.node.pack.sources import Document, Path_

T = TypeVar("T", bound=Struct)
Defaults = Mapping[type[Struct], Mapping[str, Any]]
"""Per struct, what an absent key stands for, as plain data."""

_HINTS: dict[type[Struct], dict[str, Any]] = {}


def convert(kind: type[T], document: Document, path: Path_, data: object, defaults: Defaults) -> T:
    """The struct that the data at `path` of the document describes.

    Raises `KeyUnknown`, `KeyMissing`, `WrongValue`, `BadDate`.
    """
    return _Converter(document, defaults).struct(kind, data, path)


class _Converter:
    def __init__(self, document: Document, defaults: Defaults) -> None:
        self._document = document
        self._defaults = defaults

    def struct(self, kind: type[T], data: object, path: Path_) -> T:
        """A struct from a mapping with exactly its fields' names."""
        if not isinstance(data, dict):
            raise self._wrong(path, f"a mapping with {', '.join(kind.__struct_fields__)}", data)
        for key in data:
            if key not in kind.__struct_fields__:
                raise KeyUnknown(self._document.file, self._document.where((*path, key)), key)
        defaults = self._defaults.get(kind, {})
        hints = _hints_of(kind)
        values = {}
        for name in kind.__struct_fields__:
            if name not in data and name not in defaults:
                raise KeyMissing(self._document.file, self._document.where(path), name)
            values[name] = self._value(hints[name], data.get(name, defaults.get(name)), (*path, name))
        return kind(**values)

    def _value(self, annotation: Any, data: object, path: Path_) -> Any:  # noqa: ANN401 - one return per kind
        origin = get_origin(annotation)
        if origin is Annotated:
            return self._annotated(annotation, data, path)
        if origin in {Union, types.UnionType}:
            return self._union(annotation, data, path)
        if origin is tuple:
            if not isinstance(data, list):
                raise self._wrong(path, "a list", data)
            inner = get_args(annotation)[0]
            return tuple(self._value(inner, item, (*path, place)) for place, item in enumerate(data))
        if isinstance(annotation, type) and issubclass(annotation, Struct):
            if annotation.__struct_config__.tag is not None:
                return self._operator((annotation,), data, path)
            return self.struct(annotation, data, path)
        return self._leaf(annotation, data, path)

    def _annotated(self, annotation: Any, data: object, path: Path_) -> Any:  # noqa: ANN401
        base, *metas = get_args(annotation)
        form = next((meta.extra.get("form") for meta in metas if isinstance(meta, Meta) and meta.extra), None)
        if form == "day":
            return self._day(data, path)
        if get_origin(base) is tuple:
            for meta in metas:
                self._check_length(meta, data, path)
            return self._value(base, data, path)
        return self._leaf(annotation, data, path)

    def _check_length(self, meta: Any, data: object, path: Path_) -> None:  # noqa: ANN401
        if not isinstance(data, list):
            raise self._wrong(path, "a list", data)
        if meta.min_length is not None and len(data) < meta.min_length:
            raise self._wrong(path, f"at least {meta.min_length} entries", data)
        if meta.max_length is not None and len(data) > meta.max_length:
            raise self._wrong(path, f"at most {meta.max_length} entries", len(data))

    def _union(self, annotation: Any, data: object, path: Path_) -> Any:  # noqa: ANN401
        options = get_args(annotation)
        if data is None and type(None) in options:
            return None
        tagged = tuple(option for option in options if isinstance(option, type) and issubclass(option, Struct))
        if tagged and isinstance(data, dict):
            return self._operator(tagged, data, path)
        rest = [option for option in options if option not in tagged and option is not type(None)]
        if len(rest) == 1 and not tagged:
            return self._value(rest[0], data, path)
        for option in rest:
            if _may_be(option, data):
                return self._value(option, data, path)
        raise self._wrong(path, _told(annotation), data)

    def _operator(self, options: tuple[type[Struct], ...], data: object, path: Path_) -> Struct:
        """`{"==": [a, b]}`: the one key is the tag, its value the fields in order."""
        tags = {option.__struct_config__.tag: option for option in options}
        if not isinstance(data, dict) or len(data) != 1:
            raise self._wrong(path, f"one of {', '.join(map(str, tags))}", data)
        ((tag, arguments),) = data.items()
        kind = tags.get(tag)
        if kind is None:
            raise KeyUnknown(self._document.file, self._document.where((*path, tag)), tag)
        hints = _hints_of(kind)
        names = kind.__struct_fields__
        if len(names) == 1:
            return kind(self._value(hints[names[0]], arguments, (*path, tag)))
        if not isinstance(arguments, list) or len(arguments) != len(names):
            raise self._wrong((*path, tag), f"a list of {len(names)}: {', '.join(names)}", arguments)
        parts = zip(names, arguments, strict=True)
        return kind(*(self._value(hints[name], part, (*path, tag, at)) for at, (name, part) in enumerate(parts)))

    def _day(self, data: object, path: Path_) -> int:
        if not isinstance(data, str):
            raise BadDate(self._document.file, self._document.where(path), data)
        try:
            return parse_iso(data)
        except BadForm as error:
            raise BadDate(self._document.file, self._document.where(path), data) from error

    def _leaf(self, annotation: Any, data: object, path: Path_) -> Any:  # noqa: ANN401
        try:
            return msgspec.convert(data, annotation, strict=True)
        except msgspec.ValidationError as error:
            raise WrongValue(self._document.file, self._document.where(path), error) from error

    def _wrong(self, path: Path_, needed: str, data: object) -> WrongValue:
        return WrongValue(self._document.file, self._document.where(path), f"needs {needed}, has {data!r}")


def _hints_of(kind: type[Struct]) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind, include_extras=True)
    return _HINTS[kind]


def _may_be(annotation: Any, data: object) -> bool:  # noqa: ANN401
    """Whether plain data can be of a simple annotation at all: picks the member of a union."""
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(base) is Literal:
        return data in get_args(base)
    if get_origin(base) is tuple:
        return isinstance(data, list)
    form = next((m.extra.get("form") for m in getattr(annotation, "__metadata__", ()) if getattr(m, "extra", None)), "")
    if form == "day":
        return isinstance(data, str)
    return isinstance(base, type) and type(data) is base


def _told(annotation: Any) -> str:  # noqa: ANN401
    names = (getattr(option, "__name__", str(option)) for option in get_args(annotation))
    return " or ".join(sorted(names))
