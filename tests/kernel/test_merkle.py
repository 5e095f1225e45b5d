"""RFC 6962 / 9162 trees: published roots and proofs, right and wrong; several targets at once."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel import merkle

VECTORS = Path(__file__).parents[3] / "shared/vectors/merkle"

# Leaves and roots of transparency-dev/merkle, testonly/constants.go (Apache-2.0): the certificate-transparency tree.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

PUBLIC_COUNT = 98


def hashes_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def public(name: str) -> list[dict[str, Any]]:
    folder = VECTORS / name
    if not folder.exists():
        pytest.skip("../shared/vectors/merkle is absent")
    files = sorted(folder.rglob("*.json"))
    assert len(files) == PUBLIC_COUNT
    return [json.loads(file.read_text()) | {"file": str(file.relative_to(VECTORS))} for file in files]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha256(b"\1" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


def test_public_inclusion_proofs_right_and_wrong():
    wrong = 0
    for vector in public("inclusion"):
        path = [b64decode(digest) for digest in vector["proof"] or []]
        leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
        held = merkle.verify_inclusion(root, vector["treeSize"], vector["leafIdx"], leaf, path)
        assert held != vector["wantErr"], vector["file"]
        wrong += vector["wantErr"]
    assert 0 < wrong < PUBLIC_COUNT


def test_public_consistency_proofs_right_and_wrong():
    wrong = 0
    for vector in public("consistency"):
        path = [b64decode(digest) for digest in vector["proof"] or []]
        old, new = b64decode(vector["root1"]), b64decode(vector["root2"])
        held = merkle.verify_consistency(old, vector["size1"], new, vector["size2"], path)
        assert held != vector["wantErr"], vector["file"]
        wrong += vector["wantErr"]
    assert 0 < wrong < PUBLIC_COUNT


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    for leaf_hashes in (merkle.leaf_hashes, merkle.leaf_hashes_plain):
        assert merkle.root(leaf_hashes(LEAVES[:size])).hex() == ROOTS[size]


def test_requests_that_make_no_sense_are_refused():
    hashes = hashes_of(5)
    for targets in ([], [5], [-1], [2, 2], [3, 1]):
        with pytest.raises(ValueError):
            merkle.multi_path(hashes, targets)
    for old_size in (0, 6, -1):
        with pytest.raises(ValueError):
            merkle.consistency_path(hashes, old_size)


@given(st.integers(1, 70), st.data())
def test_paths_of_several_targets_hold_and_prove_nothing_else(size, data):
    hashes = hashes_of(size)
    root = merkle.root(hashes)
    assert root == naive_root(hashes)
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=4)))
    targets = [(index, hashes[index]) for index in chosen]
    path = merkle.multi_path(hashes, chosen)
    assert merkle.verify_multi(root, size, targets, path)
    assert not merkle.verify_multi(root, size, targets, [*path, root])
    assert not merkle.verify_multi(root, size, targets, path[:-1] if path else [root])
    assert not merkle.verify_multi(root, size, [], path)
    for at in range(len(path)):
        wrong = bytes([path[at][0] ^ 1]) + path[at][1:]
        assert not merkle.verify_multi(root, size, targets, [*path[:at], wrong, *path[at + 1 :]])
        assert not merkle.verify_multi(root, size, targets, [*path[:at], path[at][:-1], *path[at + 1 :]])
    for at, (index, leaf) in enumerate(targets):
        other = bytes([leaf[0] ^ 1]) + leaf[1:]
        assert not merkle.verify_multi(root, size, [*targets[:at], (index, other), *targets[at + 1 :]], path)
    if len(targets) > 1:
        assert not merkle.verify_multi(root, size, targets[::-1], path)


@given(st.integers(1, 70), st.data())
def test_one_target_gives_the_path_of_rfc_6962(size, data):
    def path(index: int, hashes: list[bytes]) -> list[bytes]:  # PATH of §2.1.1, word for word
        if len(hashes) == 1:
            return []
        k = merkle.split_point(len(hashes))
        if index < k:
            return [*path(index, hashes[:k]), naive_root(hashes[k:])]
        return [*path(index - k, hashes[k:]), naive_root(hashes[:k])]

    hashes, index = hashes_of(size), data.draw(st.integers(0, size - 1))
    made = merkle.inclusion_path(hashes, index)
    assert made == path(index, hashes)
    assert merkle.verify_inclusion(merkle.root(hashes), size, index, hashes[index], made)


@given(st.integers(1, 70), st.data())
def test_consistency_paths_hold_and_prove_nothing_else(size, data):
    hashes, old_size = hashes_of(size), data.draw(st.integers(1, size))
    old, new = merkle.root(hashes[:old_size]), merkle.root(hashes)
    path = merkle.consistency_path(hashes, old_size)
    assert merkle.verify_consistency(old, old_size, new, size, path)
    assert not merkle.verify_consistency(old, old_size, new, size, [*path, new])
    assert not merkle.verify_consistency(sha256(old).digest(), old_size, new, size, path)
    assert not merkle.verify_consistency(old, old_size, sha256(new).digest(), size, path)
    for at in range(len(path)):
        wrong = bytes([path[at][0] ^ 1]) + path[at][1:]
        assert not merkle.verify_consistency(old, old_size, new, size, [*path[:at], wrong, *path[at + 1 :]])


def test_absurd_sizes_from_outside_are_answered_with_no():
    leaf = merkle.leaf_hash(b"")
    for size, index in ((2**63, 0), (2**200, 0), (0, 0), (-1, 0), (1, 1), (1, -1)):
        assert not merkle.verify_inclusion(leaf, size, index, leaf, [])
    assert not merkle.verify_consistency(leaf, 1, leaf, 2**200, [leaf] * 300)
    assert not merkle.verify_inclusion(leaf, 2**62, 5, leaf, [leaf] * 10)
