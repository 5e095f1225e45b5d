"""Twins of the sealing agree."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.dossiers.ports import RowKeys
from kerege.dossiers.sealing import prf, prf_plain, seal_many, seal_many_plain, unseal
from kerege.dossiers.sheets import OpenSheet, Sealed, Sheet, salts_of, seal_plain, seal_sheets

NAMES = tuple(f"field-{number}" for number in range(68))
parts = st.lists(st.binary(max_size=80) | st.text(max_size=20) | st.integers(0, 2**64 - 1), max_size=5)


def sheet(names: tuple[str, ...], values: tuple[str, ...]) -> Sheet:
    keys = RowKeys(os.urandom(32), 1, os.urandom(32), None)
    return Sheet(keys, names, values, os.urandom(32))


def opened(asked: Sheet, done: Sealed) -> list[tuple[str, bytes, str]]:
    return [(one.field, one.salt, one.value) for one in OpenSheet(asked.keys, done.row).open_all()]


@given(key=st.binary(max_size=100), parts=parts)
def test_twins_name_alike(key: bytes, parts: list[bytes | str | int]) -> None:
    assert prf(key, *parts) == prf_plain(key, *parts)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_without_a_form_is_refused_by_both(number: int) -> None:
    for twin in (prf, prf_plain):
        with pytest.raises(OverflowError):
            twin(b"key", number)


@given(rows=st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=80)), max_size=5))
def test_twins_seal_small_rows_alike(rows: list[tuple[bytes, bytes]]) -> None:
    key, nonces = os.urandom(32), os.urandom(12 * len(rows))
    sealed = seal_many(key, rows)
    assert [unseal(key, row, bound) for row, (_, bound) in zip(sealed, rows, strict=True)] == [one for one, _ in rows]
    plain = seal_many_plain(key, rows, nonces)
    assert [unseal(key, row, bound) for row, (_, bound) in zip(plain, rows, strict=True)] == [one for one, _ in rows]


def test_a_key_of_another_length_is_refused_by_both() -> None:
    with pytest.raises(ValueError, match="length"):
        seal_many(bytes(31), [(b"plain", b"bound")])
    with pytest.raises(ValueError, match="bit"):
        seal_many_plain(bytes(31), [(b"plain", b"bound")], bytes(12))


def test_salts_are_the_published_key_stream() -> None:
    """McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14: blocks 0, 1 and 2 under zeros."""
    first, second = salts_of(bytes(32), 2)
    assert first.hex() == "dc95c078a2408989ad48a21492842087" + "530f8afbc74536b9a963b4f1c4cb738b"
    assert second.hex().startswith("cea7403d4d606b6e074ec5d3baf39d18")


@given(fields=st.lists(st.tuples(st.text("abc", min_size=1, max_size=40), st.text(max_size=300)), max_size=9))
def test_twins_seal_sheets_alike(fields: list[tuple[str, str]]) -> None:
    named = dict(fields)
    asked = [sheet(tuple(named), tuple(named.values())), sheet(NAMES, NAMES)]
    for one, plain, native in zip(asked, seal_plain(asked), seal_sheets(asked), strict=True):
        assert (plain.commitments, plain.root) == (native.commitments, native.root)
        assert opened(one, plain) == opened(one, native)
        assert len(plain.row) == len(native.row)
