"""The shared function against its twin in `kerege.proofs`, and against a value computed by hand."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.commitments import commitment, content_root, inclusion_path
from kerege.proofs.merkle import leaf_hash, root_of_path
from kerege.proofs.paths import field_commitment

encodable = st.text(st.characters(codec="utf-8"))


def test_commitment_by_hand() -> None:
    salt = bytes(range(32))
    by_hand = b"kerege/field/1" + b"\x00" + b"\x07" + b"surname" + salt + "Асанова".encode()
    assert commitment("surname", salt, "Асанова") == hashlib.sha256(by_hand).digest()


@pytest.mark.parametrize(("field", "salt"), [("", bytes(32)), ("a" * 256, bytes(32)), ("a", bytes(31))])
def test_commitment_refuses_what_has_no_form(field: str, salt: bytes) -> None:
    with pytest.raises(ValueError, match="bytes"):
        commitment(field, salt, "x")


@given(field=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), value=encodable)
def test_commitment_equals_its_twin(field: str, value: str) -> None:
    salt = os.urandom(32)
    assert commitment(field, salt, value) == field_commitment(field, salt, value)


@given(count=st.integers(1, 70), data=st.data())
def test_every_field_has_a_path_that_the_verifier_accepts(count: int, data: st.DataObject) -> None:
    leaves = [os.urandom(32) for _ in range(count)]
    position = data.draw(st.integers(0, count - 1))
    path = inclusion_path(leaves, position)
    assert root_of_path(leaf_hash(leaves[position]), position, count, path) == content_root(leaves)


def test_a_path_to_nowhere_is_refused() -> None:
    with pytest.raises(IndexError):
        inclusion_path([bytes(32)], 1)
    assert content_root([]) == hashlib.sha256(b"").digest()
