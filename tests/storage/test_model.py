"""Every writable adapter against a plain dictionary, in random order of actions, reopened in between."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch
from kerege.storage.rocks import RocksStore

AREAS = st.sampled_from([Area.STATE, Area.INDEX, Area.UNDO])
KEYS = st.binary(max_size=2) | st.sampled_from([b"", b"\x00", b"\xff\xff"])
VALUES = st.binary(max_size=3)
ACTIONS = st.one_of(
    st.tuples(st.just("put"), AREAS, KEYS, VALUES),
    st.tuples(st.just("delete"), AREAS, KEYS, st.just(b"")),
    st.tuples(st.just("range"), AREAS, KEYS, KEYS),
)


class Stores(RuleBasedStateMachine):
    """Both adapters and the model get the same batches and must answer the same."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.memory = MemoryStore()
        self.rocks = RocksStore(self.home, create=True, cache_bytes=1 << 20)
        self.model: dict[Area, dict[bytes, bytes]] = {area: {} for area in Area}

    @rule(actions=st.lists(ACTIONS, max_size=12))
    def write(self, actions: list[tuple[str, Area, bytes, bytes]]) -> None:
        batch = Batch()
        for kind, area, key, other in actions:
            rows = self.model[area]
            if kind == "put":
                batch.put(area, key, other)
                rows[key] = other
            elif kind == "delete":
                batch.delete(area, key)
                rows.pop(key, None)
            else:
                batch.delete_range(area, key, other)
                for gone in [held for held in rows if key <= held < other]:
                    del rows[gone]
        self.memory.write(batch)
        self.rocks.write(batch)

    @rule(area=AREAS, start=KEYS, end=st.none() | KEYS, reverse=st.booleans())
    def scan(self, area: Area, start: bytes, end: bytes | None, reverse: bool) -> None:
        rows = self.model[area].items()
        expected = sorted((row for row in rows if start <= row[0] and (end is None or row[0] < end)), reverse=reverse)
        assert list(self.memory.scan(area, start, end, reverse=reverse)) == expected
        assert list(self.rocks.scan(area, start, end, reverse=reverse)) == expected

    @rule(area=AREAS, keys=st.lists(KEYS, max_size=6))
    def get(self, area: Area, keys: list[bytes]) -> None:
        expected = [self.model[area].get(key) for key in keys]
        assert self.memory.multi_get(area, keys) == expected
        assert self.rocks.multi_get(area, keys) == expected
        assert [self.rocks.get(area, key) for key in keys] == expected

    @rule()
    def reopen(self) -> None:
        self.rocks.close()
        self.rocks = RocksStore(self.home, cache_bytes=1 << 20)

    @invariant()
    def all_rows_agree(self) -> None:
        for area, rows in self.model.items():
            if area is not Area.META:
                assert list(self.memory.scan(area)) == sorted(rows.items())
                assert list(self.rocks.scan(area)) == sorted(rows.items())

    def teardown(self) -> None:
        self.rocks.close()
        shutil.rmtree(self.home)


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
