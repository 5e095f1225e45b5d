"""Values in memory: both twins lay out keys, refuse them and tell what a transaction changed, in the same way."""

import pytest

from kerege.kernel.cells import native_present
from kerege.kernel.state import State
from kerege.kernel.tables import Bound, Table
from kerege.kernel.types import Address, Count
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area

KINDS = ["plain", "native"] if native_present() else ["plain"]
NUMBERS = Table[tuple[str, int], int]("toy.number", key=(str, Count), value=int, doc="Numbers.")
OTHERS = Table[tuple[str, int], int]("toy.numbers", key=(str, Count), value=int, doc="A name that begins alike.")
SENDERS = Table[bytes, int]("toy.sender", key=Address, value=int, doc="By address.")
HOLDINGS = Table[tuple[bytes, str], int]("toy.holding", key=(Address, str), value=int, doc="By address and text.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("table", "good", "bad"),
    [
        (SENDERS, b"a" * 20, [b"a" * 19, "a" * 20, None, bytearray(20)]),
        (
            HOLDINGS,
            (b"a" * 20, "я" * 100),
            [(b"a" * 21, "KGS"), (b"a" * 20, "a\0b"), (b"a" * 20, "\ud800"), (b"a" * 20,)],
        ),
    ],
)
def test_a_key_is_encoded_by_its_table_s_layout_or_refused(kind, table, good, bad):
    state = State(MemoryStore().area(Area.STATE), kind=kind)
    column = state.column(table)
    column.put(good, 7)
    assert list(state.cells.changes) == [table.encode_key(good)]
    assert column.find(good) == 7
    for key in bad:
        try:
            raw = table.encode_key(key)
        except Exception as refusal:  # noqa: BLE001 - whatever it is: both twins refuse with the same
            with pytest.raises(type(refusal)):
                column.find(key)
        else:
            assert raw not in state.cells.changes
            assert column.find(key) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_differences_of_a_transaction_are_told_once_a_key(kind):
    state = State(MemoryStore().area(Area.STATE), kind=kind)
    bound = Bound(NUMBERS, state)
    bound.put(("a", 1), 1)
    bound.put(("a", 2), 2)
    state.begin_transaction()
    bound.put(("a", 2), 3)
    bound.put(("a", 1), 4)
    bound.put(("a", 2), 5)
    Bound(OTHERS, state).put(("a", 1), 6)
    first, second = (NUMBERS.encode_key(("a", n)) for n in (1, 2))
    assert state.cells.differences({NUMBERS.name: []}) == {NUMBERS.name: [(second, 2, 5), (first, 1, 4)]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_met_again_is_laid_out_and_refused_as_the_first_time(kind):
    state = State(MemoryStore().area(Area.STATE), kind=kind)
    address, code = b"a" * 20, "KGS"
    senders, holdings = state.column(SENDERS), state.column(HOLDINGS)
    senders.put(address, 1)
    holdings.put((address, code), 2)
    assert (senders.find(address), holdings.find((address, code))) == (1, 2)
    with pytest.raises((TypeError, ValueError)):
        senders.find((address, address))
    assert holdings.find((address, "USD")) is None
    assert state.cells.touched == {SENDERS.name, HOLDINGS.name}
