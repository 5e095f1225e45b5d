"""Folded rows do what the same rows do one by one."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

from kerege.kernel.rows import Add, Put, Remove, Set
from kerege.readmodel.folding import Folded, fold


class Pair(Struct, frozen=True):
    left: int
    right: int


keys = st.sampled_from([b"a", b"b", b"c"])
numbers = st.one_of(
    st.builds(Put, st.just("number"), keys, st.integers(0, 9)),
    st.builds(Add, st.just("number"), keys, st.integers(-9, 9)),
    st.builds(Remove, st.just("number"), keys),
)
pairs = st.one_of(
    st.builds(Put, st.just("pair"), keys, st.builds(Pair, st.integers(0, 9), st.integers(0, 9))),
    st.builds(Set, st.just("pair"), keys, st.dictionaries(st.sampled_from(["left", "right"]), st.integers(0, 9))),
    st.builds(Remove, st.just("pair"), keys),
)


def apply(tables, rows):
    for row in rows:
        held = tables[row.table]
        match row:
            case Put(_, key, value):
                held[key] = value
            case Add(_, key, delta):
                held[key] = held.get(key, 0) + delta
            case Set(_, key, fields):
                if key in held:  # as an UPDATE of a row that is not there
                    held[key] = structs.replace(held[key], **fields)
            case Remove(_, key):
                held.pop(key, None)


def begun():
    return {"number": {b"a": 5}, "pair": {b"a": Pair(1, 2), b"b": Pair(3, 4)}}


@given(st.lists(numbers, max_size=12), st.lists(pairs, max_size=12))
def test_folded_rows_come_to_the_same(some, others):
    gone = set()
    rows = []
    for row in [*some, *others]:  # no module sets fields of a row that it removed
        if isinstance(row, Remove):
            gone.add((row.table, row.key))
        elif isinstance(row, Put):
            gone.discard((row.table, row.key))
        if not (isinstance(row, Set) and (row.table, row.key) in gone):
            rows.append(row)
    one_by_one, together = begun(), begun()
    apply(one_by_one, rows)
    folded: Folded = {}
    fold(folded, rows)
    apply(together, [row for held in folded.values() for row in held.values()])
    assert together == one_by_one
    assert all(len(held) <= 3 for held in folded.values())
