"""Rows of the ledger for people: times as dates, each part of a list on a line of its own."""

from typing import Any, get_args, get_type_hints

from msgspec import Struct

from kerege.cli.output import when
from kerege.kernel.forms import to_json
from kerege.kernel.types import Time


def for_people(row: Struct, prefix: str) -> dict[str, Any]:
    """A row by its fields; what is no time and no part stays as it is in JSON."""
    form: dict[str, Any] = to_json(row, type(row), prefix)
    hints = get_type_hints(type(row), include_extras=True)
    return form | {name: _told(getattr(row, name), hints[name], form[name], prefix) for name in row.__struct_fields__}


def _told(value: Any, hint: Any, form: Any, prefix: str) -> Any:  # noqa: ANN401 - a value of any field
    if isinstance(value, int) and Time in (hint, *get_args(hint)):
        return when(value)
    if isinstance(value, Struct):
        return _line(value, prefix)
    if isinstance(value, list) and value and isinstance(value[0], Struct):
        return "".join(f"\n  {_line(each, prefix)}" for each in value)
    return form


def _line(part: Struct, prefix: str) -> str:
    """A part in one line, without what it has not: sixteen zero bytes are no appointment."""
    fields = for_people(part, prefix)
    return ", ".join(f"{name} {told}" for name, told in fields.items() if told not in ("", None, bytes(16).hex()))
