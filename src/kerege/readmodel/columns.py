"""A ledger type as SQL columns: numbers, texts, bytes and flags stand as they are, what has parts as JSON."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import inspect
from sqlalchemy import BigInteger, Boolean, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from kerege.kernel.forms import to_json

Write = Callable[[Any], Any]
"""A value of the ledger → what the database driver is given."""

_PLAIN: dict[type[inspect.Type], type[TypeEngine[Any]]] = {
    inspect.IntType: BigInteger,
    inspect.StrType: Text,
    inspect.BytesType: LargeBinary,
    inspect.BoolType: Boolean,
}


@dataclass(frozen=True, slots=True)
class Form:
    """How values of one type stand in a column."""

    type: TypeEngine[Any]
    nullable: bool
    write: Write | None
    """None: the value goes to the driver as it is."""


def form_of(kind: Any, prefix: str) -> Form:  # noqa: ANN401 - any annotation
    """The form of a value of an annotated type; `prefix` is the nation's for addresses in JSON."""
    bare, nullable = _bare(inspect.type_info(kind))
    plain = _PLAIN.get(type(bare))
    if plain is not None:
        return Form(plain(), nullable, None)
    if isinstance(bare, inspect.EnumType):
        kind_of_enum = BigInteger() if issubclass(bare.cls, int) else Text()
        return Form(kind_of_enum, nullable, _write_optional_enum if nullable else _write_enum)

    def write_json(value: Any) -> str | None:  # noqa: ANN401
        return None if value is None else msgspec.json.encode(to_json(value, kind, prefix), order="sorted").decode()

    return Form(Text(), nullable, write_json)


def _bare(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """The kind without its bounds and without None, and whether None was among it."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    nullable = len(others) < len(kind.types)
    return (_bare(others[0])[0], nullable) if len(others) == 1 else (kind, nullable)


_write_enum = attrgetter("_value_")
"""What `value` of a member is, without the descriptor in between: every row of a record goes through it."""


def _write_optional_enum(value: enum.Enum | None) -> Any:  # noqa: ANN401 - the member's own value
    return None if value is None else value.value
