"""The node's local socket: other processes of this machine submit and ask through it.

Frames are a 4-byte big-endian length and MessagePack: a request is `[name, arguments]`, an answer
`[true, result]` or `[false, error name, arguments]`. Bounded both ways and before decoding; the socket file is for its
owner only.
"""

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from kerege import proofs
from kerege.consensus.checkpoints import NoCommit, Unprovable
from kerege.consensus.door import PAGE, LocalDoor
from kerege.consensus.embedded import Answer, Busy, Stopped
from kerege.consensus.whole import BeingRestored
from kerege.kernel import errors
from kerege.kernel.block import Head, StoredBlock
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import NotATransaction
from kerege.kernel.scan import Malformed, scan
from kerege.kernel.types import Address, Hash, Height, Lane

MAXIMUM_FRAME = 64 * 1024 * 1024
MAXIMUM_ITEMS = 1_000_000
"""Values in a frame."""
MAXIMUM_DEPTH = 6
BACKLOG = 64
"""Connections that may wait to be taken."""
LONGEST_PATH = 107
"""Bytes of a socket's path that the operating system takes."""

_LENGTH = struct.Struct(">I")


class WireFault(Exception):
    """The other side said what is not a frame, or something this side does not know."""


class NodeFailed(Exception):
    """The node met an error of its own while it answered; the text is its error's."""


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        piece = connection.recv(min(size - len(parts), 1 << 20))
        if not piece:
            raise ConnectionError
        parts += piece
    return bytes(parts)


def read_frame(connection: socket.socket) -> bytes:
    """One frame; raises `ConnectionError` at the end, `WireFault` above the bounds or where it is no MessagePack."""
    (size,) = _LENGTH.unpack(_read_exactly(connection, 4))
    if size > MAXIMUM_FRAME:
        raise WireFault(f"frame of {size} bytes")
    raw = _read_exactly(connection, size)
    try:
        scan(raw, MAXIMUM_DEPTH, MAXIMUM_ITEMS)
    except Malformed as error:
        raise WireFault(f"frame refused: {error.reason}") from None
    return raw


def write_frame(connection: socket.socket, raw: bytes) -> None:
    """Send one frame."""
    connection.sendall(frame(raw))


def frame(raw: bytes) -> bytes:
    """Bytes with their length before them."""
    return _LENGTH.pack(len(raw)) + raw


# Answers on the wire

_REASONS: dict[str, type[NotATransaction]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, NotATransaction)
}


_Reason = tuple[int, str, list[tuple[str, Any]]]
"""Position of an answer, number and facts of its reason."""
_RESULT: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple[bool, Any])
_FOUND: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple[bool, Answer | None])
_ANSWERS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple[bool, tuple[list[Answer], list[_Reason]]])


def _tell(answers: list[Answer]) -> tuple[list[Answer], list[_Reason]]:
    """Answers as they are, but for the few reasons among them: these stand apart."""
    told, reasons = list(answers), list[_Reason]()
    for position, answer in enumerate(answers):
        if answer.reason is not None:
            told[position] = replace(answer, reason=None)
            reasons.append((position, answer.reason.code, answer.reason.facts()))
    return told, reasons


def read_answers(raw: bytes) -> list[Answer]:
    """What `submit` and `accept` are answered with; raises the error that is told instead."""
    told, reasons = _read_result(raw, _ANSWERS)
    answers: list[Answer] = told
    for position, code, facts in reasons:
        answers[position] = replace(answers[position], reason=_REASONS[code](**dict(facts)))
    return answers


# The node's side

_Shown = tuple[str, str, bytes, int, int, list[bytes]]
_Call = tuple[Any, Callable[..., Any]]
"""What the arguments of a call are, and what answers it."""


def _calls(door: LocalDoor) -> dict[str, _Call]:
    def block(height: int) -> bytes | None:
        found = door.block(height)
        return None if found is None else encode(found)

    def bundle(transaction: bytes, key: bytes | None, shown: list[_Shown], with_commit: bool) -> bytes:  # noqa: FBT001
        return door.bundle(transaction, key, [proofs.Disclosure(*each) for each in shown], with_commit=with_commit)

    return {
        "about": (tuple[()], lambda: [door.ledger, door.prefix]),
        "submit": (tuple[list[bytes]], lambda raws: _tell(door.submit(raws))),
        "accept": (tuple[list[bytes]], lambda raws: _tell(door.accept(raws))),
        "find": (tuple[Hash], door.find),
        "next_sequence": (tuple[Address, Lane], door.next_sequence),
        "head": (tuple[()], lambda: encode(door.head())),
        "block": (tuple[Height], block),
        "state": (tuple[bytes], door.state),
        "states": (tuple[Annotated[list[bytes], Meta(max_length=PAGE)]], door.states),
        "scan": (tuple[bytes, bytes, Annotated[int, Meta(ge=1, le=PAGE)]], door.scan),
        "checkpoint": (tuple[()], door.checkpoint),
        "prove": (tuple[bytes, bool], lambda key, with_commit: door.prove(key, with_commit=with_commit)),
        "bundle": (tuple[Hash, bytes | None, list[_Shown], bool], bundle),
    }


def _serve(calls: dict[str, _Call], raw: bytes) -> bytes:
    try:
        name, arguments = msgspec.msgpack.decode(raw, type=tuple[str, list[Any]])
        kinds, answer = calls[name]
        arguments = msgspec.convert(arguments, kinds)
    except (KeyError, ValueError) as bad:
        return encode([False, "WireFault", [f"not a request of this node: {bad}"]])
    try:
        return encode([True, answer(*arguments)])
    except Busy as busy:
        return encode([False, "Busy", [busy.waiting, busy.retry_after]])
    except BeingRestored as restored:
        return encode([False, "BeingRestored", [restored.height, restored.retry_after]])
    except (Stopped, Unprovable, ValueError) as known:
        kind = "WireFault" if isinstance(known, ValueError) else type(known).__name__
        return encode([False, kind, [str(known)]])
    except Exception as failure:  # noqa: BLE001 - the asker is told, and the node goes on answering others
        return encode([False, "NodeFailed", [f"{type(failure).__name__}: {failure}"]])


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.server.open.add(self.request)
        try:
            while True:
                write_frame(self.request, _serve(self.server.calls, read_frame(self.request)))
        except WireFault as bad:
            write_frame(self.request, encode([False, "WireFault", [str(bad)]]))

    def finish(self) -> None:
        self.server.open.discard(self.request)
        self.request.close()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = BACKLOG

    def __init__(self, path: Path, calls: dict[str, _Call]) -> None:
        self.calls = calls
        self.open: set[socket.socket] = set()
        """Connections that are served now."""
        super().__init__(str(path), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A client that hung up is nobody's error."""


class DoorServer:
    """Serves a door on a unix socket until `close`; one thread a connection."""

    def __init__(self, door: LocalDoor, path: Path) -> None:
        _check_path(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = _Server(path, _calls(door))
        finally:
            os.umask(before)
        self._path = path
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="socket", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving, hang up on everybody and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.open):
            with suppress(OSError):  # gone by itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        self._path.unlink(missing_ok=True)


def _check_path(path: Path) -> None:
    size = len(os.fsencode(path))
    if size > LONGEST_PATH:
        reason = f"the socket {path} has {size} bytes where {LONGEST_PATH} fit: choose a home with a shorter path."
        raise WireFault(reason)


# The asker's side


class SocketDoor:
    """The door of a running node, reached through its socket.

    May be used from several threads: each request under way has a connection of its own. Raises what `LocalDoor`
    raises, `Stopped` where the node hung up, `NodeFailed` and `WireFault`; `OSError` where no node answers.
    """

    def __init__(self, path: Path) -> None:
        _check_path(path)
        self._path = str(path)
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._closed = False
        self.ledger, self.prefix = self._ask("about")

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: socket.socket) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _ask(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401
        return _read_result(self._exchange(name, *arguments), _RESULT)

    def _exchange(self, name: str, *arguments: Any) -> bytes:  # noqa: ANN401
        """The frame that a call is answered with."""
        connection = self._connection()
        try:
            write_frame(connection, encode([name, list(arguments)]))
            raw = read_frame(connection)
        except ConnectionError as error:
            connection.close()
            raise Stopped("the node hung up: ask for the receipt when it runs again") from error
        except BaseException:
            connection.close()  # an answer half read would be taken for the next one
            raise
        self._give_back(connection)
        return raw

    def submit(self, raws: list[bytes]) -> list[Answer]:
        """See `Door`."""
        return read_answers(self._exchange("submit", raws))

    def accept(self, raws: list[bytes]) -> list[Answer]:
        """See `Door`."""
        return read_answers(self._exchange("accept", raws))

    def find(self, transaction: bytes) -> Answer | None:
        """See `Door`."""
        found: Answer | None = _read_result(self._exchange("find", transaction), _FOUND)
        return found

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

    def states(self, keys: list[bytes]) -> list[bytes | None]:
        """See `Door`."""
        found: list[bytes | None] = self._ask("states", keys)
        return found

    def scan(self, prefix: bytes, after: bytes = b"", limit: int = PAGE) -> list[tuple[bytes, bytes]]:
        """See `Door`."""
        return [(key, value) for key, value in self._ask("scan", prefix, after, limit)]

    def checkpoint(self) -> str:
        """See `Door`."""
        return str(self._ask("checkpoint"))

    def bundle(
        self,
        transaction: bytes,
        key: bytes | None,
        disclosures: Sequence[proofs.Disclosure] = (),
        *,
        with_commit: bool = False,
    ) -> bytes:
        """See `Door`."""
        shown = [[d.field, d.value, d.salt, d.position, d.count, list(d.path)] for d in disclosures]
        raw: bytes = self._ask("bundle", transaction, key, shown, with_commit)
        return raw

    def prove(self, key: bytes, *, with_commit: bool = False) -> bytes:
        """See `Door`."""
        raw: bytes = self._ask("prove", key, with_commit)
        return raw


def reach(path: Path) -> SocketDoor | None:
    """The door of the node that answers at a socket; None where none does. Raises as `SocketDoor` does otherwise."""
    if not path.exists():
        return None
    try:
        return SocketDoor(path)
    except (FileNotFoundError, ConnectionRefusedError):  # it ends just now, or was killed
        return None


_GOOD = encode([True, None])[:2]
"""What a good answer begins with."""


def _read_result(raw: bytes, kind: msgspec.msgpack.Decoder[Any]) -> Any:  # noqa: ANN401
    """What an answer says, or the error that it tells, raised."""
    if raw.startswith(_GOOD):
        return kind.decode(raw)[1]
    _, name, arguments = msgspec.msgpack.decode(raw)
    raise _ERRORS.get(name, WireFault)(*arguments)


_ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (Busy, Stopped, BeingRestored, Unprovable, NoCommit, NodeFailed)
}
