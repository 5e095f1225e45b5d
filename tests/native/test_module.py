"""What the native package offers besides trees and signatures, and that it bears several threads."""

import threading
from hashlib import sha256

import pytest

from kerege.kernel.tree import make_tree, verify_path

native = pytest.importorskip("kerege_native", reason="kerege_native is not installed")


def digest(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big")).digest()


def test_hash_helpers_equal_hashlib():
    items = [bytes(size) for size in (0, 1, 55, 56, 63, 64, 65, 1000)]
    assert native.sha256_many(items) == b"".join(sha256(item).digest() for item in items)
    assert native.leaf_hashes(items) == [sha256(b"\0" + item).digest() for item in items]
    pairs = list(zip(items, reversed(items), strict=True))
    assert native.hash_pairs(pairs) == b"".join(sha256(part).digest() for pair in pairs for part in pair)


def test_other_types_are_refused():
    tree = make_tree("native")
    with pytest.raises(TypeError):
        tree.update([("text", b"")])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        tree.load(["text"], 0)  # type: ignore[list-item]
    with pytest.raises(TypeError):
        native.sha256_many([1])


def test_proofs_of_a_committed_height_hold_while_the_next_blocks_are_applied():
    tree = make_tree("native")
    tree.load([digest(number) + digest(0) for number in range(20_000)], 0)
    wrong: list[int] = []
    stop = threading.Event()

    def prove() -> None:
        number = 0
        while not stop.is_set():
            number = (number + 977) % 21_000
            height = tree.height
            path = tree.prove(digest(number), height)
            if not verify_path(tree.root_at(height), digest(number), path.value_hash, path.siblings, path.other):
                wrong.append(number)

    provers = [threading.Thread(target=prove) for _ in range(2)]
    for prover in provers:
        prover.start()
    for height in range(1, 60):
        tree.update_hashed([(digest(number), digest(height)) for number in range(height * 300, height * 300 + 1000)])
        tree.commit(height)
    stop.set()
    for prover in provers:
        prover.join()
    assert wrong == []
