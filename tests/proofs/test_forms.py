"""One meaning, one spelling: JSON, MessagePack, hex, base64, paths, the trust file."""

import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege import proofs
from kerege.proofs import canonical, merkle, msgpack, text, trust
from kerege.proofs.outcome import Malformed
from tests.proofs import naive

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)
packable = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="utf-8")) | st.binary(),
    lambda inner: st.lists(inner, max_size=20),
    max_leaves=30,
)


@given(plain)
def test_canonical_json_reads_back(value):
    assert canonical.decode(canonical.encode(value)) == value


@given(plain)
def test_canonical_json_is_json_and_refuses_other_spellings(value):
    data = canonical.encode(value)
    assert json.loads(data) == value
    pretty = json.dumps(value, indent=1).encode()
    assert canonical.parse(pretty) == value
    if pretty != data:
        with pytest.raises(Malformed):
            canonical.decode(pretty)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{} ",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5000,
        b"NaN",
        b"Infinity",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\n"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b"\x00",
        b"{}\x00",
        "{}".encode("utf-16"),
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b"[" * 500_000 + b"]" * 500_000,
        b" " * ((1 << 20) + 1),
    ],
)
def test_json_that_is_not_canonical_is_refused(data):
    with pytest.raises(Malformed):
        canonical.decode(data)


@pytest.mark.parametrize("value", [1.5, b"x", {"a": 2**53}, "\ud800", {"\ud800": 1}])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(Malformed):
        canonical.encode(value)


def depth(value):
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(packable)
def test_messagepack_reads_what_msgspec_writes(value):
    if depth(value) > msgpack.DEPTH_LIMIT:
        with pytest.raises(Malformed):
            msgpack.decode(msgspec.msgpack.encode(value))
    else:
        assert msgpack.decode(msgspec.msgpack.encode(value)) == value


@given(st.binary(max_size=40))
def test_messagepack_reads_only_what_msgspec_would_write(data):
    try:
        value = msgpack.decode(data)
    except Malformed:
        return
    assert msgspec.msgpack.encode(value) == data


@given(st.lists(st.integers(0, 2**64 - 1) | st.text(st.characters(codec="utf-8")) | st.binary(), max_size=20))
def test_messagepack_writes_what_msgspec_writes(value):
    assert msgpack.encode(value) == msgspec.msgpack.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        *("", "c1", "80", "81a16101", "ca00000000", "cb0000000000000000", "d40000", "c70000"),
        *("cc7f", "cd00ff", "ce0000ffff", "cf00000000ffffffff", "d0e0", "d1ff80", "d2ffff8000", "d3ffffffff80000000"),
        *("d001", "d903616161", "da0001aa", "c5000100", "c600000000", "dc0001c0", "dd00000000"),
        *("91", "c0c0", "a1ff", "ddffffffff", "c6ffffffff", "91" * 16 + "90", "91" * 40),
    ],
)
def test_messagepack_in_another_form_is_refused(data):
    with pytest.raises(Malformed):
        msgpack.decode(bytes.fromhex(data))


@given(st.binary(max_size=80))
def test_base64_reads_back(data):
    assert text.to_base64url(data) == naive.url(data)
    assert text.from_base64url(naive.url(data), "x") == data
    assert text.from_base64(text.to_base64(data), "x") == data


@pytest.mark.parametrize("spelling", ["A", "AB", "AAB", "AA==", "AA=", "A A", "AA\n", "+/8", "é", "AAAAA", 5, None])
def test_base64url_in_another_form_is_refused(spelling):
    with pytest.raises(Malformed):
        text.from_base64url(spelling, "x")


@pytest.mark.parametrize("spelling", ["A", "AA", "AB==", "AAB=", "AA==\n", "-_8=", "é", "AA== ", "AAAA===="])
def test_base64_in_another_form_is_refused(spelling):
    with pytest.raises(Malformed):
        text.from_base64(spelling, "x")


@pytest.mark.parametrize("spelling", ["AB", "a", "abcd", " ab", "ab ", "é", 5, ""])
def test_hex_in_another_form_is_refused(spelling):
    with pytest.raises(Malformed):
        text.from_hex(spelling, "x", 1)


@given(st.data(), st.integers(1, 40))
def test_paths_of_several_leaves_lead_to_the_root(data, size):
    leaves = [naive.noise(i) for i in range(size)]
    targets = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    hashed = {t: merkle.leaf_hash(leaves[t]) for t in targets}
    path = naive.log_path(targets, leaves)
    root, paths = merkle.fold(hashed, size, path)
    assert root == naive.log_root(leaves)
    assert paths == {t: naive.log_path({t}, leaves) for t in targets}
    for wrong in (path[:-1], [*path, bytes(32)]):
        if wrong != path:
            with pytest.raises(Malformed):
                merkle.fold(hashed, size, wrong)


@given(st.integers(1, 5000).flatmap(lambda count: st.tuples(st.integers(0, count - 1), st.just(count))))
def test_sides_are_the_turns_from_leaf_to_root(place):
    assert merkle.sides(*place) == naive.naive_sides(*place)


KEY = {"name": "k", "key": naive.url(naive.LOG_KEY.public), "from": 0, "until": None}
SECOND = KEY | {"key": naive.url(naive.Signer("second").public)}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "kerege-trust/2"},
        {"extra": 1},
        {"engine": "validators"},
        {"engine": ["one operator"]},
        {"engine": {}},
        {"genesis": "AB" * 32},
        {"genesis": "ab" * 31},
        {"ledger": ""},
        {"ledger": "a\nb"},
        {"origin": "a\nb"},
        {"origin": ""},
        {"threshold": 0},
        {"threshold": 2},
        {"threshold": True},
        {"threshold": 1.0},
        {"keys": []},
        {"keys": [KEY, KEY]},
        {"keys": [KEY, KEY | {"name": "other"}]},
        {"keys": [KEY, SECOND]},
        {"keys": [KEY | {"until": 5}, SECOND | {"from": 4}]},
        {"keys": [KEY, SECOND | {"until": 5}], "threshold": 2},
        {"keys": [KEY | {"until": 0}]},
        {"keys": [KEY | {"name": "a b"}]},
        {"keys": [KEY | {"name": "a+b"}]},
        {"keys": [KEY | {"name": ""}]},
        {"keys": [KEY | {"name": "\ud800"}]},
        {"keys": [KEY | {"name": "a\u2003b"}]},
        {"ledger": "\ud800"},
        {"origin": "\ud800"},
        {"genesis": "\ud800"},
        {"keys": [KEY | {"key": naive.url(bytes(32))}]},
        {"keys": [KEY | {"key": naive.url(bytes([1]) + bytes(31))}]},
        {"keys": [KEY | {"key": naive.url(b"\xff" * 32)}]},
        {"keys": [KEY | {"extra": 1}]},
    ],
)
def test_a_trust_file_that_could_mislead_is_unusable(changes):
    verdict = proofs.verify(naive.World().bundle, naive.trust([naive.LOG_KEY], **changes), now=naive.NOW)
    assert verdict.failing is not None
    assert (verdict.exit, verdict.failing.check) == (2, "trust-file")


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{}", b'{"format":1,"format":1}', b"x" * (1 << 21), b"[" * 100_000]
)
def test_what_is_no_trust_file_is_unusable(data):
    assert proofs.verify(naive.World().bundle, data, now=naive.NOW).exit == 2


def test_a_trust_file_is_written_as_it_is_read():
    keys = [
        trust.TrustedKey("k", naive.LOG_KEY.public, 0, 5),
        trust.TrustedKey("k", naive.Signer("second").public, 5, None),
    ]
    data = trust.make(ledger="kg", genesis=bytes(32), origin="o", threshold=1, keys=keys)
    assert trust.parse(data) == trust.Trust("kg", bytes(32), "o", 1, tuple(keys))
    with pytest.raises(Malformed):
        trust.make(ledger="kg", genesis=bytes(32), origin="o", threshold=2, keys=keys)


def test_deep_nesting_does_not_depend_on_the_recursion_limit():
    """A program may have raised the limit; the C decoder would then end the process."""
    program = (
        "import sys; sys.setrecursionlimit(10**6)\n"
        "from kerege import proofs\n"
        "for data in (b'[' * 500_000, b'{\"a\":' * 150_000):\n"
        "    assert proofs.verify(data, data, now=0).exit == 2\n"
    )
    source = Path(proofs.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], check=False, env={"PYTHONPATH": str(source)})
    assert done.returncode == 0


def test_a_string_of_escaped_quotes_without_an_end_is_refused_at_once():
    started = time.perf_counter()
    with pytest.raises(Malformed):
        canonical.parse(b'"' + b'\\"' * 500_000)
    assert time.perf_counter() - started < 2
