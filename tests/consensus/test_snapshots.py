"""State sync: equal snapshots everywhere, a fresh home filled from one, and everything a hostile member may hand in."""

import json
import os
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from kerege.consensus import rows
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints
from kerege.consensus.codes import APPLIED, RESTORING
from kerege.consensus.cometbft import messages as m
from kerege.consensus.past import TooOld, oldest, rows_at
from kerege.consensus.replay import verify_ledger
from kerege.consensus.replica import Replica
from kerege.consensus.snapshots import records
from kerege.consensus.snapshots.making import CannotMake, make_snapshot
from kerege.consensus.snapshots.manifest import CHUNK_MAX, FORMAT, MANIFEST_MAX, Manifest, identity
from kerege.consensus.snapshots.restoring import Restoring
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.block import Head
from kerege.kernel.codec import decode, encode
from kerege.kernel.machine import app_hash, state_root
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.modules.accounts.state import USAGE
from kerege.node.ledger import machine_at
from kerege.node.network.node import prover_over
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Store
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from tests.consensus.test_replica import START, begun, decide, height_of, pay, replica

CHUNK = 300
OFFER, APPLY = m.ResponseOfferSnapshot, m.ResponseApplySnapshotChunk
Rows = list[tuple[bytes, bytes]]


def run(store: Store, heights: int, shelf: Shelf | None = None, every: int = 0) -> Replica:
    """A member through so many heights: payments, junk, and empty blocks in between."""
    each = begun(store)
    sent = 0
    for height in range(1, heights + 1):
        txs = [pay("alice", sent), b"junk %d" % height] if height % 3 == 1 else []
        sent += len(txs) > 0
        decide(each, height, *txs, time=START + height)
        if shelf is not None and every and height % every == 0:
            make_snapshot(store, shelf, height, chunk_bytes=CHUNK)
    return each


class Joining:
    """A fresh member that is offered snapshots."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
        self.told: list[str] = []
        modules = Modules(MODULES)
        reopen = partial(machine_at, modules, self.store, "kg-test", "kg")
        restoring = Restoring(modules, self.store, "kg-test", reopen, tell=self.told.append)
        self.replica = Replica(
            reopen(rows.read_head(self.store), None), self.store, now=lambda: START, restoring=restoring
        )

    def offer(
        self, raw: bytes, chunks: int, trusted: bytes, *, form: int = FORMAT, known_by: bytes | None = None
    ) -> int:
        known_by = identity(raw) if known_by is None else known_by
        snapshot = m.Snapshot(height=50, format=form, chunks=chunks, hash=known_by, metadata=raw)
        return int(self.replica.offer_snapshot(m.RequestOfferSnapshot(snapshot=snapshot, app_hash=trusted)).result)

    def apply(self, index: int, chunk: bytes, sender: str = "peer") -> m.ResponseApplySnapshotChunk:
        return self.replica.apply_snapshot_chunk(m.RequestApplySnapshotChunk(index=index, chunk=chunk, sender=sender))

    def is_empty(self) -> bool:
        return not any(next(self.store.scan(area), None) for area in Area)


class Given:
    """A snapshot as a member gives it: its manifest and chunks, which a test may change."""

    def __init__(self, store: Store, shelf: Shelf, height: int) -> None:
        made = make_snapshot(store, shelf, height, chunk_bytes=CHUNK)
        self.manifest = made.manifest
        self.trusted = made.manifest.head.app_hash
        self.chunks = [shelf.chunk(store, height, index) for index in range(made.manifest.chunks)]

    def offer(self, joining: Joining) -> int:
        raw = encode(self.manifest)
        return joining.offer(raw, self.manifest.chunks, self.trusted)

    def join(self, joining: Joining) -> int:
        """What the last chunk was answered; stops at the first that is not accepted."""
        assert self.offer(joining) == OFFER.ACCEPT
        for index, chunk in enumerate(self.chunks):
            result = int(joining.apply(index, chunk).result)
            if result != APPLY.ACCEPT:
                return result
        return APPLY.ACCEPT

    def streams(self) -> tuple[Rows, Rows, Rows]:
        """Rows of genesis, history, state."""
        first, second = self.manifest.genesis, self.manifest.genesis + self.manifest.history
        return split(self.chunks[:first]), split(self.chunks[first:second]), split(self.chunks[second:])

    def with_streams(self, genesis: Rows, history: Rows, state: Rows) -> "Given":
        """The same manifest over other rows: what a member that lies consistently would offer."""
        parts = [cut(part) for part in (genesis, history, state)]
        self.chunks = [chunk for part in parts for chunk in part]
        counts = dict(zip(("genesis", "history", "state"), map(len, parts), strict=True))
        hashes = b"".join(sha256(chunk).digest() for chunk in self.chunks)
        self.manifest = msgspec.structs.replace(self.manifest, **counts, hashes=hashes)
        return self


def split(chunks: list[bytes]) -> Rows:
    splitter = records.Splitter()
    return [row for chunk in chunks for row in splitter.feed(chunk)]


def cut(stream: Rows) -> list[bytes]:
    cutter = records.Cutter(CHUNK)
    chunks = [chunk for key, value in stream for _, chunk in cutter.add(key, value)]
    return chunks + [chunk for _, chunk in cutter.rest()]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    store = MemoryStore()
    run(store, 60)
    return Given(store, Shelf(tmp_path / "snapshots"), 50)


# What is made


def files(shelf: Shelf, height: int) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shelf.folder / str(height)).iterdir()}


def test_snapshots_of_a_height_are_equal_whenever_they_are_made(tmp_path):
    """At that height, blocks later by undo rows, or after an earlier one whose chunks are taken over."""
    shelves = [Shelf(tmp_path / name) for name in "abc"]
    run(MemoryStore(), 60, shelves[0], 60)
    later = MemoryStore()
    run(later, 90)
    make_snapshot(later, shelves[1], 60, chunk_bytes=CHUNK)
    run(MemoryStore(), 60, shelves[2], 20)
    assert files(shelves[0], 60) == files(shelves[1], 60) == files(shelves[2], 60)
    assert len(files(shelves[0], 60)) > 4
    assert shelves[2].heights() == [60, 40, 20]


def test_what_is_on_the_shelf_stays_there_over_a_power_cut(tmp_path, monkeypatch):
    """Files, then the names in the folder, then the folder's own name: each is on the disk before the next."""
    store, synced = MemoryStore(), list[str]()
    run(store, 30)
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    made = make_snapshot(store, Shelf(tmp_path), 30, chunk_bytes=CHUNK)
    draft = str(tmp_path / ".draft-30")
    assert synced[-2:] == [draft, str(tmp_path)]
    assert sorted(synced[:-2]) == sorted(f"{draft}/{path.name}" for path in made.folder.iterdir())


def test_the_oldest_ones_and_what_was_left_unfinished_go(tmp_path):
    shelf = Shelf(tmp_path)
    (tmp_path / ".draft-3").mkdir()
    run(MemoryStore(), 50, shelf, 10)
    assert shelf.heights() == [50, 40, 30]
    assert not list(tmp_path.glob(".*"))


def test_a_height_that_is_gone_or_not_yet_there_has_no_snapshot(tmp_path):
    store = MemoryStore()
    run(store, 200)
    with pytest.raises(TooOld, match=f"height {oldest(store)}"):
        make_snapshot(store, Shelf(tmp_path), 50)
    with pytest.raises(CannotMake, match="not at height 201"):
        make_snapshot(store, Shelf(tmp_path), 201)
    assert len(list(rows_at(store, oldest(store)))) > 10


def test_chunks_that_are_not_there_are_empty(tmp_path):
    store = MemoryStore()
    each = run(store, 30)
    each = Replica(each.machine, store, now=lambda: START, shelf=Shelf(tmp_path))
    assert list(each.list_snapshots(m.RequestListSnapshots()).snapshots) == []
    make_snapshot(store, Shelf(tmp_path), 30, chunk_bytes=CHUNK)
    (offered,) = each.list_snapshots(m.RequestListSnapshots()).snapshots
    assert (offered.height, offered.format) == (30, FORMAT)
    assert offered.hash == sha256(offered.metadata).digest()

    def load(height: int, form: int, chunk: int) -> bytes:
        asked = m.RequestLoadSnapshotChunk(height=height, format=form, chunk=chunk)
        return bytes(each.load_snapshot_chunk(asked).chunk)

    assert all(load(30, FORMAT, index) for index in range(offered.chunks))
    assert [load(31, FORMAT, 0), load(30, 2, 0), load(30, FORMAT, offered.chunks)] == [b""] * 3
    (tmp_path / "30" / "state-000000").unlink()
    assert (
        load(30, FORMAT, decode(offered.metadata, Manifest).genesis + decode(offered.metadata, Manifest).history) == b""
    )
    (tmp_path / "30" / "manifest").write_bytes(b"torn")
    assert list(each.list_snapshots(m.RequestListSnapshots()).snapshots) == []


# What is restored


def test_a_fresh_member_has_the_whole_ledger_and_goes_on(tmp_path):
    store = MemoryStore()
    old = run(store, 60)
    snapshot = Given(store, Shelf(tmp_path / "old"), 50)
    with RocksStore(tmp_path / "home", create=True) as fresh:
        joining = Joining(fresh)
        assert snapshot.join(joining) == APPLY.ACCEPT
        new = joining.replica
        assert height_of(new) == 50
        assert new.info(m.RequestInfo()).last_block_app_hash == snapshot.trusted
        for height in range(51, 61):
            txs = [pay("alice", (height - 1) // 3), b"junk %d" % height] if height % 3 == 1 else []
            decide(new, height, *txs, time=START + height)
        assert decide(new, 61, pay("bob"), time=START + 61) == decide(old, 61, pay("bob"), time=START + 61)
        assert new.machine.full_invariants() == []
        report = verify_ledger(fresh, Modules(MODULES), MemoryStore())
        assert report.sound, report.difference
        assert report.transactions == verify_ledger(store, Modules(MODULES), MemoryStore()).transactions
        made = Shelf(tmp_path / "new")
        make_snapshot(fresh, made, 60, chunk_bytes=CHUNK)
        make_snapshot(store, Shelf(tmp_path / "old"), 60, chunk_bytes=CHUNK)
        assert files(made, 60) == files(Shelf(tmp_path / "old"), 60)
    with RocksStore(tmp_path / "home") as again:
        assert height_of(replica(again)) == 61


def test_a_member_that_was_killed_while_it_joined_begins_anew(given):
    store = MemoryStore()
    first = Joining(store)
    given.offer(first)
    for index in range(len(given.chunks) - 1):
        assert first.apply(index, given.chunks[index]).result == APPLY.ACCEPT
    assert first.apply(len(given.chunks), b"").result == APPLY.RETRY_SNAPSHOT
    killed = Joining(store)
    assert killed.is_empty()
    assert killed.told == ["state sync was cut off before its end: it begins anew"]
    assert killed.apply(0, given.chunks[0]).result == APPLY.RETRY_SNAPSHOT
    assert given.join(killed) == APPLY.ACCEPT
    engine_died = Joining(store)
    assert given.join(engine_died) == APPLY.ACCEPT, "restored, but the engine forgot: nothing is lost by doing it again"
    assert height_of(engine_died.replica) == 50
    decide(engine_died.replica, 51, time=START + 51)
    assert given.offer(Joining(store)) == OFFER.ABORT


def test_a_home_that_holds_no_more_than_block_0_may_be_filled(given):
    store = MemoryStore()
    begun(store)
    joining = Joining(store)
    assert given.join(joining) == APPLY.ACCEPT
    assert verify_ledger(store, Modules(MODULES), MemoryStore()).sound


def test_a_home_with_a_ledger_is_never_overwritten(given):
    store = MemoryStore()
    run(store, 10)
    joining = Joining(store)
    assert given.offer(joining) == OFFER.ABORT
    assert "join with a new home" in joining.told[0]
    assert verify_ledger(store, Modules(MODULES), MemoryStore()).sound
    alone = Replica(joining.replica.machine, store, now=lambda: START)
    assert alone.offer_snapshot(m.RequestOfferSnapshot()).result == OFFER.ABORT
    assert alone.apply_snapshot_chunk(m.RequestApplySnapshotChunk()).result == APPLY.ABORT


# Hostile offers


def test_offers_that_cannot_be_true_are_refused_before_any_chunk(given):
    true, joining = given.manifest, Joining()
    head = true.head
    roots = [bytes(32), *head.module_roots[1:]]
    root = state_root(Modules(MODULES).names, roots)
    other = Head(head.height, head.time, app_hash(root, head.log_root), root, head.log_root, head.log_size, roots)
    replace = msgspec.structs.replace
    lies = {
        "of ledger": replace(true, ledger="kg-other"),
        "holds": replace(true, height=51),
        "100000 at most": replace(true, state=100_001),
        "one of each part": replace(true, genesis=0),
        "lists": replace(true, hashes=true.hashes[:-1]),
        "verified is": replace(true, head=other),
        "state root": replace(true, head=replace(head, module_roots=roots)),
        "modules, this program": replace(true, head=replace(head, module_roots=roots[1:])),
    }
    for reason, lie in lies.items():
        assert joining.offer(encode(lie), true.chunks, given.trusted) == OFFER.REJECT
        assert reason in joining.told[-1]
    raw = encode(true)
    assert joining.offer(raw, true.chunks, bytes(32)) == OFFER.REJECT
    assert joining.offer(raw, true.chunks, given.trusted, known_by=bytes(32)) == OFFER.REJECT
    assert joining.offer(raw, true.chunks, given.trusted, form=2) == OFFER.REJECT_FORMAT
    assert joining.offer(b"junk", true.chunks, given.trusted) == OFFER.REJECT
    assert joining.offer(raw + b"\0", true.chunks, given.trusted) == OFFER.REJECT
    assert joining.offer(bytes(MANIFEST_MAX + 1), true.chunks, given.trusted) == OFFER.REJECT
    assert joining.is_empty()
    assert height_of(joining.replica) == 0
    assert given.join(joining) == APPLY.ACCEPT


# Hostile chunks


def test_a_chunk_that_is_not_listed_is_fetched_again_from_somebody_else(given):
    joining = Joining()
    given.offer(joining)
    for lie in (b"", given.chunks[0][:-1], given.chunks[1], bytes(CHUNK_MAX + 1)):
        answer = joining.apply(0, lie, sender="liar")
        assert (answer.result, list(answer.refetch_chunks), list(answer.reject_senders)) == (APPLY.RETRY, [0], ["liar"])
    for index, chunk in enumerate(given.chunks):
        assert joining.apply(index, chunk).result == APPLY.ACCEPT
    assert height_of(joining.replica) == 50


def altered(number: int, change: Callable[[Rows], object]) -> Callable[[Given], Given]:
    def apply(given: Given) -> Given:
        streams = given.streams()
        change(streams[number])
        return given.with_streams(*streams)

    return apply


def set_value(position: int, change: Callable[[bytes], bytes]) -> Callable[[Rows], object]:
    def apply(stream: Rows) -> None:
        key, value = stream[position]
        stream[position] = (key, change(value))

    return apply


def flipped(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def of_kind(kind: bytes, number: int = 3) -> Callable[[Rows], int]:
    return lambda stream: [at for at, (key, _) in enumerate(stream) if key[8:9] == kind][number]


def leaf(change: Callable[[bytes], bytes], kind: bytes = b"\1") -> Callable[[Rows], object]:
    """Change the first item of a group of leaves, or of transactions."""

    def apply(stream: Rows) -> None:
        at = of_kind(kind)(stream)
        items = decode(stream[at][1], list[bytes])
        stream[at] = (stream[at][0], encode([change(items[0]), *items[1:]]))

    return apply


def summary(**changes: object) -> Callable[[Rows], object]:
    """Change fields of the summary of a block, or of its head."""

    def apply(stream: Rows) -> None:
        at = of_kind(b"")(stream)
        told = decode(stream[at][1], rows.Summary)
        head = {name: value for name, value in changes.items() if name in Head.__struct_fields__}
        plain = {name: value for name, value in changes.items() if name in rows.Summary.__struct_fields__}
        plain["head"] = msgspec.structs.replace(told.head, **head)
        stream[at] = (stream[at][0], encode(msgspec.structs.replace(told, **plain)))

    return apply


LIES: dict[str, tuple[Callable[[Given], Given], str]] = {
    "another genesis": (altered(0, set_value(0, flipped)), "genesis"),
    "a value of the state": (altered(2, set_value(5, flipped)), "does not have the root"),
    "a row too few": (altered(2, lambda stream: stream.pop(7)), "does not have the root"),
    "a row too many": (
        altered(2, lambda stream: stream.append((stream[-1][0] + b"x", b"\1"))),
        "does not have the root",
    ),
    "rows of no table": (altered(2, lambda stream: stream.append((b"zzz.rows\0x", b"\1"))), "of no table"),
    "rows of a table that sounds right": (altered(2, lambda stream: stream.append((b"storage", b"\1"))), "of no table"),
    "a row twice": (altered(2, lambda stream: stream.insert(3, stream[2])), "not in order"),
    "rows out of order": (altered(2, lambda stream: stream.insert(0, stream.pop(4))), "not in order"),
    "a block too few": (altered(1, lambda stream: stream.__delitem__(slice(-3, None))), "do not end with the head"),
    "a receipt": (altered(1, leaf(flipped)), "block"),
    "a transaction": (altered(1, leaf(flipped, b"\0")), "has a receipt only"),
    "no transaction for a receipt": (altered(1, leaf(lambda _: b"junk", b"\0")), "has a receipt only"),
    "blocks out of order": (altered(1, lambda stream: stream.append(stream.pop(0))), "of no block"),
    "a block without its summary": (altered(1, lambda stream: stream.pop(of_kind(b"")(stream))), "of no block"),
    "the first block last": (
        altered(1, lambda stream: stream.extend([stream.pop(0) for _ in range(2)])),
        "block 0 is not",
    ),
    "a block twice": (altered(1, lambda stream: stream.insert(1, stream[0])), "not in order"),
    "a row beside block 0": (
        altered(1, lambda stream: stream.insert(2, (stream[0][0] + b"\7", b"\x90"))),
        "genesis gives",
    ),
    "a group of leaves moved": (
        altered(1, lambda stream: stream.append((stream[-1][0] + b"\1", b"\x90"))),
        "as they are stored",
    ),
    "another height": (altered(1, summary(height=9_999)), "as they are stored"),
    "another time": (altered(1, summary(time=5)), "comes after"),
    "another state root": (altered(1, summary(state_root=bytes(32))), "what its leaves say"),
    "another log root": (altered(1, summary(log_root=bytes(32))), "what its leaves say"),
    "another size": (altered(1, summary(log_size=1)), "what its leaves say"),
    "other roots of modules": (altered(1, summary(module_roots=[bytes(32)] * 8)), "do not give its state root"),
    "another app hash": (altered(1, summary(app_hash=bytes(32))), "app hash"),
    "no leaves": (altered(1, summary(leaves=0)), "not whole"),
}


@pytest.mark.parametrize("lie", LIES)
def test_chunks_that_lie_consistently_are_refused_and_nothing_is_kept(given, lie):
    change, reason = LIES[lie]
    true = Given.__new__(Given)
    true.manifest, true.trusted, true.chunks = given.manifest, given.trusted, given.chunks
    joining = Joining()
    assert change(given).join(joining) == APPLY.REJECT_SNAPSHOT
    assert reason in joining.told[-1]
    assert joining.is_empty()
    assert height_of(joining.replica) == 0
    assert true.join(joining) == APPLY.ACCEPT, "an honest one is taken afterwards"


# While it is restored


def test_who_asks_meanwhile_is_told_so_and_never_sees_what_may_be_a_lie(given):
    joining, store = Joining(), MemoryStore()
    run(store, 60)
    usage = USAGE.encode_key(names.address("alice"))

    def ask(path: str, data: bytes = b"") -> m.ResponseQuery:
        return joining.replica.query(m.RequestQuery(path=path, data=data))

    assert (ask("state", usage).code, ask("state", usage).value) == (APPLIED, b"")
    given.offer(joining)
    for index, chunk in enumerate(given.chunks):
        for path in ("state", "head", "checkpoint"):
            answer = ask(path, usage)
            assert (answer.code, answer.value) == (RESTORING, b"")
            assert "restoring" in answer.log
        assert joining.apply(index, chunk).result == APPLY.ACCEPT
    assert USAGE.decode_value(ask("state", usage).value).sequences[0] == 17
    assert decode(ask("head").value, Head).app_hash == given.trusted


def test_a_query_that_is_overtaken_by_a_restoring_says_so_too(given, monkeypatch):
    joining = Joining()
    get, asked = joining.store.get, list[bytes]()

    def overtaken(area: Area, key: bytes) -> bytes | None:
        if area is Area.STATE and not asked:
            asked.append(key)
            given.offer(joining)
        return get(area, key)

    monkeypatch.setattr(joining.store, "get", overtaken)
    assert joining.replica.query(m.RequestQuery(path="state", data=b"x")).code == RESTORING
    assert asked


def test_who_proves_goes_on_with_the_restored_ledger(given):
    """Opened over an empty home, as a node's is: what it proves then is of the machine that came with the snapshot."""
    joining, key = Joining(), CheckpointKey("kg-test/operator", bytes(32))
    prover = prover_over(joining.replica, OwnCheckpoints("kg-test", [key]))
    assert given.join(joining) == APPLY.ACCEPT
    usage = USAGE.encode_key(names.address("alice"))
    for height in (51, 52, 55):
        decide(joining.replica, height, pay("alice", height - 34) if height < 55 else pay("bob"), time=START + height)
        proof = prover.state(usage, prover.head())
        assert proof.value == joining.store.get(Area.STATE, usage)
        assert json.loads(prover.entry(usage))


# Streams


def test_streams_that_end_or_grow_where_no_row_does_are_refused(given):
    for chunk in (b"\0\1", b"\0\0\xff\xff\xff\xff"):
        joining = Joining()
        given.chunks[-1] = chunk
        hashes = given.manifest.hashes[:-32] + sha256(chunk).digest()
        given.manifest = msgspec.structs.replace(given.manifest, hashes=hashes)
        assert given.join(joining) == APPLY.REJECT_SNAPSHOT
        assert joining.is_empty()


def test_rows_come_out_as_they_went_in_however_they_are_cut():
    stream = [(b"k%03d" % n, bytes(n * 7 % 50)) for n in range(200)]
    for size in (1, 7, 64, 10_000):
        cutter = records.Cutter(size)
        chunks = [chunk for key, value in stream for chunk in cutter.add(key, value)] + list(cutter.rest())
        assert {len(chunk) for _, chunk in chunks[:-1]} <= {size}
        assert split([chunk for _, chunk in chunks]) == stream
        keys = [key for key, _ in stream]
        for (key, skip), chunk in chunks:  # a chunk is found again from its place
            again = records.Cutter(size)
            rest = stream[keys.index(key) :]
            cuts = (made for at, row in enumerate(rest) for made in again.add(*row, 0 if at else skip))
            assert (next(cuts, None) or next(again.rest())) == ((key, skip), chunk)


def test_old_state_is_what_it_was():
    """Against copies taken at the time, also where keys came and went since."""
    store, kept = MemoryStore(), dict[int, Rows]()
    each = begun(store)
    for height in range(1, 40):
        decide(each, height, *([pay("alice", (height - 1) // 2)] if height % 2 else []), time=START + height)
        kept[height] = list(store.scan(Area.STATE))
    assert all(list(rows_at(store, height)) == kept[height] for height in kept)
    some = kept[20][5][0], kept[20][20][0]
    assert list(rows_at(store, 20, *some)) == kept[20][5:20]
