"""From what RocksDB and the operating system say to the errors of this package.

rocksdict raises bare `Exception` with RocksDB's text, or `OSError`; the texts are the only thing to go by. They are
RocksDB's `Status` prefixes (stable since its first release) and the C library's messages for the error number.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from typing import TYPE_CHECKING

from rocksdict import DbClosedError

from kerege.storage.errors import (
    DiskFull,
    HomeLocked,
    HomeOfAnotherVersion,
    NotWritable,
    StorageError,
    StoreClosed,
    StoreDamaged,
    StoreFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT = "kerege-store/1"
"""The format of the home's store: areas, their order and meaning. Changes with any of them."""


def translate(error: Exception, path: Path) -> StorageError | TypeError:
    """The typed error for what the store engine raised at the store `path`; `StoreFailed` where nothing else fits."""
    if isinstance(error, StorageError | TypeError):
        return error
    if isinstance(error, DbClosedError):
        return StoreClosed()
    text = str(error)
    for signs, make in _SIGNS:
        if any(sign in text for sign in signs):
            return make(path, text)
    return StoreFailed(path, text)


def _free_bytes(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None  # the volume itself is gone; the error in hand says so already


def _lock_holder(path: Path) -> int | None:
    """Who holds RocksDB's record lock, asked from the kernel (Linux only; 0 means a process outside our namespace).

    Never called where this process itself is the holder: closing any descriptor of the file drops its lock (POSIX).
    """
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 (absent outside POSIX systems)

    layout = "hhqqi"  # struct flock: type, whence, start, length, pid
    try:
        with (path / "LOCK").open("rb") as file:
            asked = struct.pack(layout, fcntl.F_WRLCK, 0, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except OSError:
        return None  # unreadable for us: the holder stays unknown, the lock stands
    return pid if kind != fcntl.F_UNLCK and pid > 0 else None


_SIGNS: tuple[tuple[tuple[str, ...], Callable[[Path, str], StorageError | TypeError]], ...] = (
    (("raw mode only support bytes",), lambda _path, _text: TypeError("a store holds bytes")),
    (("lock hold by current process",), lambda path, _text: HomeLocked(path, os.getpid())),
    (("LOCK: Resource temporarily unavailable",), lambda path, _text: HomeLocked(path, _lock_holder(path))),
    (
        ("No space left on device", "Disk quota exceeded", "File too large", "NoSpace"),
        lambda path, text: DiskFull(path, text, _free_bytes(path)),
    ),
    (
        ("Permission denied", "Read-only file system", "Operation not permitted", "Not a directory", "File exists"),
        NotWritable,
    ),
    (
        ("Column families not opened", "Column family not found"),
        lambda path, text: HomeOfAnotherVersion(path, text, FORMAT),
    ),
    (("Corruption",), StoreDamaged),
)
"""What the texts hold, in order of precedence, and the error each means."""
