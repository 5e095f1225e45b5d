"""Reads the vectors of services and plays them.

A vector is a document in `tests/vectors/services/*.yaml`, in the form of the other modules' vectors, where names stand
for accounts, ids and commitments, a date for the end of that local day, and what is left out of a message is its empty
value. Since a case is reached only by a history, `pre` is told in messages: `before` lists steps (a message with its
sender, a `wait` in days, or the name of a story from `stories.yaml`), each of which must be applied. `world` names
definitions beside the pack's, `board` says that the government dispatches the message.
"""

from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import inspect as types

from kerege.kernel.days import day_of, start_of
from kerege.kernel.messages import tag_of
from kerege.kernel.receipts import Receipt
from tests.modules.services import definitions
from tests.modules.services.world import DERIVED, MODULES, OFFSET, World, address, digest

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "vectors/services"
STORIES: dict[str, list[Any]] = yaml.safe_load((HERE / "stories.yaml").read_text(encoding="utf-8"))
KINDS = {tag_of(kind): kind for _, kind in MODULES.messages()}


def vectors() -> list[tuple[str, dict[str, Any]]]:
    """(name, vector) of every document."""
    found = []
    for path in sorted(VECTORS.glob("*.yaml")):
        for number, vector in enumerate(yaml.safe_load_all(path.read_text(encoding="utf-8"))):
            found.append((f"{path.stem}-{number}", vector))
    return found


def play(vector: dict[str, Any]) -> None:
    """Play a vector; fails where it does not come out as told."""
    unknown = set(vector) - {"about", "world", "parameters", "before", "sender", "message", "board", "refused", "post"}
    assert not unknown, unknown
    world = World(*(definitions.NAMED[name] for name in vector.get("world", [])), parameters=vector.get("parameters"))
    for step in vector.get("before", []):
        _step(world, step)
    before = _rows(world)
    receipt = _send(world, vector)
    after = _rows(world)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if "refused" in vector:
        ((code, facts),) = vector["refused"].items()
        assert receipt.code == code, (receipt.code, receipt.facts)
        told = dict(receipt.facts)
        assert {name: _plain(told[name], fact) for name, fact in facts.items()} == facts
        assert set(facts) == set(told), told
        assert not changed, changed
    else:
        assert not receipt.code, (receipt.code, receipt.facts)
        _check_post(vector["post"], after, changed)


def _step(world: World, step: Any) -> None:
    if isinstance(step, str):
        for each in STORIES[step]:
            _step(world, each)
    elif "wait" in step:
        world.wait(**step["wait"])
    else:
        receipt = _send(world, step)
        assert not receipt.code, (step, receipt.code, receipt.facts)


def _send(world: World, step: dict[str, Any]) -> Receipt:
    ((tag, form),) = step["message"].items()
    message = value_of(KINDS[tag], form or {})
    return world.govern(message) if step.get("board") else world.send(step["sender"], message)


def _rows(world: World) -> dict[tuple[str, Any], Any]:
    """Everything that stands, but what is derived and what the proposal leaves."""
    ctx = world.context()
    left_out = {*DERIVED, "authority.proposal"}
    return {
        (name, key): value
        for name, table in MODULES.tables.items()
        if name not in left_out
        for key, value in ctx.scan(table)
    }


def _check_post(post: dict[str, Any], rows: dict[tuple[str, Any], Any], changed: set[tuple[str, Any]]) -> None:
    named = set()
    for name, entries in post.items():
        table = MODULES.tables[name]
        for told, form in entries.items():
            pieces = told.split("/") if table.composite else [told]
            kinds = table.key if table.composite else (table.key,)
            parts = [value_of(kind, piece) for kind, piece in zip(kinds, pieces, strict=True)]
            key = (name, tuple(parts) if table.composite else parts[0])
            named.add(key)
            row = rows.get(key)
            if isinstance(form, dict) and isinstance(row, msgspec.Struct):
                fields = {f.name: f for f in msgspec.structs.fields(type(row))}
                for field, expected in form.items():
                    assert getattr(row, field) == value_of(fields[field].type, expected), (told, field, row)
            elif form != "present":
                assert row == (None if form is None else value_of(table.value, form)), (told, row)
    assert changed == named, changed ^ named


def _plain(value: Any, told: Any) -> Any:
    """A fact as the vector tells it: bytes are the name told, if they are its bytes."""
    if isinstance(value, bytes) and isinstance(told, str):
        return told if value in {digest(told, len(value)), address(told)} else value.hex()
    return value


def value_of(kind: Any, form: Any) -> Any:
    """The value of a form of this type: names stand for bytes."""
    return _value(kind if isinstance(kind, types.Type) else types.type_info(kind), form, "")


def _value(kind: types.Type, form: Any, shape: str) -> Any:
    if isinstance(kind, types.Metadata):
        return _value(kind.type, form, (kind.extra or {}).get("form", shape))
    if isinstance(kind, types.UnionType):
        inner = [each for each in kind.types if not isinstance(each, types.NoneType)]
        return None if form is None else _value(inner[0], form, shape)
    if isinstance(kind, types.StructType):
        return _struct(kind, dict(form))
    if isinstance(kind, types.ListType | types.VarTupleType):
        listed = [_value(kind.item_type, each, shape) for each in form]
        return tuple(listed) if isinstance(kind, types.VarTupleType) else listed
    if isinstance(kind, types.TupleType):
        return tuple(_value(each, part, shape) for each, part in zip(kind.item_types, form, strict=True))
    if isinstance(kind, types.BytesType):
        return _bytes(kind, str(form), shape)
    if isinstance(kind, types.IntType):
        return _end_of(form) if isinstance(form, date) else int(form)
    return kind.cls(form) if isinstance(kind, types.EnumType) else form


def _struct(kind: types.StructType, form: dict[str, Any]) -> Any:
    values = {}
    for field in kind.fields:
        told = form.pop(field.name) if field.name in form else _empty(field.type, field.name)
        values[field.name] = _value(field.type, told, "")
    assert not form, f"{kind.cls.__name__} has no {', '.join(form)}"
    return kind.cls(**values)


def _empty(kind: types.Type, name: str) -> Any:
    """What a field is where the vector does not speak of it."""
    while isinstance(kind, types.Metadata):
        kind = kind.type
    if isinstance(kind, types.UnionType) and any(isinstance(each, types.NoneType) for each in kind.types):
        return None
    if isinstance(kind, types.ListType | types.VarTupleType):
        return []
    if isinstance(kind, types.StrType):
        return ""
    assert isinstance(kind, types.BytesType), f"{name} is missing"
    return name


def _end_of(day: date) -> int:
    """The last millisecond of a local day: when terms end."""
    return start_of(day_of(day.year, day.month, day.day) + 1, OFFSET) - 1


def _bytes(kind: types.BytesType, form: str, shape: str) -> bytes:
    if shape == "address":
        return address(form)
    if kind.min_length is None:
        return definitions.raw(form)
    if form.startswith("hash of "):
        return sha256(digest(form.removeprefix("hash of "), kind.min_length)).digest()
    return digest(form, kind.min_length)
