"""The node's local socket: other processes of this machine submit and ask through it.

Frames are a 4-byte big-endian length and MessagePack: a request is `[name, arguments]`, an answer
`[true, result]` or `[false, error name, text]`. Bounded both ways; the socket file is for its owner only.
"""

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kerege import proofs
from kerege.consensus.door import LocalDoor
from kerege.consensus.embedded import Answer, Busy, Stopped
from kerege.consensus.prover import Unprovable
from kerege.kernel import errors
from kerege.kernel.block import Head, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import NotATransaction

MAXIMUM_FRAME = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class WireFault(Exception):
    """The other side said what is not a frame, or something this side does not know."""


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        piece = connection.recv(min(size - len(parts), 1 << 20))
        if not piece:
            raise ConnectionError
        parts += piece
    return bytes(parts)


def read_frame(connection: socket.socket) -> bytes:
    """One frame; raises `ConnectionError` at the end, `WireFault` above the bound."""
    (size,) = _LENGTH.unpack(_read_exactly(connection, 4))
    if size > MAXIMUM_FRAME:
        reason = f"frame of {size} bytes"
        raise WireFault(reason)
    return _read_exactly(connection, size)


def write_frame(connection: socket.socket, raw: bytes) -> None:
    """Send one frame."""
    connection.sendall(_LENGTH.pack(len(raw)) + raw)


# Answers on the wire

_REASONS = {
    cls.code: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, NotATransaction)
}


def _pack_answer(answer: Answer | None) -> Any:  # noqa: ANN401
    if answer is None:
        return None
    reason = None if answer.reason is None else [answer.reason.code, answer.reason.facts()]
    return [answer.id, answer.receipt, answer.height, answer.leaf, reason]


def _pack_block(block: StoredBlock | None) -> bytes | None:
    return None if block is None else encode(block)


def _unpack_answer(form: Any) -> Answer | None:  # noqa: ANN401
    if form is None:
        return None
    identifier, receipt, height, leaf, reason = form
    refused = None if reason is None else _REASONS[reason[0]](**dict(reason[1]))
    return Answer(identifier, receipt, height, leaf, refused)


class DoorServer:
    """Serves a door on a unix socket until `close`; one thread a connection."""

    def __init__(self, door: LocalDoor, path: Path) -> None:
        calls = self._calls(door)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    while True:
                        write_frame(self.request, _serve(calls, read_frame(self.request)))
                except (ConnectionError, OSError, WireFault):
                    return

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = Server(str(path), Handler)
        finally:
            os.umask(before)
        self._path = path
        self._thread = threading.Thread(target=self._server.serve_forever, name="socket", daemon=True)
        self._thread.start()

    @staticmethod
    def _calls(door: LocalDoor) -> dict[str, Callable[..., Any]]:
        return {
            "about": lambda: [door.ledger, door.prefix],
            "submit": lambda raws: [_pack_answer(a) for a in door.submit(raws)],
            "find": lambda transaction: _pack_answer(door.find(transaction)),
            "next_sequence": door.next_sequence,
            "head": lambda: encode(door.head()),
            "block": lambda height: _pack_block(door.block(height)),
            "state": door.state,
            "scan": door.scan,
            "checkpoint": door.checkpoint,
            "bundle": lambda transaction, key, shown: door.bundle(
                transaction, key, [proofs.Disclosure(*each) for each in shown]
            ),
        }

    def close(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


_KNOWN: tuple[type[Exception], ...] = (Busy, Stopped, Unprovable)


def _serve(calls: dict[str, Callable[..., Any]], raw: bytes) -> bytes:
    try:
        name, arguments = msgspec.msgpack.decode(raw, type=tuple[str, list[Any]])
        return encode([True, calls[name](*arguments)])
    except Busy as busy:
        return encode([False, "Busy", [busy.waiting, busy.retry_after]])
    except _KNOWN as known:
        return encode([False, type(known).__name__, [str(known)]])
    except (KeyError, TypeError, ValueError, msgspec.DecodeError) as bad:
        return encode([False, "WireFault", [f"{type(bad).__name__}: {bad}"]])


class SocketDoor:
    """The door of a running node, reached through its socket. One request at a time; thread-safe."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(str(path))
        self._lock = threading.Lock()
        self.ledger, self.prefix = self._ask("about")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401
        with self._lock:
            write_frame(self._connection, encode([name, list(arguments)]))
            good, *rest = msgspec.msgpack.decode(read_frame(self._connection))
        if good:
            return rest[0]
        kinds: dict[str, type[Exception]] = {k.__name__: k for k in _KNOWN}
        raise kinds.get(rest[0], WireFault)(*rest[1])

    def submit(self, raws: list[bytes]) -> list[Answer]:
        """See `Door`."""
        return [a for a in map(_unpack_answer, self._ask("submit", raws)) if a is not None]

    def find(self, transaction: bytes) -> Answer | None:
        """See `Door`."""
        return _unpack_answer(self._ask("find", transaction))

    def next_sequence(self, address: bytes, lane: int = 0) -> int:
        """See `Door`."""
        return int(self._ask("next_sequence", address, lane))

    def head(self) -> Head:
        """See `Door`."""
        return decode(self._ask("head"), Head)

    def block(self, height: int) -> StoredBlock | None:
        """See `Door`."""
        raw = self._ask("block", height)
        return None if raw is None else decode(raw, StoredBlock)

    def state(self, key: bytes) -> bytes | None:
        """See `Door`."""
        found: bytes | None = self._ask("state", key)
        return found

    def scan(self, prefix: bytes, after: bytes = b"", limit: int = 1_000) -> list[tuple[bytes, bytes]]:
        """See `Door`."""
        return [(key, value) for key, value in self._ask("scan", prefix, after, limit)]

    def checkpoint(self) -> str:
        """See `Door`."""
        return str(self._ask("checkpoint"))

    def bundle(self, transaction: bytes, key: bytes | None, disclosures: Sequence[proofs.Disclosure] = ()) -> bytes:
        """See `Door`."""
        shown = [[d.field, d.value, d.salt, d.position, d.count, list(d.path)] for d in disclosures]
        raw: bytes = self._ask("bundle", transaction, key, shown)
        return raw
