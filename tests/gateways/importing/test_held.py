"""What rows are known by, and who holds it until the index tells."""

from collections.abc import Iterator

import pytest

from kerege.gateways.extracts import births
from kerege.gateways.extracts.held import Held
from kerege.gateways.extracts.index import Index
from kerege.gateways.extracts.reader import open_extract
from kerege.gateways.extracts.row import Row
from tests.gateways.importing.desk import ImportDesk, rows_of


@pytest.fixture
def held(desk: ImportDesk) -> Iterator[Held]:
    controller, door = desk.workplace.controller, desk.workplace.ledger.door
    with (
        Index(desk.home.path / "index") as index,
        Held(index, 1, controller.imports, controller, door, lambda _: None) as made,
    ):
        yield made


def read(desk: ImportDesk, first: int, last: int) -> list[Row]:
    return list(open_extract(desk.write("a.csv", rows_of(first, last)), desk.workplace.pack.extracts).rows())


@pytest.mark.parametrize("renewing", [False, True])
def test_while_keys_are_renewed_a_row_brings_those_of_both_epochs(
    desk: ImportDesk, held: Held, monkeypatch: pytest.MonkeyPatch, renewing: bool
) -> None:
    keys = desk.workplace.controller.uniqueness
    newest = keys.rotate()
    monkeypatch.setattr(desk.workplace.controller.ledger, "key_epoch", lambda _: (newest, renewing))
    rows = read(desk, 1, 3)
    chunk = held.enter(rows)
    assert chunk.epoch == newest
    for row in rows:
        expected = [
            tuple(keys.key(births.REGISTRY, *parts, version=epoch) for parts in births.unique_parts(row))
            for epoch in ([newest, newest - 1] if renewing else [newest])
        ]
        assert list(chunk.names[row.number].unique) == expected
    assert len({name for names in chunk.names.values() for name in (names.pin, names.act)}) == 2 * len(rows)


def test_rows_are_held_in_memory_until_the_index_has_them(desk: ImportDesk, held: Held) -> None:
    rows = read(desk, 1, 4)
    chunk = held.enter(rows)
    held.turn_to(chunk, 1)
    for row in rows[:3]:
        held.accept(row)
    held.turn_to(chunk, 3)  # rows 1 and 2 are in the index, where this chunk was not looked up
    for holder in (held.pin_holder, held.act_holder):
        places = [holder(row) for row in rows]
        assert [place and place.row for place in places] == [None, None, 3, None]
