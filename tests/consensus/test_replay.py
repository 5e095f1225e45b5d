"""Verification of a whole ledger: sound as it is; any changed, lost or added byte is found and told."""

import shutil
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from kerege.consensus import rows
from kerege.consensus.checkpoints import origin_of, sign_checkpoint
from kerege.consensus.replay import Progress, verify_ledger
from kerege.kernel.genesis import genesis_hash
from kerege.kernel.module import Modules
from kerege.storage.memory import MemoryStore
from kerege.storage.port import RESERVED, Area, Batch
from kerege.storage.secondary import SecondaryStore
from tests.consensus.support import KEY, Opened, Signing, rocks
from tests.kernel import toy
from tests.kernel.bench import LEDGER, START, Bench, address, genesis, known
from tests.kernel.scenario import LISTED, history


def written(blocks: int = 25) -> Bench:
    """A ledger with every class of outcome, schedules, alarms and all kinds of key."""
    bench = Bench(begin=genesis(parameters=LISTED))
    for time, raws in history()[:blocks]:
        bench.run(*raws, time=time)
    return bench


@pytest.fixture(scope="module")
def bench() -> Bench:
    return written()


def copy_of(store) -> MemoryStore:
    copy, batch = MemoryStore(), Batch()
    for area in Area:
        batch.update(area, dict(store.scan(area)))
    copy.write(batch)
    return copy


def verify(store, **options):
    return verify_ledger(store, toy.MODULES, MemoryStore(), **options)


def test_a_sound_ledger(bench):
    told: list[Progress] = []
    report = verify(bench.store, progress=told.append)
    assert report.sound, report.difference
    assert (report.ledger, report.blocks, report.head) == (LEDGER, 26, bench.head)
    assert report.genesis == genesis_hash(genesis(parameters=LISTED))
    assert report.transactions == sum(len(b.transactions) for b in rows.read_blocks(bench.store))
    assert (told[-1].height, told[-1].of, told[-1].transactions) == (25, 25, report.transactions)
    assert told[-1].rate > 0
    assert verify(bench.store, genesis=report.genesis).sound


def test_more_than_the_held_heights_and_several_rows_of_receipts():
    bench = Bench(begin=genesis(balance=10**9))
    pay = toy.Pay(address("bob"), "KGS", 1)
    for height in range(140):
        bench.run(*[bench.tx("alice", pay) for _ in range(200 if height % 70 == 5 else 1)], time=START + height * 10**6)
    report = verify(bench.store)
    assert report.sound, report.difference


def test_another_genesis_than_the_trust_file_s_is_told(bench):
    report = verify(bench.store, genesis=b"g" * 32)
    assert known(report.difference).where == "hash of the genesis"


def test_stored_checkpoints_are_compared(bench):
    heads = [known(rows.read_summary(bench.store, height)).head for height in (3, 25)]
    notes = [sign_checkpoint(origin_of(LEDGER), head, [KEY]) for head in heads]
    assert verify(bench.store, checkpoints=notes).sound
    other = written(24)
    other.one("bob", toy.Pay(address("alice"), "KGS", 1), toy.Note("fork", 1, "x"), lane=5)
    fork = sign_checkpoint(origin_of(LEDGER), other.head, [KEY])
    report = verify(bench.store, checkpoints=[*notes, fork])
    assert known(report.difference).where.startswith("checkpoint of size")


def test_every_area_changed_anywhere_is_found(bench):
    """Rows of each area: a bit flipped at random places, a byte appended, the row lost, a row added."""
    random = Random(3)
    tried = 0
    for area in Area:
        held = dict(bench.store.scan(area))
        keys = [key for key in sorted(held) if not key.startswith(RESERVED)]
        for key in random.sample(keys, min(len(keys), 12)):
            value = held[key]
            at, bit = random.randrange(len(value)), 1 << random.randrange(8)
            flipped = value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]
            for changed in (flipped, value + b"\0", value[:-1], None):
                tried += 1
                found = found_in(bench.store, area, key, changed)
                assert found is not None, (area, key, at, changed)
        assert found_in(bench.store, area, keys[-1] + b"\0", b"\x01\x01") is not None, area
    assert tried > 200


def found_in(store, area, key, changed):
    batch = Batch()
    if changed is None:
        batch.delete(area, key)
    else:
        batch.put(area, key, changed)
    tampered = copy_of(store)
    tampered.write(batch)
    return verify(tampered).difference


@pytest.mark.parametrize("kind", [Area.BLOCKS, Area.STATE, Area.LOG])
def test_every_byte_of_a_small_ledger_counts(kind):
    """All bytes of all rows, each with one bit changed."""
    small = Bench(begin=genesis(names=("alice", "bob")))
    small.one("alice", toy.Pay(address("bob"), "KGS", 5))
    for key, value in list(small.store.scan(kind)):
        for at in range(0, len(value), 1 if kind is Area.STATE else 7):
            changed = value[:at] + bytes([value[at] ^ 1 << at % 8]) + value[at + 1 :]
            assert found_in(small.store, kind, key, changed) is not None, (key, at)


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("row purse.balance", lambda s: (Area.STATE, toy.BALANCES.encode_key((address("bob"), "KGS")), b"\x01\x05")),
        ("genesis", lambda s: (Area.META, rows.GENESIS, None)),
        ("head", lambda s: (Area.META, rows.HEAD, None)),
        ("block 3", lambda s: (Area.BLOCKS, rows.height_key(3), None)),
        ("row of blocks beyond the head", lambda s: (Area.BLOCKS, rows.height_key(99), b"\x90")),
        ("rows of the index", lambda s: (Area.INDEX, b"x" * 32, b"\x92\x01\x00")),
    ],
)
def test_the_first_difference_is_told_in_words(bench, where, change):
    difference = known(found_in(bench.store, *change(bench.store)))
    assert difference.where.startswith(where), difference
    assert "the replay gives" in str(difference)


def test_a_changed_transaction_is_told_by_what_it_gives(bench):
    key, group = next((k, v) for k, v in bench.store.scan(Area.BLOCKS) if rows.holds_transactions(k))
    at = group.index(b"purse.") + 30
    changed = group[:at] + bytes([group[at] ^ 1]) + group[at + 1 :]
    difference = known(found_in(bench.store, Area.BLOCKS, key, changed))
    assert "of block 1" in difference.where
    assert "root" in difference.where or "size" in difference.where


def test_a_head_that_stands_too_low_or_too_high_is_found(bench):
    for height in (24, 26):
        head = known(rows.read_summary(bench.store, min(height, 25))).head
        raw = msgspec.msgpack.encode(msgspec.structs.replace(head, height=height))
        assert found_in(bench.store, Area.META, rows.HEAD, raw) is not None


def test_a_ledger_of_other_rules_is_found():
    """The same bytes under a program that gives another result: a forged balance in the handler."""
    bench = written(5)

    def generous(ctx, message):
        ctx.use(toy.Purse).move(ctx.sender, message.to, message.currency, max(0, message.amount - 1))

    handlers: dict[Any, Any] = {**toy.PURSE_MODULE.handlers, toy.Pay: generous}
    modules = Modules((toy.WALLETS_MODULE, replace(toy.PURSE_MODULE, handlers=handlers), toy.REGISTRIES_MODULE))
    report = verify_ledger(bench.store, modules, MemoryStore())
    assert known(report.difference).where.startswith("module roots of block")
    assert known(report.head).height == int(known(report.difference).where.split()[-1]) - 1


def test_a_state_that_breaks_an_invariant_is_found():
    bench = written(5)
    never = replace(toy.PURSE_MODULE.invariants[0], full=lambda ctx: False)
    modules = Modules((toy.WALLETS_MODULE, replace(toy.PURSE_MODULE, invariants=(never,)), toy.REGISTRIES_MODULE))
    report = verify_ledger(bench.store, modules, MemoryStore())
    assert known(report.difference).where == "invariant purse.supply"


def test_beside_a_running_node_and_on_a_copy_of_its_store(tmp_path):
    """A secondary looks on while the node writes; then a copy of the store's folder alone is verified."""
    home, scratch, copy = tmp_path / "home", tmp_path / "scratch", tmp_path / "copy"
    signing = Signing()
    pay = toy.Pay(address("bob"), "KGS", 1)
    with rocks(home) as store, Opened(store) as ledger:
        for _ in range(20):
            ledger.engine.submit([signing.tx("alice", pay) for _ in range(50)]).wait(20)
        with SecondaryStore(home) as secondary, rocks(scratch) as empty:
            seen = known(rows.read_head(secondary)).height
            for _ in range(5):
                ledger.engine.send(signing.tx("alice", pay))
            report = verify_ledger(secondary, toy.MODULES, empty)
            assert report.sound, report.difference
            assert known(report.head).height == seen
            secondary.catch_up()
            assert known(rows.read_head(secondary)).height == seen + 5
        ledger.engine.send(signing.tx("alice", pay))
    shutil.copytree(home / "store", copy / "store")
    with SecondaryStore(copy) as secondary:
        report = verify(secondary)
        assert report.sound, report.difference
        assert known(report.head).height == seen + 6
