"""`kerege diff-state`: from two app hashes to the one row that one member holds otherwise."""

import json
import shutil
from pathlib import Path

import pytest

from kerege.consensus import rows
from kerege.consensus.replica import Replica
from kerege.consensus.trees import new_trees
from kerege.kernel.module import Modules
from kerege.kernel.tree import hash_pairs
from kerege.modules import MODULES
from kerege.modules.bank.state import BALANCES
from kerege.node.divergence import keep_state
from kerege.node.home import Home
from kerege.node.ledger import machine_at
from kerege.node.replica import create_replica
from kerege.storage.port import Area, Batch, Store
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from tests.cli.program import REFUSED, UNUSABLE, kerege
from tests.consensus.test_replica import GENESIS, START, begun, decide, pay, replica

ALTERED = BALANCES.encode_key((names.address("bob"), "KGS"))
BEFORE, AFTER = 10, 15


def member(folder: Path) -> Home:
    home = Home(folder)
    create_replica(home, GENESIS, nation="kg", dev=True)
    with RocksStore(home.path) as store:
        each = begun(store)
        for height in range(1, BEFORE + 1):
            decide(each, height, pay("alice", height - 1), time=START + height)
    return home


def go_on(home: Home, until: int, *, alter: bool = False) -> None:
    """Further blocks; with `alter`, by a program that takes an altered row for the truth."""
    with RocksStore(home.path) as store:
        each = replica(store) if not alter else _altered(store)
        for height in range(BEFORE + 1, until + 1):
            decide(each, height, pay("alice", height - 1), time=START + height)


def _altered(store: Store) -> Replica:
    batch = Batch()
    batch.put(Area.STATE, ALTERED, BALANCES.encode_value(777))
    store.write(batch)
    modules, head = Modules(MODULES), rows.read_head(store)
    assert head is not None
    trees = new_trees(modules)
    for name, tree in zip(modules.names, trees, strict=True):
        bounds = f"{name}.".encode(), f"{name}/".encode()
        tree.load([hash_pairs(list(store.scan(Area.STATE, *bounds)))], head.height)
    return Replica(machine_at(modules, store, "kg-test", "kg", head, trees), store, now=lambda: START)


@pytest.fixture(scope="session")
def pair_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members that part at block 11 and stand at blocks 15 and 18."""
    folder = tmp_path_factory.mktemp("pair")
    member(folder / "good")
    shutil.copytree(folder / "good", folder / "bad")
    go_on(Home(folder / "good"), AFTER)
    go_on(Home(folder / "bad"), AFTER + 3, alter=True)
    return folder


@pytest.fixture
def pair(pair_once, tmp_path) -> tuple[Path, Path]:
    for name in ("good", "bad"):
        shutil.copytree(pair_once / name, tmp_path / name)
    return tmp_path / "good", tmp_path / "bad"


def test_the_row_that_parts_two_members_is_told(pair):
    done = kerege("diff-state", *pair, "--json")
    assert done.code == REFUSED
    told = done.json
    assert (told["equal"], told["height"], told["first_different_block"], told["more"]) == (False, 15, BEFORE + 1, 0)
    assert list(told["module_roots"]) == ["bank"]
    assert told["app_hash"]["one"] != told["app_hash"]["other"]
    (row,) = told["rows"]
    assert (row["module"], row["table"], row["key"][1]) == ("bank", "bank.balance", "KGS")
    assert row["key"][0].startswith("kg1")
    assert (row["one"], row["other"]) == ("1000", "777")
    shown = kerege("diff-state", *pair)
    assert shown.code == REFUSED
    assert all(word in shown.out for word in ("777", "bank.balance", "first_different_block"))


def test_a_disk_that_changed_a_row_is_told_although_no_root_says_so(pair):
    """Before the blocks that noticed: all roots are equal, the rows are not."""
    told = kerege("diff-state", *pair, "--height", str(BEFORE), "--json").json
    assert (told["equal"], told["first_different_block"], told["module_roots"]) == (False, None, {})
    assert [row["table"] for row in told["rows"]] == ["bank.balance"]
    few = kerege("diff-state", *pair, "--limit", "0", "--json").json
    assert (few["rows"], few["more"]) == ([], 1)


def test_equal_members_are_equal_at_their_newest_common_height(pair, tmp_path):
    shutil.copytree(pair[0], tmp_path / "ahead")
    with RocksStore(tmp_path / "ahead") as store:
        each = replica(store)
        for height in range(AFTER + 1, AFTER + 5):
            decide(each, height, pay("alice", height - 1), time=START + height)
    done = kerege("diff-state", pair[0], tmp_path / "ahead", "--json")
    assert done.code == 0
    assert (done.json["equal"], done.json["height"], done.json["rows"]) == (True, AFTER, [])


def test_bytes_that_are_no_value_are_shown_as_they_are(pair):
    with RocksStore(pair[1]) as store:
        batch = Batch()
        batch.put(Area.STATE, ALTERED, b"\x09\xc1")
        batch.put(Area.STATE, b"bank.nothing\0\1", b"\1")
        store.write(batch)
    told = kerege("diff-state", *pair, "--json").json
    assert [row["other"] for row in told["rows"]] == [{"bytes": "09c1"}, {"bytes": "01"}]
    assert told["rows"][1]["one"] is None
    assert told["rows"][1]["key"] == ["01"]


def test_a_dump_stands_for_the_member(pair):
    good, bad = pair
    folder = keep_state(Home(bad), "panic: wrong Block.Header.AppHash")
    assert folder == keep_state(Home(bad), "again")
    assert folder == bad / "divergence" / str(AFTER + 3)
    about = json.loads((folder / "divergence.json").read_text())
    assert about["engine"].startswith("panic")
    assert set(about["module_roots"]) == set(Modules(MODULES).names)
    shutil.rmtree(bad / "store")
    told = kerege("diff-state", good, folder, "--json").json
    assert [(row["one"], row["other"]) for row in told["rows"]] == [("1000", "777")]
    assert (told["height"], told["first_different_block"]) == (AFTER, BEFORE + 1)


def test_what_cannot_be_compared_is_said_in_a_sentence(pair, tmp_path):
    good, bad = pair
    stranger = Home(tmp_path / "stranger")
    create_replica(stranger, GENESIS, nation="kg", dev=True)
    empty = kerege("diff-state", good, stranger.path)
    with RocksStore(stranger.path) as store:
        batch = Batch()
        batch.put(Area.META, rows.GENESIS, b"another")
        batch.put(Area.META, rows.HEAD, b"another")
        store.write(batch)
    for done, reason in (
        (empty, "no ledger is here yet"),
        (kerege("diff-state", good, stranger.path), "same genesis"),
        (kerege("diff-state", good, bad, "--height", "16"), "newest common one is 15"),
        (kerege("diff-state", good, tmp_path / "missing"), "is not a home"),
    ):
        assert done.code == UNUSABLE
        assert reason in done.err


def test_heights_that_are_gone_are_said_to_be(pair):
    good, bad = pair
    with RocksStore(good) as store:
        batch = Batch()
        batch.delete_range(Area.UNDO, b"", rows.height_key(13))
        store.write(batch)
    done = kerege("diff-state", good, bad, "--height", "11")
    assert done.code == UNUSABLE
    assert "undo rows reach back to height 12" in done.err
    assert kerege("diff-state", good, bad, "--height", "12").code == REFUSED
