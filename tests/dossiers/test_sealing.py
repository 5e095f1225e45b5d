"""Twins of the sealing agree."""

import os
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.dossiers import errors
from kerege.dossiers.ports import RowKeys
from kerege.dossiers.sealing import (
    Parts,
    join,
    join_plain,
    pad,
    prf,
    prf_many,
    prf_many_plain,
    prf_plain,
    seal,
    seal_many,
    seal_many_plain,
    unseal,
)
from kerege.dossiers.sheets import OpenSheet, Sealed, Sheet, names_id, salts_of, seal_plain, seal_sheets
from kerege.kernel.commitments import commitment

Twin = Callable[[Sequence[Sheet]], list[Sealed]]
NAMES = tuple(f"field-{number}" for number in range(68))
parts = st.lists(st.binary(max_size=80) | st.text(max_size=20) | st.integers(0, 2**64 - 1), max_size=5).map(tuple)


def sheet(names: tuple[str, ...], values: tuple[str, ...]) -> Sheet:
    keys = RowKeys(os.urandom(32), 1, os.urandom(32), None)
    return Sheet(keys, names, values, os.urandom(32))


def opened(asked: Sheet, done: Sealed) -> list[tuple[str, bytes, str]]:
    sheet = OpenSheet(asked.keys, done.row, {names_id(asked.names): asked.names}.__getitem__)
    return [(one.field, one.salt, one.value) for one in sheet.open_all()]


@given(key=st.binary(max_size=100), lists=st.lists(parts, max_size=4))
def test_twins_name_alike(key: bytes, lists: list[Parts]) -> None:
    names = prf_many(key, lists)
    assert names == prf_many_plain(key, lists) == [prf(key, *parts) for parts in lists]
    assert [join(*parts) for parts in lists] == [join_plain(*parts) for parts in lists]


@pytest.mark.parametrize(
    ("part", "fault"), [(-1, OverflowError), (2**64, OverflowError), ("\ud800", UnicodeEncodeError)]
)
def test_a_part_without_a_form_is_refused_by_both(part: int | str, fault: type[Exception]) -> None:
    for twin in (partial(prf, b"key"), partial(prf_plain, b"key"), join, join_plain):
        with pytest.raises(fault):
            twin(part)
    for many in (prf_many, prf_many_plain):
        with pytest.raises(fault):
            many(b"key", [("fine",), (part,)])


@given(rows=st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=80)), max_size=5))
def test_twins_seal_small_rows_alike(rows: list[tuple[bytes, bytes]]) -> None:
    key, nonces = os.urandom(32), os.urandom(12 * len(rows))
    sealed = seal_many(key, rows)
    assert [unseal(key, row, bound) for row, (_, bound) in zip(sealed, rows, strict=True)] == [one for one, _ in rows]
    plain = seal_many_plain(key, rows, nonces)
    assert [unseal(key, row, bound) for row, (_, bound) in zip(plain, rows, strict=True)] == [one for one, _ in rows]


def test_a_key_of_another_length_is_refused_by_the_plain_twin() -> None:
    with pytest.raises(ValueError, match="bit"):
        seal_many_plain(bytes(31), [(b"plain", b"bound")], bytes(12))


def test_a_key_of_another_length_is_refused_by_the_native_twin() -> None:
    pytest.importorskip("kerege_native", reason="kerege_native is not installed")
    with pytest.raises(ValueError, match="length"):
        seal_many(bytes(31), [(b"plain", b"bound")])


def test_salts_are_the_published_key_stream() -> None:
    """McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14: blocks 0, 1 and 2 under zeros."""
    first, second = salts_of(bytes(32), ("a", "b"))
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


def released(asked: Sheet, *names: str) -> RowKeys:
    """The keys that a look at these fields gets."""
    return RowKeys(asked.keys.locator, asked.keys.version, asked.keys.whole(), names)


@pytest.mark.parametrize("twin", [seal_plain, seal_sheets])
def test_a_field_opens_with_its_own_key_alone_whether_it_is_empty_or_not(twin: Twin) -> None:
    asked = sheet(("surname", "patronymic", "sex"), ("Асанова", "", ""))
    (done,) = twin([asked])
    lists = {names_id(asked.names): asked.names}.__getitem__
    look = OpenSheet(released(asked, "surname", "patronymic"), done.row, lists)
    assert [look.open(name).value for name in asked.names[:2]] == ["Асанова", ""]
    for name in asked.names[:2]:
        assert OpenSheet(released(asked, name), done.row, lists).open(name).commitment() in look.commitments
    with pytest.raises(errors.FieldNotGranted):
        look.open("sex")
    with pytest.raises(errors.FieldUnknown):
        look.open("pin")


def test_what_salts_of_empty_fields_are_drawn_from_opens_no_other() -> None:
    seed = os.urandom(32)
    one, other = salts_of(seed, ("Асанова", "")), salts_of(seed, ("", ""))
    assert one[0] != other[0]
    assert one[1] == other[1]


def test_a_row_of_before_lists_of_names_were_kept_apart_opens() -> None:
    """Every field was sealed under a nonce of its own, and its name stood beside it."""
    asked = sheet(("surname", "patronymic"), ("Асанова", ""))
    keys, version = asked.keys, asked.keys.version
    salts = [os.urandom(32), os.urandom(32)]
    slots = []
    for name, salt, value in zip(asked.names, salts, asked.values, strict=True):
        bound = join("kerege/sealed-field/1", keys.locator, name, version)
        slots.append((name, commitment(name, salt, value), seal(keys.field(name), salt + value.encode(), bound)))
    cover = pad(msgspec.msgpack.encode((slots,)), 4096)
    row = seal(keys.cover(), cover, join("kerege/cover/1", keys.locator, version))
    found = OpenSheet(keys, row, lambda _: ())
    assert [(one.field, one.salt, one.value) for one in found.open_all()] == list(
        zip(asked.names, salts, asked.values, strict=True)
    )
    assert found.commitments == tuple(digest for _, digest, _ in slots)


def test_a_cover_that_does_not_fit_its_list_is_damaged() -> None:
    asked = sheet(("surname", "patronymic"), ("Асанова", ""))
    (done,) = seal_sheets([asked])
    with pytest.raises(errors.StoreDamaged):
        OpenSheet(asked.keys, done.row, lambda _: ("surname",))
