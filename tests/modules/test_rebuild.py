"""The tables rebuilt from genesis and events equal the state, for every module; what is stored is read for ever."""

from typing import Any

import msgspec
import pytest

from kerege.kernel.codec import encode
from kerege.kernel.messages import tag_of
from kerege.kernel.module import Module
from kerege.kernel.rows import Add, Put, Remove, Set
from kerege.kernel.tables import Table
from kerege.modules import MODULES
from kerege.testing import scenario, values, vectors
from kerege.testing.ledger import Simulator

TABLES = [table for module in MODULES for table in module.tables]
EVENTS = [(module, kind) for module in MODULES for kind in module.events]
each_event = pytest.mark.parametrize(("module", "kind"), EVENTS, ids=[tag_of(kind) for _, kind in EVENTS])


@pytest.fixture(scope="module")
def story() -> tuple[dict[str, dict[Any, Any]], Simulator]:
    """The rows that the fixed scenario begins with, and the ledger at its end."""
    began: list[dict[str, dict[Any, Any]]] = []

    class Watched(Simulator):
        def write(self, values: Any) -> None:
            super().write(values)
            began.append(self.rows())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenario, "Simulator", Watched)
        ledger = scenario.tell()
    assert len(began) == 1, "one setting, then transactions only"
    return began[0], ledger


def test_tables_rebuilt_from_events_equal_the_state(story):
    tables, ledger = story
    for event in ledger.events():
        for row in ledger.modules.projections[type(event)](event):
            vectors.apply_row(tables, row)
    assert tables == ledger.rows()
    assert ledger.machine.full_invariants() == []
    told = {tag_of(type(event)).partition(".")[0] for event in ledger.events()}
    assert told >= {"accounts", "authority", "policy", "bank", "disclosure"}


@each_event
def test_every_event_tells_rows_of_its_own_module(module: Module, kind: type[Any]) -> None:
    """A projection exists, names the module's own tables, and none that is derived."""
    rows = module.projections[kind](values.smallest(kind))
    names = {table.name: table for table in module.tables}
    assert all(isinstance(row, Put | Add | Set | Remove) for row in rows)
    assert [row.table for row in rows if row.table not in names or names[row.table].derived] == []
    for row in rows:
        names[row.table].encode_key(row.key)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_stored_value_is_read_as_it_was_written(table: Table[Any, Any]) -> None:
    """One schema byte and canonical bytes; every schema that ever was can still be read."""
    value = values.smallest(table.value)
    raw = table.encode_value(value)
    assert raw[0] == table.schema
    assert table.decode_value(raw) == value
    assert raw[1:] == encode(msgspec.msgpack.decode(raw[1:], type=table.value))
    for schema in range(1, table.schema):
        old = table.encode_stored(schema, values.smallest(table.type_of(schema)))
        assert table.encode_value(table.decode_value(old))[0] == table.schema
    key = tuple(values.smallest(part) for part in table.key) if table.composite else values.smallest(table.key)
    assert table.decode_key(table.encode_key(key)) == key
