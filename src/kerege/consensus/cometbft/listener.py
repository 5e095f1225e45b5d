"""The listening socket of the server: a path, or one that a supervisor has opened."""

import errno
import os
import socket
import stat
from pathlib import Path

BACKLOG = 16
PATH_BYTES_MAX = 107
"""What the kernel takes as the path of a socket."""


class CannotListen(Exception):
    """There is no socket to serve on; the text says why and what helps."""


def listen(address: str) -> socket.socket:
    """A listening socket for `unix:///path` or `fd:3`, an inherited one; raises `CannotListen`."""
    if address.startswith("unix://"):
        return _listen_at(Path(address.removeprefix("unix://")))
    if address.startswith("fd:") and address[3:].isascii() and address[3:].isdigit():
        return _inherited(int(address[3:]))
    raise CannotListen(f"{address} is no address to serve an engine on; write unix:///path or fd:3")


def _listen_at(path: Path) -> socket.socket:
    """A new socket for this user only; one that a killed process left is replaced, one in use is not."""
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise CannotListen(f"{path} is longer than the {PATH_BYTES_MAX} bytes of a socket's path; choose a shorter one")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"{path} cannot be listened on: {error.strerror}") from None
    finally:
        os.umask(before)
    listener.settimeout(0)
    return listener


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotListen(f"{path} cannot be listened on: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"{path} is there and is no socket; remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        answered = caller.connect_ex(str(path))
    if answered != errno.ECONNREFUSED:
        raise CannotListen(f"{path} is served by another process; stop that one first")
    path.unlink()


def _inherited(number: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=number)
    except OSError as error:
        raise CannotListen(f"descriptor {number} is no socket: {error.strerror}") from None
    listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listener.family != socket.AF_UNIX or not listening:
        listener.detach()
        raise CannotListen(f"descriptor {number} is no listening Unix socket")
    listener.settimeout(0)
    return listener
