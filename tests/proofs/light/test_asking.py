"""Whoever is asked for headers may hold the asker up, hang up, or say what would steer a terminal."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from kerege.cli import engine
from kerege.cli.engine import EngineRpc
from kerege.consensus.cometbft.rpc import Rpc, Unreachable
from kerege.proofs import light

SECONDS = 0.5
ENDS = 5.0
"""Seconds in which each of these has ended on any machine; without a bound it would take hours."""

Say = Callable[[socket.socket], None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Say], str]]:
    """The address of somebody who says what he is told to, to each who calls."""
    monkeypatch.setattr(engine, "SECONDS", SECONDS)
    listener = socket.create_server(("127.0.0.1", 0))
    say: list[Say] = []

    def answer() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                caller.recv(65_536)
                with suppress(OSError):
                    say[0](caller)

    def make(how: Say) -> str:
        say[:] = [how]
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    thread = threading.Thread(target=answer)
    thread.start()
    yield make
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(ENDS)
    assert not thread.is_alive(), "nobody hung up on it"


def dripping(first: bytes, again: bytes) -> Say:
    def say(caller: socket.socket) -> None:
        caller.sendall(first)
        until = time.monotonic() + 3 * ENDS
        while time.monotonic() < until:
            caller.sendall(again)
            time.sleep(0.05)

    return say


HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"Content-Length: 1000000\r\n"
DRIPS = {
    "a body": dripping(HEAD + LONG + b"\r\n", b" "),
    "a body, and closes": dripping(HEAD + LONG + b"Connection: close\r\n\r\n", b" "),
    "a body without length": dripping(b"HTTP/1.0 200 OK\r\n\r\n", b" "),
    "a header": dripping(HEAD + b"X: ", b"x"),
}


@pytest.mark.parametrize("how", DRIPS)
def test_who_says_a_byte_now_and_then_is_hung_up_on(asked, how: str):
    begun = time.monotonic()
    with pytest.raises(light.NotShown, match="not all of it came within"):
        EngineRpc(asked(DRIPS[how]))(1)
    rpc = Rpc(asked(DRIPS[how]), SECONDS)
    with rpc.bounded(SECONDS) as late, pytest.raises(Unreachable):
        rpc.call("status")
    assert late.is_set()
    assert time.monotonic() - begun < ENDS


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (HEAD + LONG + b'\r\n{"jsonrpc"', "hung up in the middle"),
        (HEAD + b"Content-Length: 7\r\nConnection: close\r\n\r\n", "hung up in the middle"),
        (b"\x1b]0;evil\x07 \x1b[31m\x00\r\n\r\n", "does not answer: .*evil"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\n\x1b[31m!", "status 500, .*31m!"),
    ],
)
def test_what_is_no_answer_is_told_in_plain_words(asked, said: bytes, told: str):
    with pytest.raises(light.NotShown, match=told) as refused:
        EngineRpc(asked(lambda caller: caller.sendall(said)))(1)
    assert str(refused.value).isprintable()
