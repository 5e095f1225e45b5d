"""An export holds all of the state, readable, and gives the same root where it is read again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kerege.consensus.trees import open_trees
from kerege.kernel.codec import encode
from kerege.kernel.errors import BadForm
from kerege.kernel.export import export_row, import_row
from kerege.kernel.module import Modules
from kerege.kernel.tables import Table
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch
from tests.kernel import toy
from tests.kernel.bench import PREFIX, Bench, address


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench()
    for number in range(5):
        bench.one("alice", toy.Pay(address("bob"), "KGS", number + 1), toy.Note("имя", 3, "текст\n"))
        bench.one("carol", toy.Later(10**15, bytes([number]) * 16, address("erlan"), 5))
        bench.one("bob", toy.Issue(bytes([number]) * 16, b"b" * 16))
    return bench


def lines_of(bench):
    return [json.dumps(export_row(toy.MODULES, k, v, PREFIX), ensure_ascii=False) for k, v in bench.state().items()]


def test_every_row_comes_back_and_the_root_is_the_same(bench):
    lines, store, batch = lines_of(bench), MemoryStore(), Batch()
    for line in reversed(lines):
        batch.put(Area.STATE, *import_row(toy.MODULES, json.loads(line), PREFIX))
    for area in (Area.META, Area.LOG, Area.BLOCKS):
        batch.update(area, dict(bench.store.scan(area)))
    store.write(batch)
    assert dict(store.scan(Area.STATE)) == bench.state()
    head = bench.head
    trees = open_trees(toy.MODULES, store, head, None, lambda *_: None)
    assert [tree.root for tree in trees] == head.module_roots
    imported = Bench(store, trees=trees)
    imported.sequences, imported.salts = dict(bench.sequences), bench.salts
    raw = bench.tx("alice", toy.Pay(address("bob"), "KGS", 1))
    assert imported.run(raw).head == bench.run(raw).head, "the ledger goes on from the import"


def test_rows_are_readable(bench):
    rows_by_table: dict[str, list[dict[str, Any]]] = {}
    for line in lines_of(bench):
        row = json.loads(line)
        rows_by_table.setdefault(row["table"], []).append(row)
    note = rows_by_table["purse.note"][0]
    assert note == {"table": "purse.note", "key": ["имя", 0], "schema": 1, "value": "текст\n"}
    balance = rows_by_table["purse.balance"][0]
    assert balance["key"][0].startswith("kg1")
    assert balance["value"].isdigit()
    assert rows_by_table["registries.certificate"][0]["value"]["blind"] == b"b".hex() * 16


@pytest.mark.parametrize(
    "changed",
    [
        {"table": "purse.nothing"},
        {"key": ["x"]},
        {"key": ["x", "0"]},
        {"key": "x"},
        {"key": ["x\0", 0]},
        {"value": 5},
        {"schema": 2},
        {"extra": 1},
    ],
)
def test_a_row_that_does_not_fit_is_refused(changed):
    row = {"table": "purse.note", "key": ["x", 0], "schema": 1, "value": "y"}
    assert import_row(toy.MODULES, row, PREFIX) == (toy.NOTES.encode_key(("x", 0)), b"\1" + encode("y"))
    with pytest.raises((BadForm, ValueError)):
        import_row(toy.MODULES, {**row, **changed}, PREFIX)


def test_rows_of_an_older_schema_stay_as_they_were():
    """Else an import would give another root than the ledger has."""
    table = Table[str, int]("purse.note", key=str, value=int, doc="", schema=2, upcasts={1: (str, len)})
    modules = Modules((replace(toy.PURSE_MODULE, tables=(table,), invariants=(), genesis=None, load=None),))
    for stored in (b"\1" + encode("text"), b"\2" + encode(4)):
        row = export_row(modules, table.encode_key("k"), stored, PREFIX)
        assert row["schema"] == stored[0]
        assert import_row(modules, json.loads(json.dumps(row)), PREFIX) == (table.encode_key("k"), stored)
