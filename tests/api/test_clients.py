"""Clients that are slow, rude or many: each is answered or cut, and the others do not notice."""

import socket
import time
from collections.abc import Iterator

import pytest

from kerege.api.guard import MAXIMUM_HEADER, Guarded
from tests.api.serving import Api

SHORT = 0.6


@pytest.fixture
def short(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Patience of half a second."""
    for name in ("header_seconds", "body_seconds", "taking_seconds"):
        monkeypatch.setattr(Guarded, name, SHORT)
    monkeypatch.setattr(Guarded, "looks", 0.1)
    yield api
    with api.client() as client:
        assert client.get("/ledger").status_code == 200


def connect(api: Api) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", api.port), timeout=10)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def everything(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /api/v1/ledger HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /api/v1/transactions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    ],
)
def test_who_sends_too_slowly_is_told_so_and_cut(short, begun):
    with connect(short) as connection:
        connection.sendall(begun)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:kerege:problem:too-slow" in answer


def test_a_trickle_of_bytes_does_not_buy_time(short):
    started = time.monotonic()
    with connect(short) as connection:
        connection.sendall(b"GET /api/v1/ledger HTTP/1.1\r\n")
        try:
            for _ in range(200):
                connection.sendall(b"X-A: b\r\n")
                time.sleep(0.05)
        except OSError:
            pass
    assert time.monotonic() - started < 5


def test_a_connection_that_says_nothing_is_closed(short):
    with connect(short) as connection:
        assert everything(connection) == b""


def test_a_header_without_end_is_refused(api):
    with connect(api) as connection:
        connection.sendall(b"GET /api/v1/ledger HTTP/1.1\r\nX: " + b"a" * (2 * MAXIMUM_HEADER))
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("raw", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_bytes_that_are_no_http_are_refused(api, raw):
    with connect(api) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection).startswith(b"HTTP/1.1 400 ")


def test_slow_clients_do_not_make_others_wait(api):
    slow = [connect(api) for _ in range(60)]
    try:
        for connection in slow:
            connection.sendall(b"POST /api/v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        with api.client() as client:
            started = time.monotonic()
            for _ in range(20):
                assert client.get("/ledger").status_code == 200
            assert time.monotonic() - started < 5
    finally:
        for connection in slow:
            connection.close()


def ask_without_reading(connection: socket.socket) -> None:
    """Until the other side hangs up: what is sent to it after that is refused."""
    for _ in range(5_000):
        connection.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.005)


def test_who_does_not_take_an_answer_is_cut(short):
    """The description is asked for again and again on one connection and never read."""
    with connect(short) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with pytest.raises((ConnectionError, BrokenPipeError)):
            ask_without_reading(connection)
