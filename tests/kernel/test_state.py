"""The state against a plain dictionary: savepoints, scans over pending blocks, a small cache, older schemas."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kerege.kernel import state as states
from kerege.kernel.cells import native_present
from kerege.kernel.changes import Changes
from kerege.kernel.codec import encode
from kerege.kernel.errors import KernelFault, NotFound, WorkExceeded
from kerege.kernel.state import Fetch, State, at_once, end_of
from kerege.kernel.tables import Bound, Table
from kerege.kernel.types import Address, Count, Identifier

NUMBERS = Table[tuple[str, int], int]("toy.number", key=(str, Count), value=int, doc="Numbers.")
FEW = Table[tuple[str, int], int]("toy.number", key=(str, Count), value=int, doc="Numbers.", few=True)
OTHERS = Table[tuple[str, int], int]("toy.numbers", key=(str, Count), value=int, doc="A name that begins alike.")

KNOWN_KEYS = states.KNOWN_KEYS
KINDS = ["plain", "native"] if native_present() else ["plain"]
NAMES = st.sampled_from(["", "a", "ab", "b", "я"])
KEYS = st.tuples(NAMES, st.integers(0, 5))


def already(read):
    """A thread beside that has read at once: the earliest that it may have."""
    found = read()
    return lambda: found


class Reader:
    """Committed state as a sorted dictionary; counts what is asked of it."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.gets = 0
        self.multi_gets = 0

    def get(self, key):
        self.gets += 1
        return self.rows.get(key)

    def multi_get(self, keys):
        self.multi_gets += 1
        return [self.rows.get(key) for key in keys]

    def scan(self, start, end):
        yield from [(k, self.rows[k]) for k in sorted(self.rows) if start <= k < end]

    def apply(self, changes: Changes) -> None:
        for key, (table, _, now) in changes.items.items():
            if now is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = table.encode_value(now)


class StateAgainstADictionary(RuleBasedStateMachine):
    """Transactions with savepoints, some rolled back, some blocks discarded, the store late by some blocks."""

    @initialize(
        limit=st.sampled_from([1, 4, 1000]),
        table=st.sampled_from([NUMBERS, FEW]),
        known=st.sampled_from([0, 2, 1000]),
        kind=st.sampled_from(KINDS),
    )
    def begin(self, limit, table, known, kind):
        states.KNOWN_KEYS = known
        self.reader = Reader()
        self.state = State(self.reader, limit, kind)
        self.bound = Bound(table, self.state)
        self.model: dict[tuple[str, int], int] = {}
        self.marks: list[tuple[int, dict[tuple[str, int], int]]] = []
        self.pending: list[tuple[Changes, dict[tuple[str, int], int]]] = []
        self.block_start: dict[tuple[str, int], int] = {}
        self.fetches: list[Fetch] = []
        self.state.begin_transaction()

    def teardown(self):
        states.KNOWN_KEYS = KNOWN_KEYS

    @rule(key=KEYS, value=st.integers(0, 3))
    def put(self, key, value):
        self.bound.put(key, value)
        self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key):
        self.bound.delete(key)
        self.model.pop(key, None)

    @rule(key=KEYS)
    def read(self, key):
        assert self.bound.find(key) == self.model.get(key)
        if key not in self.model:
            with pytest.raises(NotFound):
                self.bound.get(key)

    @rule(name=NAMES, after=st.none() | st.integers(0, 5), limit=st.none() | st.integers(1, 3))
    def scan(self, name, after, limit):
        wanted = [(k, self.model[k]) for k in self.ordered() if k[0] == name and (after is None or k[1] > after)]
        found = list(self.bound.scan(name, after=None if after is None else (name, after), limit=limit))
        assert found == wanted[:limit]

    @rule(key=KEYS, value=st.integers(4, 5))
    def scan_and_change_ahead(self, key, value):
        """A live cursor meets what is put ahead, and not what is deleted ahead."""
        scanned = self.bound.scan()
        first = next(scanned, None)
        assert first == next(((k, self.model[k]) for k in self.ordered()), None)
        self.put(key, value)
        rest = [k for k in self.ordered() if first is None or self.encoded(k) > self.encoded(first[0])]
        if rest and first is not None:
            self.delete(rest[-1])
            assert [k for k, _ in scanned] == rest[:-1]

    @rule()
    def savepoint(self):
        self.marks.append((len(self.state.undo), dict(self.model)))

    @precondition(lambda self: self.marks)
    @rule()
    def rollback(self):
        mark, model = self.marks.pop()
        self.state.rollback(mark)
        self.model = model

    @rule()
    def next_transaction(self):
        self.marks.clear()
        self.state.begin_transaction()

    @rule(same_transaction=st.booleans())
    def end_block(self, same_transaction):
        changes = self.state.end_block()
        assert {k: v[2] for k, v in changes.items.items()} == self.differences()
        self.pending.append((changes, self.block_start))
        self.block_start = dict(self.model)
        self.next_transaction()

    def differences(self):
        keys = {*self.block_start, *self.model}
        pairs = {self.encoded(k): (self.block_start.get(k), self.model.get(k)) for k in keys}
        return {k: now for k, (before, now) in pairs.items() if before != now}

    @precondition(lambda self: self.pending)
    @rule()
    def becomes_durable(self):
        changes, _ = self.pending.pop(0)
        self.reader.apply(changes)
        self.state.durable(changes)

    @rule()
    def discard_the_open_block(self):
        self.state.discard_block()
        self.model = dict(self.block_start)
        self.next_transaction()

    @precondition(lambda self: self.pending)
    @rule()
    def discard_the_newest_block(self):
        self.discard_the_open_block()
        changes, before = self.pending.pop()
        self.state.discard(changes)
        self.model = dict(before)
        self.block_start = dict(before)

    @rule(keys=st.lists(KEYS), when=st.sampled_from((at_once, already)))
    def begin_to_fetch(self, keys, when):
        wanted: dict[bytes, Any] = {}
        for key in keys:
            self.state.column(self.bound.table).want(key, wanted)
        self.fetches.append(self.state.begin_fetch(wanted, when))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def finish_a_fetch(self, data):
        """Whenever: what was read before others wrote is never taken for what stands."""
        self.state.finish_fetch(self.fetches.pop(data.draw(st.integers(0, len(self.fetches) - 1))))

    @rule(key=KEYS, value=st.integers(0, 3))
    def another_table_is_another_thing(self, key, value):
        assert Bound(OTHERS, self.state).find(key) is None

    @invariant()
    def the_whole_is_equal(self):
        if hasattr(self, "bound"):
            assert dict(self.bound.scan()) == self.model

    def encoded(self, key):
        return NUMBERS.encode_key(key)

    def ordered(self):
        return sorted(self.model, key=self.encoded)


TestStateAgainstADictionary = StateAgainstADictionary.TestCase
TestStateAgainstADictionary.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def fresh(limit=1000):
    reader = Reader()
    state = State(reader, limit)
    state.begin_transaction()
    return reader, state, Bound(NUMBERS, state)


def test_operations_are_the_same_whatever_is_cached_or_durable():
    """Or one node would refuse what another applies."""

    def operations(*, durable: bool, cached: bool) -> int:
        reader, state, bound = fresh()
        for number in range(10):
            bound.put(("a", number), number)
        bound.delete(("a", 3))
        first = state.end_block()
        bound.delete(("a", 4))
        second = state.end_block()
        if durable:
            for changes in (first, second):
                reader.apply(changes)
                state.durable(changes)
        if not cached:
            state.forget_cached()
        state.begin_transaction()
        assert [key[1] for key, _ in bound.scan("a")] == [0, 1, 2, 5, 6, 7, 8, 9]
        bound.find(("a", 1))
        bound.put(("a", 4), 1)
        return int(state.operations)

    assert {operations(durable=d, cached=c) for d in (True, False) for c in (True, False) if c or d} == {10}


def test_the_cache_is_bounded_and_loses_nothing():
    reader, state, bound = fresh(limit=100)
    for block in range(30):
        for number in range(20):
            bound.put(("a", block * 20 + number), block)
        changes = state.end_block()
        if block % 3:  # the store lags behind and catches up
            reader.apply(state._pending[0])
            state.durable(state._pending[0])
        assert len(state.cells.young) + len(state.cells.old) <= 100 + 20
        del changes
    assert [v for _, v in bound.scan("a")] == [n // 20 for n in range(600)]
    for number in range(600):
        assert bound.find(("a", number)) == number // 20


def test_eviction_between_two_pending_blocks_keeps_the_newest():
    _, state, bound = fresh(limit=2)
    bound.put(("a", 1), 1)
    state.end_block()
    bound.put(("a", 1), 2)
    state.end_block()
    for number in range(10):
        bound.find(("b", number))
    state.end_block()
    assert bound.find(("a", 1)) == 2
    assert list(bound.scan()) == [(("a", 1), 2)]


def test_prefetch_asks_once_and_then_nothing_is_asked():
    reader, state, bound = fresh()
    reader.rows = {NUMBERS.encode_key(("a", n)): NUMBERS.encode_value(n) for n in range(50)}
    for read in (60, 0):
        wanted: dict[bytes, Any] = {}
        for n in range(60):
            state.column(NUMBERS).want(("a", n), wanted)
        fetch = state.begin_fetch(wanted, at_once)
        assert len(fetch.keys) == read
        state.finish_fetch(fetch)
    assert [bound.find(("a", n)) for n in range(60)] == [*range(50), *[None] * 10]
    assert (reader.multi_gets, reader.gets) == (1, 0)


def test_a_scan_is_refused_beyond_the_bound():
    _, state, bound = fresh()
    for number in range(10):
        bound.put(("a", number), number)
    state.begin_transaction()
    state.limit = 5
    with pytest.raises(WorkExceeded):
        list(bound.scan())


def test_created_counts_what_is_left():
    _, state, bound = fresh()
    bound.put(("a", 1), 1)
    bound.put(("a", 1), 2)
    bound.put(("a", 2), 1)
    assert state.created == 2
    bound.delete(("a", 1))
    assert state.created == 1
    state.rollback(2)
    assert state.created == 1
    state.rollback(0)
    assert state.created == 0


# Older schemas


class Second(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    count: int


class Third(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    count: int
    note: str


FIRST_TABLE = Table[bytes, str]("toy.row", key=Identifier, value=str, doc="As it was.")
THIRD_TABLE = Table[bytes, Third](
    "toy.row",
    key=Identifier,
    value=Third,
    doc="As it is.",
    schema=3,
    upcasts={1: (str, lambda v: Second(v, 1)), 2: (Second, lambda v: Third(v.name, v.count, ""))},
)
KEY = b"k" * 16


def test_older_schemas_are_upcast_step_by_step():
    assert THIRD_TABLE.decode_value(b"\1" + encode("n")) == Third("n", 1, "")
    assert THIRD_TABLE.decode_value(b"\2" + encode(Second("n", 5))) == Third("n", 5, "")
    assert THIRD_TABLE.decode_value(THIRD_TABLE.encode_value(Third("n", 5, "x"))) == Third("n", 5, "x")
    assert THIRD_TABLE.encode_value(Third("n", 5, "x"))[0] == 3
    for wrong in (b"\4\xc0", b"\0\xc0", b"\2\xc0"):
        with pytest.raises(ValueError):
            THIRD_TABLE.decode_value(wrong)


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_change_of_an_older_row_remembers_the_bytes_that_were_stored(limit):
    reader, state, _ = fresh(limit)
    old = FIRST_TABLE.encode_value("n")
    reader.rows[FIRST_TABLE.encode_key(KEY)] = old
    bound = Bound(THIRD_TABLE, state)
    assert bound.get(KEY) == Third("n", 1, "")
    state.end_block()
    bound.find(b"x" * 16)
    state.end_block()
    bound.put(KEY, Third("n", 1, ""))
    assert not state.end_block().items, "the same value is no change: an old row stays as it is"
    bound.put(KEY, Third("n", 2, ""))
    changes = state.end_block()
    assert changes.stored == {THIRD_TABLE.encode_key(KEY): old}
    state.discard(changes)
    bound.put(KEY, Third("n", 2, ""))
    changes = state.end_block()
    assert changes.stored == {THIRD_TABLE.encode_key(KEY): old}
    bound.put(KEY, Third("n", 3, ""))
    assert state.end_block().stored == {}, "the newer row was of the schema of today"


# Keys


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.integers(0, 2**64 - 1))))
def test_keys_keep_their_order_and_come_back(keys):
    encoded = [NUMBERS.encode_key(key) for key in keys]
    assert [NUMBERS.decode_key(raw) for raw in encoded] == keys
    by_bytes = sorted(keys, key=NUMBERS.encode_key)
    assert by_bytes == sorted(keys, key=lambda key: (key[0].encode(), key[1]))


def test_prefixes_hold_exactly_their_keys():
    assert NUMBERS.encode_key(("a", 1)).startswith(NUMBERS.encode_prefix("a"))
    assert not NUMBERS.encode_key(("ab", 1)).startswith(NUMBERS.encode_prefix("a"))
    assert end_of(NUMBERS.encode_prefix("a")) > NUMBERS.encode_key(("a", 2**64 - 1))
    assert end_of(b"a\xff\xff") == b"b"
    with pytest.raises(ValueError):
        end_of(b"\xff")
    with pytest.raises(ValueError):
        NUMBERS.encode_prefix("a", 1, 2)


PAIR = Table[tuple[bytes, str], int]("toy.pair", key=(Address, str), value=int, doc="")
ONE = Table[bytes, int]("toy.one", key=Address, value=int, doc="")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (NUMBERS, ("a\0", 1)),
        (NUMBERS, ("a", -1)),
        (NUMBERS, ("a", 2**64)),
        (NUMBERS, ("a",)),
        (PAIR, (b"x" * 20, "a\0b")),
        (PAIR, (b"x" * 19, "a")),
        (PAIR, (b"x" * 21, "a")),
        (ONE, b"x" * 21),
        (ONE, b""),
    ],
)
def test_a_key_that_does_not_fit_is_no_key(table, key):
    """Nor a fault of the ledger: it may have come from a message."""
    with pytest.raises((ValueError, OverflowError)):
        table.encode_key(key)


def test_a_key_without_order_cannot_be_declared():
    for kind in (bytes, float, list[int], dict):
        with pytest.raises(KernelFault):
            Table("toy.bad", key=kind, value=int, doc="")


def test_a_vain_question_of_a_table_with_few_keys_costs_no_read_of_the_store():
    reader = Reader()
    reader.rows[FEW.encode_key(("a", 1))] = FEW.encode_value(7)
    state = State(reader, 10)
    few = Bound(FEW, state)
    assert few.find(("a", 1)) == 7
    assert reader.gets == 1
    assert [few.find(("b", number)) for number in range(100)] == [None] * 100
    wanted: dict[bytes, Any] = {}
    state.column(FEW).want(("b", 2), wanted)
    assert not wanted
    assert state.begin_fetch({FEW.encode_key(("b", 2)): FEW}, at_once).keys == []
    few.put(("b", 3), 9)
    state.durable(state.end_block())
    reader.rows[FEW.encode_key(("b", 3))] = FEW.encode_value(9)
    state.end_block()
    assert few.find(("b", 3)) == 9
    assert (reader.gets, reader.multi_gets) == (1, 0)
