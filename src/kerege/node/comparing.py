"""Two homes compared: what `kerege diff-state` tells, readable without knowing the layout of the state."""

from contextlib import ExitStack
from typing import Any

from kerege.consensus.divergence import Comparison, Incomparable, Row, compare
from kerege.consensus.past import TooOld
from kerege.kernel.export import export_row
from kerege.kernel.module import Modules
from kerege.node.home import Home, HomeError
from kerege.node.ledger import open_reader


def compare_homes(one: Home, other: Home, height: int | None, limit: int) -> dict[str, Any]:
    """Where their ledgers part, as a form for JSON; raises `HomeError` and what stores raise."""
    prefix = one.read_about()["prefix"]
    with ExitStack() as stack:
        modules, first = open_reader(one)
        stack.callback(first.close)
        _, second = open_reader(other)
        stack.callback(second.close)
        try:
            return _told(compare(first, second, modules, height=height, limit=limit), modules, prefix)
        except (Incomparable, TooOld) as reason:
            sentence = f"{one.path} and {other.path} cannot be compared: {reason}."
            raise HomeError(sentence) from None


def _told(found: Comparison, modules: Modules, prefix: str) -> dict[str, Any]:
    first, second = found.heads
    roots = zip(modules.names, first.module_roots, second.module_roots, strict=True)
    return {
        "equal": found.equal,
        "height": found.height,
        "app_hash": {"one": first.app_hash.hex(), "other": second.app_hash.hex()},
        "first_different_block": found.first,
        "oldest_common_block": found.oldest,
        "module_roots": {
            name: {"one": one.hex(), "other": other.hex()} for name, one, other in roots if name in found.modules
        },
        "rows": [_row(row, modules, prefix) for row in found.rows],
        "more": found.more,
    }


def _row(row: Row, modules: Modules, prefix: str) -> dict[str, Any]:
    key, one, other = row
    name, _, rest = key.partition(b"\0")
    table = name.decode(errors="replace")
    forms = [_form(key, stored, modules, prefix) for stored in (one, other)]
    told = next((form["key"] for form in forms if form is not None and "key" in form), [rest.hex()])
    values = [None if form is None else form["value"] for form in forms]
    return {"module": table.partition(".")[0], "table": table, "key": told, "one": values[0], "other": values[1]}


def _form(key: bytes, stored: bytes | None, modules: Modules, prefix: str) -> dict[str, Any] | None:
    """A row as the export writes it; its bytes where they are none of the table's, as on a damaged disk."""
    if stored is None:
        return None
    try:
        return export_row(modules, key, stored, prefix)
    except (ValueError, IndexError):
        return {"value": {"bytes": stored.hex()}}
