"""Trees at start: from a good dump with its older heights, from the state where the dump is anything else."""

import shutil

import pytest

from kerege.consensus import rows, trees
from kerege.consensus.trees import Damaged, SharedTree, apply_changes, dump_trees, open_trees
from kerege.kernel.tree import PlainTree
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Batch
from tests.consensus.test_replica import START as BEGAN
from tests.consensus.test_replica import begun, decide, pay
from tests.kernel import toy
from tests.kernel.bench import START, Bench, address, known

PAY = toy.Pay(address("bob"), "KGS", 1)


def quiet(*_):
    pass


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    for height in range(40):
        bench.run(bench.tx("alice", PAY), bench.tx("dina", toy.Note("n", 3, "x")), time=START + height)
    return bench


@pytest.fixture(params=["", "plain"])
def kind(request) -> str:
    return str(request.param)


def heights(opened) -> set[tuple[int, int]]:
    return {tree.heights() for tree in opened}


def test_a_dump_brings_the_older_heights_back(bench, kind, tmp_path):
    dumped = dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    assert dumped == 0
    for _ in range(5):
        bench.one("alice", PAY)
    opened = open_trees(toy.MODULES, bench.store, bench.head, tmp_path, quiet, kind)
    assert heights(opened) == {(0, 45)}
    for height in range(46):
        summary = known(rows.read_summary(bench.store, height))
        assert [tree.root_at(height) for tree in opened] == summary.head.module_roots


def test_without_a_dump_they_are_built_from_the_state(bench, kind):
    told: list[tuple[str, int]] = []
    for folder in (None,):
        opened = open_trees(toy.MODULES, bench.store, bench.head, folder, lambda *a: told.append(a), kind)
        assert heights(opened) == {(40, 40)}
        assert [tree.root for tree in opened] == bench.head.module_roots


def test_progress_is_told_for_large_states(bench, monkeypatch):
    monkeypatch.setattr(trees, "CHUNK", 10)
    told: list[tuple[str, int]] = []
    open_trees(toy.MODULES, bench.store, bench.head, None, lambda *a: told.append(a))
    assert ("purse", 120) in told


@pytest.mark.parametrize("harm", ["flipped", "cut", "empty", "missing", "another's", "a folder", "draft only"])
def test_a_damaged_dump_costs_time_only(bench, tmp_path, harm, kind):
    dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    path = tmp_path / "tree-purse.dump"
    raw = path.read_bytes()
    if harm == "flipped":
        path.write_bytes(raw[:500] + bytes([raw[500] ^ 1]) + raw[501:])
    elif harm == "cut":
        path.write_bytes(raw[:-64])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "another's":
        shutil.copy(tmp_path / "tree-wallets.dump", path)
    else:
        path.unlink()
    if harm == "a folder":
        path.mkdir()
    if harm == "draft only":
        path.with_suffix(".draft").write_bytes(raw)
    opened = open_trees(toy.MODULES, bench.store, bench.head, tmp_path, quiet, kind)
    assert [tree.root for tree in opened] == bench.head.module_roots
    if harm != "another's":
        assert heights(opened) == {(40, 40)}


def test_dumps_of_different_heights_are_not_mixed(bench, tmp_path):
    """As a crash between the files of two dumps leaves them."""
    dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    old = (tmp_path / "tree-purse.dump").read_bytes()
    for _ in range(130):
        bench.one("alice", PAY)
    dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    (tmp_path / "tree-purse.dump").write_bytes(old)
    opened = open_trees(toy.MODULES, bench.store, bench.head, tmp_path, quiet)
    assert heights(opened) == {(170, 170)}


def test_a_dump_newer_than_the_store_is_not_used(bench, tmp_path):
    """A store restored from a backup beside a newer trees folder."""
    backup, batch = MemoryStore(), Batch()
    for area in Area:
        batch.update(area, dict(bench.store.scan(area)))
    backup.write(batch)
    head = bench.head
    for _ in range(200):
        bench.one("alice", PAY)
    dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    opened = open_trees(toy.MODULES, backup, head, tmp_path, quiet)
    assert heights(opened) == {(40, 40)}
    assert [tree.root for tree in opened] == head.module_roots


def test_a_dump_too_old_for_the_undo_rows_is_not_used(bench, tmp_path):
    dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    for _ in range(200):
        bench.one("alice", PAY)
    opened = open_trees(toy.MODULES, bench.store, bench.head, tmp_path, quiet)
    assert heights(opened) == {(240, 240)}


def test_a_dump_is_of_a_height_that_is_durable(bench, tmp_path):
    """Trees are ahead of the store while a block is being written."""
    bench.run(bench.tx("alice", PAY), commit=False)
    assert dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path, spare=1_000) == 40
    opened = open_trees(toy.MODULES, bench.store, known(rows.read_head(bench.store)), tmp_path, quiet)
    assert heights(opened) == {(40, 40)}


def test_a_start_replays_no_more_than_patience_allows(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "REPLAYED_CHANGES", 60)
    dumped = dump_trees(toy.MODULES, bench.store, bench.machine.trees, tmp_path)
    assert 25 < dumped < 40


def test_a_state_that_does_not_fit_its_head_is_told_with_the_cure(bench):
    batch = Batch()
    batch.put(Area.STATE, toy.BALANCES.encode_key((address("bob"), "KGS")), b"\x01\x07")
    bench.store.write(batch)
    with pytest.raises(Damaged, match=r"purse.*restore it"):
        open_trees(toy.MODULES, bench.store, bench.head, None, quiet)
    with pytest.raises(Damaged, match="no block"):
        dump_trees(toy.MODULES, MemoryStore(), bench.machine.trees, None)  # type: ignore[arg-type]


def test_a_shared_tree_is_the_tree_behind_it():
    plain, shared = PlainTree(), SharedTree(PlainTree())
    pairs = [(b"toy.a" + bytes([n]), bytes([n])) for n in range(50)]
    for tree in (plain, shared):
        tree.update(pairs[:30])
        tree.commit(0)
        tree.update(pairs[30:])
        tree.commit(1)
    assert (shared.root, shared.height, len(shared)) == (plain.root, plain.height, len(plain))
    assert (shared.root_at(0), shared.heights()) == (plain.root_at(0), plain.heights())
    assert shared.prove(b"k" * 32, 0) == plain.prove(b"k" * 32, 0)
    assert b"".join(shared.dump(0)) == b"".join(plain.dump(0))
    again = SharedTree(PlainTree())
    assert again.restore(shared.dump()) == plain.root
    assert again.load([b"h" * 64], 5) == again.root
    assert again.update_hashed([(b"x" * 32, b"y" * 32)]) == again.root
    assert again.rollback(5) == again.root_at(5)


def test_changes_go_to_the_tree_of_their_module(bench):
    opened = trees.new_trees(toy.MODULES)
    apply_changes(toy.MODULES, opened, 0, list(bench.state().items()))
    assert [tree.root for tree in opened] == bench.head.module_roots


def test_empty_blocks_of_an_engine_leave_gaps_that_a_dump_survives(tmp_path):
    store = MemoryStore()
    each = begun(store)
    for height in range(3, 60, 3):
        decide(each, height, pay("alice", height // 3 - 1), time=BEGAN + height)
        decide(each, height + 1, time=BEGAN + height)
    modules, head = each.machine.modules, known(rows.read_head(store))
    assert dump_trees(modules, store, each.machine.trees, tmp_path) == 0
    opened = open_trees(modules, store, head, tmp_path, quiet)
    assert heights(opened) == {(0, head.height)}
    assert [tree.root for tree in opened] == head.module_roots
