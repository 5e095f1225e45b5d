"""Bytes that are no messages: one connection is closed with one line, the others go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.framing import Frames, Malformed, varint
from tests.consensus.cometbft.client import framed, hosted
from tests.consensus.cometbft.kvstore import KeyValue

LIMIT = 100_000


def taken(frames: Frames) -> list[bytes]:
    found = []
    while (body := frames.take()) is not None:
        found.append(body)
    return found


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 400), min_size=1))
def test_messages_come_out_as_they_went_in_however_they_are_cut(bodies, cuts):
    stream = b"".join(varint(len(body)) + body for body in bodies)
    frames, found, at = Frames(), [], 0
    for cut in [*cuts, len(stream) + 1]:
        frames.feed(stream[at : at + cut])
        at += cut
        found += taken(frames)
        if at >= len(stream):
            break
    frames.feed(stream[at:])
    assert found + taken(frames) == bodies
    assert not frames.cut_off


@given(st.binary(max_size=2_000), st.integers(1, 50))
def test_whatever_comes_is_cut_or_refused(stream, limit):
    frames = Frames(limit)
    frames.feed(stream)
    try:
        found = taken(frames)
    except Malformed:
        return
    assert all(len(body) <= limit for body in found)
    assert stream.startswith(b"".join(varint(len(body)) + body for body in found))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (varint(LIMIT + 1), f"a message of {LIMIT + 1} bytes, {LIMIT} at most"),
        (varint(2**34), f"a message of {2**34} bytes"),
        (b"\xff" * 5, "a length of more than 5 bytes"),
        (b"\xff" * 10 + b"\x01", "a length of more than 5 bytes"),
        (b"\x82\x00\x1a\x00", "a length that is not in its shortest form"),
        (b"\x00", "an empty request"),
        (b"\x05\xff\xff\xff\xff\xff", "5 bytes that are no request"),
        (b"\x03\x0a\x05x", "3 bytes that are no request"),
        (b"\x03\xa2\x06\x00", "a request of an unknown kind"),
        (b"GET / HTTP/1.1\r\nHost: validator\r\n" + b"x" * 100, "71 bytes that are no request"),
        (framed("commit"), "a commit without a finalized block"),
        (framed("finalize_block"), "finalize_block of height 0 after 0"),
    ],
)
def test_what_is_no_message_closes_its_own_connection(tmp_path, raw, reason):
    with hosted(KeyValue(), tmp_path / "s", message_max=LIMIT) as served:
        others = [served.connect() for _ in range(3)]
        bad = served.connect()
        bad.send(raw)
        assert bad.is_closed()
        assert [line for line in served.lines if reason in line] == served.lines
        assert len(served.lines) == 1
        assert [other.call("echo", m.RequestEcho(message="here")).message for other in others] == ["here"] * 3


def test_a_message_that_ends_in_the_middle_is_told(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        other, bad = served.connect(), served.connect()
        bad.send(framed("echo", m.RequestEcho(message="x" * 500))[:40])
        bad.close()
        assert other.call("echo", m.RequestEcho(message="here")).message == "here"
        while not served.lines:
            other.call("info")
        assert served.lines == ["a connection of the engine was closed: it ended in the middle of a message"]


def test_a_silent_goodbye_is_not_told(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        first, second = served.connect(), served.connect()
        first.call("info")
        first.close()
        second.call("info")
        second.call("info")
        assert served.lines == []


def test_an_endless_message_takes_no_memory_beyond_the_limit(tmp_path):
    """The length is judged before its bytes are kept."""
    with hosted(KeyValue(), tmp_path / "s", message_max=LIMIT) as served:
        bad = served.connect()
        bad.send(varint(2**31))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            bad.send(bytes(64 << 20))
        assert len(served.lines) == 1


def test_a_message_of_the_largest_size_is_taken(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        text = "x" * 20_000_000
        assert served.connect().call("echo", m.RequestEcho(message=text)).message == text
