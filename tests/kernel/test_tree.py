"""The state tree: both twins against the definition, the published roots and each other."""

import json
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel.tree import EMPTY_ROOT, StateTree, hash_pairs, make_tree, native_present, verify_path

VECTORS = Path(__file__).parents[3] / "shared/vectors/jmt/sha2_256_vectors.json"

TWINS = [
    "plain",
    pytest.param("native", marks=pytest.mark.skipif(not native_present(), reason="kerege_native is not installed")),
]


@pytest.fixture(params=TWINS)
def kind(request):
    return request.param


@pytest.fixture
def tree(kind) -> StateTree:
    return make_tree(kind)


def digest(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big")).digest()


def entries(numbers, value: int = 0) -> list[tuple[bytes, bytes]]:
    return [(digest(number), digest(value)) for number in numbers]


def naive_root(leaves: dict[bytes, bytes], depth: int = 0) -> bytes:
    """The definition: nothing, one leaf alone, or two halves."""
    if not leaves:
        return b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
    if len(leaves) == 1:
        [(key, value)] = leaves.items()
        return sha256(b"JMT::LeafNode" + key + value).digest()
    halves: list[dict[bytes, bytes]] = [{}, {}]
    for key, value in leaves.items():
        halves[key[depth // 8] >> (7 - depth % 8) & 1][key] = value
    left, right = (naive_root(half, depth + 1) for half in halves)
    return sha256(b"JMT::IntrnalNode" + left + right).digest()


def flips(data: bytes):
    for at in range(len(data)):
        yield data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


# Refusals


def test_a_repeated_key_is_refused_and_changes_nothing(tree):
    root = tree.update([(b"a", b"1"), (b"b", b"2")])
    for change in (tree.update, tree.update_hashed):
        with pytest.raises(ValueError):
            change([(digest(1), digest(1)), (digest(2), digest(2)), (digest(1), None)])
    assert (tree.root, len(tree)) == (root, 2)


@pytest.mark.parametrize("change", [(b"short", digest(1)), (digest(1), b"short")])
def test_hashes_of_another_size_are_refused(tree, change):
    with pytest.raises(ValueError):
        tree.update_hashed([change])
    with pytest.raises(ValueError):
        tree.prove(b"short")


def test_a_height_is_committed_once_and_upwards(tree):
    tree.commit(0)
    tree.commit(7)
    for height in (7, 6, -1):
        with pytest.raises(ValueError):
            tree.commit(height)
    assert tree.heights() == (-1, 7)


def test_a_height_that_is_not_held_is_refused(tree):
    for height in range(0, 400, 2):
        tree.update_hashed(entries(range(height, height + 3)))
        tree.commit(height)
    assert tree.heights() == (398 - 2 * 127, 398)
    for height in (-1, 142, 145, 399):
        with pytest.raises(LookupError):
            tree.prove(digest(1), height)
        with pytest.raises(LookupError):
            tree.root_at(height)
        with pytest.raises(LookupError):
            tree.rollback(height)
        with pytest.raises(LookupError):
            list(tree.dump(height))


def test_loading_refuses_a_repeated_key_and_a_torn_chunk(tree):
    row = digest(1) + digest(2)
    for chunks in ([row, row], [row[:-1]]):
        with pytest.raises(ValueError):
            tree.load(chunks, 3)
    assert (tree.height, len(tree)) == (-1, 0)


def test_a_damaged_dump_is_refused_and_changes_nothing(tree, kind):
    tree.load([digest(number) + digest(number) for number in range(40)], 5)
    dump = b"".join(tree.dump())
    other = make_tree(kind)
    for damaged in (*flips(dump), dump[:-1], dump[:64], dump + b"\0", b""):
        with pytest.raises(ValueError):
            other.restore([damaged])
    assert (other.root, other.height) == (EMPTY_ROOT, -1)


# Roots


def test_published_roots(tree):
    if not VECTORS.exists():
        pytest.skip("../shared/vectors/jmt is absent")
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        pairs = [(bytes.fromhex(row["key"]), bytes.fromhex(row["value"])) for row in vector["data"]]
        tree.load([], 0)
        tree.update(pairs)
        assert tree.root.hex() == vector["expected_root"]


KEYS = [digest(number) for number in range(120)]
KEYS += [bytes(30) + number.to_bytes(2, "big") for number in range(12)]  # keys that part at the very end
BLOCKS = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.none() | st.integers(0, 9), max_size=90), min_size=1, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(blocks=BLOCKS, seed=st.integers(0, 2**32))
@pytest.mark.parametrize("kind", TWINS)
def test_every_block_gives_the_root_of_the_definition_and_proofs_at_every_height(kind, blocks, seed):
    tree, random = make_tree(kind), Random(seed)
    leaves: dict[bytes, bytes] = {}
    states = [dict(leaves)]
    for height, block in enumerate(blocks):
        changes = [(key, None if value is None else digest(value)) for key, value in block.items()]
        half = random.randrange(len(changes) + 1)
        tree.update_hashed(changes[:half])
        tree.update_hashed(changes[half:])
        for key, value in changes:
            leaves.pop(key, None)
            if value is not None:
                leaves[key] = value
        assert tree.commit(height) == naive_root(leaves)
        assert len(tree) == len(leaves)
        states.append(dict(leaves))
    tree.update_hashed([(random.choice(KEYS), None)])  # not committed: no proof may show it
    for height, state in enumerate(states, start=-1):
        assert tree.root_at(height) == naive_root(state)
        for key in random.sample(KEYS, 12):
            path = tree.prove(key, height)
            assert path.value_hash == state.get(key)
            assert verify_path(tree.root_at(height), key, path.value_hash, path.siblings, path.other)
    back = random.randrange(-1, len(blocks))
    assert tree.rollback(back) == naive_root(states[back + 1])
    assert len(tree) == len(states[back + 1])
    assert tree.heights() == (-1, back)
    more = entries(range(200, 260))
    assert tree.update_hashed(more) == naive_root(states[back + 1] | dict(more))


def test_deletes_bring_the_root_back(tree):
    roots = [tree.root]
    roots += [tree.update_hashed(entries(range(step * 30, step * 30 + 30))) for step in range(20)]
    for step in reversed(range(20)):
        assert tree.root == roots[step + 1]
        tree.update_hashed([(digest(number), None) for number in range(step * 30, step * 30 + 30)])
    assert (tree.root, len(tree)) == (EMPTY_ROOT, 0)


def test_growing_in_steps_equals_loading_at_once(tree, kind):
    random = Random(1)
    numbers = list(range(5000))
    random.shuffle(numbers)
    for start in range(0, 5000, 100):
        tree.update_hashed(entries(numbers[start : start + 100]))
    loaded = make_tree(kind)
    loaded.load([digest(number) + digest(0) for number in range(5000)], 9)
    assert (loaded.root, len(loaded), loaded.height) == (tree.root, 5000, 9)
    assert loaded.root == naive_root(dict(entries(range(5000))))


def test_keys_and_values_are_hashed_inside(tree, kind):
    hashed, loaded = make_tree(kind), make_tree(kind)
    pairs = [(b"bank.balance\0a", b"\1\x05"), (b"bank.balance\0b", b"\1\x06")]
    assert tree.update(pairs) == hashed.update_hashed([(sha256(k).digest(), sha256(v).digest()) for k, v in pairs])
    assert loaded.load([hash_pairs(pairs)], 0) == tree.root
    assert tree.update([(pairs[0][0], None)]) == hashed.update_hashed([(sha256(pairs[0][0]).digest(), None)])


# Proofs


@pytest.fixture
def proven(tree):
    tree.update_hashed(entries(range(300), 1))
    tree.commit(1)
    tree.update_hashed(entries(range(50), 2))
    tree.commit(2)
    return tree


@pytest.mark.parametrize("height", [1, 2])
def test_a_presence_proof_holds_for_nothing_else(proven, height):
    root, key = proven.root_at(height), digest(7)
    path = proven.prove(key, height)
    value = path.value_hash
    assert value == digest(height)
    assert verify_path(root, key, value, path.siblings, None)
    assert not any(verify_path(changed, key, value, path.siblings, None) for changed in flips(root))
    assert not any(verify_path(root, changed, value, path.siblings, None) for changed in flips(key))
    assert not any(verify_path(root, key, changed, path.siblings, None) for changed in flips(value))
    assert not any(verify_path(root, key, value, changed, None) for changed in flips(path.siblings))
    assert not verify_path(root, key, value, path.siblings, key + value)
    assert not verify_path(root, key, None, path.siblings, key + value)
    for siblings in (path.siblings[32:], path.siblings[:-32], path.siblings[:-1], path.siblings + bytes(32)):
        assert not verify_path(root, key, value, siblings, None)
    assert not verify_path(root, key, None, path.siblings, None)


@pytest.mark.parametrize("height", [1, 2])
def test_an_absence_proof_holds_for_nothing_else(proven, height):
    root = proven.root_at(height)
    kinds = set()
    for key in map(digest, range(1000, 1200)):
        path = proven.prove(key, height)
        kinds.add(path.other is None)
        assert path.value_hash is None
        assert verify_path(root, key, None, path.siblings, path.other)
        assert not any(verify_path(root, key, None, changed, path.other) for changed in flips(path.siblings))
        if path.other is not None:
            assert not any(verify_path(root, key, None, path.siblings, changed) for changed in flips(path.other))
            assert not verify_path(root, key, None, path.siblings, path.other + b"\0")
            assert not verify_path(root, key, None, path.siblings, None)
            assert not verify_path(root, path.other[:32], None, path.siblings, path.other)
    assert kinds == {True, False}


def test_a_leaf_from_elsewhere_proves_no_absence(proven):
    """A true leaf of the tree, but not in the key's place: the key could still be elsewhere."""
    there, root = digest(3), proven.root
    path = proven.prove(there)
    other = there + path.value_hash
    elsewhere = bytes([there[0] ^ 0x80]) + there[1:]
    assert not verify_path(root, elsewhere, None, path.siblings, other)


def test_an_empty_tree_and_a_tree_of_one(tree):
    assert tree.prove(digest(1)) == (None, b"", None)
    assert verify_path(EMPTY_ROOT, digest(1), None, b"", None)
    tree.update_hashed(entries([1], 5))
    assert tree.prove(digest(1)) == (None, b"", None)  # not committed yet
    tree.commit(0)
    assert tree.prove(digest(1)) == (digest(5), b"", None)
    assert tree.prove(digest(2)) == (None, b"", digest(1) + digest(5))
    assert tree.prove(digest(1), -1) == (None, b"", None)


# History


def test_rollback_to_the_last_height_drops_what_was_not_committed(tree):
    tree.update_hashed(entries(range(50)))
    root = tree.commit(4)
    tree.update_hashed(entries(range(25, 90), 8))
    assert tree.rollback(4) == root == tree.root
    assert (len(tree), tree.height) == (50, 4)


def test_many_heights_with_growth_stay_provable(tree):
    leaves: dict[bytes, bytes] = {}
    roots = {}
    for height in range(200):
        changes = entries(range(height * 7, height * 11 + 5), height)
        tree.update_hashed(changes)
        leaves.update(dict(changes))
        roots[height] = tree.commit(height)
    oldest, newest = tree.heights()
    assert (oldest, newest) == (72, 199)
    for height in (72, 73, 100, 198, 199):
        assert tree.root_at(height) == roots[height]
        for number in (0, height * 7, height * 11 + 4, height * 11 + 5, 5000):
            path = tree.prove(digest(number), height)
            assert (path.value_hash is not None) == (number < height * 11 + 5)
            assert verify_path(roots[height], digest(number), path.value_hash, path.siblings, path.other)
    for height in (150, 72):
        assert tree.rollback(height) == roots[height]


@pytest.mark.parametrize("cut", [1, 64, 1000, 1 << 20])
def test_a_dump_restores_the_tree_however_it_is_cut(tree, kind, cut):
    tree.load([digest(number) + digest(0) for number in range(20_000)], 41)
    dump = b"".join(tree.dump())
    pieces = [dump] if cut == 1 else [dump[at : at + cut] for at in range(0, len(dump), cut)]
    restored = make_tree(kind)
    assert restored.restore(pieces) == tree.root
    assert (restored.height, len(restored)) == (41, 20_000)
    assert restored.prove(digest(3)) == tree.prove(digest(3))
    changes = entries(range(19_990, 20_300), 1)
    assert restored.update_hashed(changes) == tree.update_hashed(changes)


def test_a_dump_of_an_old_height_is_of_that_height_whatever_happens_meanwhile(tree, kind):
    tree.load([digest(number) + digest(0) for number in range(30_000)], 1)
    root = tree.root
    chunks = []
    for height, chunk in enumerate(tree.dump(1), start=2):
        chunks.append(chunk)
        tree.update_hashed([*entries(range(height * 500, height * 500 + 400), 7), (digest(height), None)])
        tree.commit(height)
    restored = make_tree(kind)
    assert restored.restore(chunks) == root
    assert (restored.height, len(restored)) == (1, 30_000)


def test_a_dump_stops_where_its_height_is_gone(tree):
    tree.load([digest(number) + digest(0) for number in range(30_000)], 1)
    dump = tree.dump()
    next(dump)
    for height in range(2, 131):
        tree.commit(height)
    with pytest.raises(LookupError):
        list(dump)


@pytest.mark.skipif(not native_present(), reason="kerege_native is not installed")
def test_twins_agree_byte_for_byte():
    plain, native, random = make_tree("plain"), make_tree("native"), Random(3)
    for height in range(30):
        changes: list[tuple[bytes, bytes | None]] = [
            (digest(number), None if random.random() < 0.3 else random.randbytes(32))
            for number in random.sample(range(3000), 150)
        ]
        assert plain.update_hashed(changes) == native.update_hashed(changes)
        assert plain.commit(height) == native.commit(height)
    for height in (-1, 0, 12, 28, 29):
        assert b"".join(plain.dump(height)) == b"".join(native.dump(height))
        for number in range(0, 3000, 29):
            assert plain.prove(digest(number), height) == native.prove(digest(number), height)
    assert plain.rollback(11) == native.rollback(11)
    assert plain.heights() == native.heights()


def test_an_unknown_kind_of_tree_is_refused():
    with pytest.raises(ValueError):
        make_tree("fast")
