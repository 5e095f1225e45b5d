"""A kept connection that the engine ended while nothing was asked is opened again; one that was ended here is not."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.consensus.cometbft.rpc import Rpc, Unreachable

ANSWER = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"said": "yes"}}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)


class Engine:
    """Answers once on each connection, and then keeps it or ends it."""

    def __init__(self, listener: socket.socket, address: str) -> None:
        self.address = address
        self.callers: list[socket.socket] = []
        self._listener = listener
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.callers.append(caller)
            caller.recv(65_536)
            caller.sendall(HEAD + ANSWER)


@pytest.fixture(params=["unix", "tcp"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "unix":
        listener, address = socket.socket(socket.AF_UNIX), f"unix://{tmp_path}/rpc"
        listener.bind(f"{tmp_path}/rpc")
        listener.listen()
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    made = Engine(listener, address)
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for caller in made.callers:
        caller.close()


def test_a_connection_that_the_engine_ended_is_opened_again(engine):
    rpc = Rpc(engine.address)
    for calls in (1, 2, 3):
        assert rpc.call("status") == {"said": "yes"}
        assert len(engine.callers) == calls
        engine.callers[-1].close()
    rpc.close()


def test_a_connection_that_was_ended_here_is_not(engine):
    """Who hung up wants no further answer: only what is asked after that is asked anew."""
    rpc = Rpc(engine.address)
    rpc.call("status")
    rpc.hang_up()
    with pytest.raises(Unreachable):
        rpc.call("status")
    assert len(engine.callers) == 1
    assert rpc.call("status") == {"said": "yes"}
    rpc.close()
