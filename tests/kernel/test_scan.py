"""Bounds before decoding: both twins on what is allowed, refused, cut and made up."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.scan import REASONS, Malformed, scan, scan_plain

try:
    from kerege_native import scan as scan_native
except ImportError:
    scan_native = None  # type: ignore[assignment]

TWINS = [
    scan_plain,
    pytest.param(scan_native, marks=pytest.mark.skipif(scan_native is None, reason="kerege_native is not installed")),
]

ALLOWED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=300) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20),
    max_leaves=40,
)


@pytest.fixture(params=TWINS)
def twin(request):
    return request.param


def depth(value) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def items(value) -> int:
    return 1 + sum(map(items, value)) if isinstance(value, list) else 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"\x92\x01", "truncated"),
        (b"\xa5abcd", "truncated"),
        (b"\xd9", "truncated"),
        (b"\xda\x00", "truncated"),
        (b"\xc4\x05abcd", "truncated"),
        (b"\xc6\xff\xff\xff\xff", "truncated"),
        (b"\xdb\xff\xff\xff\xffx", "truncated"),
        (b"\xdd\xff\xff\xff\xff" + b"\x01" * 50, "truncated"),
        (b"\xdc\xff\xff", "truncated"),
        (b"\xcf\x01\x02", "truncated"),
        (b"\x01\x01", "trailing"),
        (b"\x90\x90", "trailing"),
        (b"\xc0\x00", "trailing"),
        (b"\x91" * 9 + b"\x01", "depth"),
        (b"\x91" * 100_000 + b"\x01", "depth"),
        (b"\xdc\x00\x65" + b"\x01" * 101, "items"),
        (b"\xca\x00\x00\x00\x00", "type"),
        (b"\xcb" + bytes(8), "type"),
        (b"\x80", "type"),
        (b"\x81\x01\x01", "type"),
        (b"\xde\x00\x00", "type"),
        (b"\xdf\x00\x00\x00\x00", "type"),
        (b"\xc1", "type"),
        (b"\xc7\x01\x01\x01", "type"),
        (b"\xd4\x01\x01", "type"),
        (b"\xd8\x01" + bytes(16), "type"),
    ],
)
def test_refused(twin, data, reason):
    assert REASONS[-twin(data, 8, 100)] == reason
    with pytest.raises(Malformed) as refused:
        scan(data, 8, 100)
    assert refused.value.reason == reason


@given(ALLOWED)
def test_what_the_encoder_makes_passes_at_its_own_bounds_and_not_below(value):
    data = msgspec.msgpack.encode(value)
    for twin in filter(None, (scan_plain, scan_native)):
        assert twin(data, depth(value), items(value)) == items(value)
        assert twin(data, depth(value), items(value) - 1) == -REASONS.index("items")
        if depth(value):
            assert twin(data, depth(value) - 1, items(value)) == -REASONS.index("depth")
        assert twin(data + b"\x00", 99, 9999) == -REASONS.index("trailing")
        for cut in range(len(data)):
            assert twin(data[:cut], 99, 9999) == -REASONS.index("truncated")


@given(st.binary(max_size=60), st.integers(0, 4), st.integers(0, 20))
def test_twins_agree_on_any_bytes(data, max_depth, max_items):
    if scan_native is None:
        pytest.skip("kerege_native is not installed")
    assert scan_native(data, max_depth, max_items) == scan_plain(data, max_depth, max_items)


@given(st.binary(max_size=60))
def test_what_passes_holds_no_more_than_it_says(data):
    """What passes decodes (text that is no UTF-8 aside) into so many values."""
    found = scan_plain(data, 8, 100)
    if found < 0:
        return
    try:
        value = msgspec.msgpack.decode(data)
    except UnicodeDecodeError:
        return
    assert items(value) == found


def test_every_first_byte(twin):
    refused = {first for first in range(256) if twin(bytes([first]) + bytes(70_000), 8, 10**6) == -5}
    assert refused == {0xC1, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, *range(0x80, 0x90), *range(0xD4, 0xD9), 0xDE, 0xDF}
