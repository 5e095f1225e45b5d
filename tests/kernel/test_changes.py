"""What a block changed: both twins leave out the same, tell the same differences and write the same bytes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from kerege.kernel import changes
from kerege.kernel.cells import native_present
from kerege.kernel.tables import Table
from kerege.kernel.types import Address

pytestmark = pytest.mark.skipif(not native_present(), reason="kerege_native is not installed")


class Row(Struct, frozen=True, array_like=True):
    """A row of several fields."""

    name: str
    numbers: tuple[int, ...]


AMOUNTS = Table[bytes, int]("one.amount", key=Address, value=int, doc="Numbers.")
ROWS = Table[bytes, Row](
    "two.row", key=Address, value=Row, schema=2, upcasts={1: (int, lambda n: Row("", (n,)))}, doc="Rows."
)
FLAGS = Table[bytes, bool]("two.flag", key=Address, value=bool, doc="Flags.")
POSITION = {"one": 0, "two": 1}

NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.sampled_from([0, 127, 128, 255, 256, 65_535, 65_536, 2**32]))
VALUES = {
    AMOUNTS: NUMBERS,
    ROWS: st.builds(Row, st.text(max_size=3), st.lists(NUMBERS, max_size=3).map(tuple)),
    FLAGS: st.booleans(),
}


@st.composite
def items(draw):
    found = {}
    for number in range(draw(st.integers(0, 12))):
        table = draw(st.sampled_from(list(VALUES)))
        value = st.none() | VALUES[table]
        key = draw(st.binary(min_size=20, max_size=20))
        found[table.encode_key(key[:19] + bytes([number]))] = [table, draw(value), draw(value)]
    return found


@given(items(), st.sets(st.sampled_from([AMOUNTS.name, ROWS.name, FLAGS.name])))
def test_both_twins_settle_alike(made, watched):
    plain, native = dict(made), dict(made)
    names = dict.fromkeys(watched)
    assert changes.settle_plain(plain, names) == changes.settle_native(native, names)
    assert list(plain.items()) == list(native.items())
    assert all(before != now for _, before, now in native.values())


@given(items(), st.data())
def test_both_twins_encode_alike(made, data):
    outdated = {key: b"\x01old" for key in made if data.draw(st.booleans())}
    plain = changes.encode_changes_plain(made, outdated, POSITION)
    assert changes.encode_changes_native(made, outdated, POSITION) == plain
    assert list(plain[0]) == sorted(made)
    stored = {key: raw for key, raw in plain[0].items() if raw is not None}
    assert all(made[key][0].decode_value(raw) == made[key][2] for key, raw in stored.items())


def test_what_has_no_form_is_refused_by_both_alike():
    made = {AMOUNTS.encode_key(bytes(20)): [AMOUNTS, None, 2**64]}
    for encode in (changes.encode_changes_plain, changes.encode_changes_native):
        with pytest.raises((OverflowError, msgspec.EncodeError)):
            encode(made, {}, POSITION)


def test_the_undo_row_of_many_and_of_large_values_is_told_alike():
    made = {
        ROWS.encode_key(number.to_bytes(20, "big")): [ROWS, Row("x" * size, ()), None]
        for number, size in enumerate([0, 1, 200, 250, 300, 65_535, 70_000] * 10_000)
        if number < 7 or size == 1
    }
    for some in (dict(list(made.items())[:size]) for size in (0, 1, 15, 16, len(made))):
        plain = changes.encode_changes_plain(some, {}, POSITION)
        assert changes.encode_changes_native(some, {}, POSITION) == plain
