"""The log: every root and path equals that of the plain tree, across tiles, reopening and rollback."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel import merkle
from kerege.kernel.log import Log, tile_hashes

LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]


class Tiles(dict[tuple[int, int], bytes]):
    """A store of tiles that counts what is read."""

    reads = 0

    def read(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self[level, index]


def filled(sizes) -> tuple[Log, Tiles]:
    tiles = Tiles()
    log = Log(0, tiles.read)
    for size in sizes:
        log.append(LEAVES[log.size : size])
        pending = log.pending_tiles()
        tiles.update(pending)
        log.stored(pending)
    return log, tiles


def test_refusals():
    log, tiles = filled([300])
    for leaves in ([b"short"], [bytes(33)], [bytes(31), bytes(33)]):
        with pytest.raises(ValueError):
            log.append(leaves)
    assert (log.size, log.root()) == (300, merkle.root(LEAVES[:300]))
    for size in (301, -1):
        with pytest.raises(ValueError):
            log.root(size)
    for targets in ([], [300], [4, 4], [-1]):
        with pytest.raises(ValueError):
            log.multi_path(targets)
    with pytest.raises(ValueError):
        log.inclusion_path(250, 250)
    with pytest.raises(ValueError):
        log.consistency_path(0)
    with pytest.raises(ValueError):
        Log(310, tiles.read)
    with pytest.raises(KeyError):
        Log(600, tiles.read)


def test_a_damaged_tile_is_refused():
    _, tiles = filled([600])
    tiles[0, 0] = tiles[0, 0][:-32]
    with pytest.raises(ValueError):
        Log(600, tiles.read).inclusion_path(7)


def test_an_empty_log():
    log = Log(0, Tiles().read)
    log.append([])
    assert (log.size, log.root(), log.pending_tiles()) == (0, merkle.EMPTY, {})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6), st.booleans(), st.data())
def test_roots_and_paths_equal_those_of_the_plain_tree(steps, reopen, data):
    sizes = [sum(steps[: number + 1]) for number in range(len(steps))]
    log, tiles = filled(sizes)
    end = sizes[-1]
    if reopen:
        end = data.draw(st.integers(0, end))  # also smaller than stored: as after a rollback
        log = Log(end, tiles.read)
    for size in {end, *data.draw(st.lists(st.integers(0, end), max_size=3))}:
        assert log.root(size) == merkle.root(LEAVES[:size])
        if not size:
            continue
        targets = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=3)))
        assert log.multi_path(targets, size) == merkle.multi_path(LEAVES[:size], targets)
        assert log.inclusion_path(targets[0], size) == merkle.inclusion_path(LEAVES[:size], targets[0])
        old = data.draw(st.integers(1, size))
        assert log.consistency_path(old, size) == merkle.consistency_path(LEAVES[:size], old)
    log.append(LEAVES[end : end + 300])
    assert log.root() == merkle.root(LEAVES[: end + 300])


def test_three_levels_of_tiles():
    size = 65_536 + 777
    log, tiles = filled([*range(1000, size, 9000), size])
    assert set(tiles) == {(0, i) for i in range(260)} | {(1, 0), (1, 1), (2, 0)}
    root = merkle.root(LEAVES[:size])
    random = Random(5)
    for subject in (log, Log(size, tiles.read)):
        assert subject.root() == root
        for index in [0, 255, 256, 65_535, 65_536, size - 1, *random.sample(range(size), 20)]:
            path = subject.inclusion_path(index)
            assert merkle.verify_inclusion(root, size, index, LEAVES[index], path)
            if index < size - 1:
                path = subject.multi_path([index, size - 1])
                assert merkle.verify_multi(root, size, [(index, LEAVES[index]), (size - 1, LEAVES[size - 1])], path)
        for old in (1, 256, 1000, 65_536, 65_537, size):
            path = subject.consistency_path(old)
            assert merkle.verify_consistency(merkle.root(LEAVES[:old]), old, root, size, path)


def test_tiles_have_the_public_geometry():
    _, tiles = filled([700])
    assert tile_hashes(tiles[0, 0]) == b"".join(LEAVES[:256])
    assert tile_hashes(tiles[0, 1]) == b"".join(LEAVES[256:512])
    assert tile_hashes(tiles[0, 2]) == b"".join(LEAVES[512:700])
    assert tile_hashes(tiles[1, 0]) == merkle.root(LEAVES[:256]) + merkle.root(LEAVES[256:512])
    assert set(tiles) == {(0, 0), (0, 1), (0, 2), (1, 0)}


@pytest.mark.parametrize("count", range(257))
def test_the_public_part_of_every_partial_tile(count):
    _, tiles = filled([count])
    assert tile_hashes(tiles.get((0, 0), b"")) == b"".join(LEAVES[:count])


def test_tiles_stay_in_memory_until_they_are_stored():
    tiles = Tiles()
    log = Log(0, tiles.read)
    log.append(LEAVES[:1000])
    first = log.pending_tiles()
    log.append(LEAVES[1000:1500])  # the next block, before the first is durable
    assert log.inclusion_path(3) == merkle.inclusion_path(LEAVES[:1500], 3)
    assert tiles.reads == 0
    second = log.pending_tiles()
    tiles.update(first)
    log.stored(first)
    assert second.keys() >= log.pending_tiles().keys() >= {(0, 3), (0, 4), (0, 5)}  # 3 was partial in the first
    tiles.update(second)
    log.stored(second)
    assert log.pending_tiles() == {}
    assert Log(1500, tiles.read).root() == log.root() == merkle.root(LEAVES[:1500])


def test_memory_is_bounded_by_a_small_cache():
    log, tiles = filled(range(5000, 70_001, 5000))
    for index in range(0, 70_000, 128):
        log.inclusion_path(index)
    assert len(log._cache) <= 64
    assert not log._pending
    reads = tiles.reads
    log.inclusion_path(69_000)
    assert tiles.reads <= reads + 1
