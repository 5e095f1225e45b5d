"""Writing a file so that its name stands for the old contents or the new ones, never for half of them.

What is in the making lies beside its place, hidden and locked by who makes it. A process that is killed leaves it
there; the lock goes with the process, and whoever makes the same file next removes what nobody holds.
"""

import fcntl
import io
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from kerege.gateways.extracts.errors import OutputUnwritable

_BUFFER = 1 << 16


class Replacement:
    """A file in the making: written beside its place, readable by its owner only, moved there when complete."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> BinaryIO:
        """The stream to write to, which raises `OutputUnwritable` too. Raises `OutputUnwritable`."""
        if self._path.exists() and not self._path.is_file():
            raise OutputUnwritable(file=self._path, reason="a folder or a device")
        try:
            _remove_left(self._path)
            self._beside, handle = _create_beside(self._path)
        except (OSError, ValueError) as error:
            raise OutputUnwritable(file=self._path, reason=getattr(error, "strerror", error)) from error
        self._file = io.BufferedWriter(_Raw(handle, self._path), _BUFFER)
        return cast("BinaryIO", self._file)

    def close(self, *, keep: bool) -> None:
        """Put the file in its place, durably, or throw it away. Raises `OutputUnwritable`."""
        placed = False
        try:
            if keep:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._beside.replace(self._path)  # still locked: nobody takes it for something left behind
                placed = True
                self._file.close()
        except OSError as error:
            raise OutputUnwritable(file=self._path, reason=error.strerror) from error
        finally:
            if not placed:
                self._file.raw.close()
                self._beside.unlink(missing_ok=True)


def _create_beside(path: Path) -> tuple[Path, int]:
    """A new hidden file, locked, and its handle."""
    while True:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if _lock(handle) and os.fstat(handle).st_nlink:
            return beside, handle
        os.close(handle)  # somebody who tidies up held it, or removed it, before it was locked: it is theirs to remove


def _remove_left(path: Path) -> None:
    """Remove what killed processes left in the making of this file; what another process makes is locked, and stays."""
    left = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part", re.ASCII)
    for beside in [each for each in path.parent.iterdir() if left.fullmatch(each.name)]:
        with suppress(OSError):  # removed by another meanwhile, or not ours: nothing to do about either
            handle = os.open(beside, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if _lock(handle):
                    beside.unlink()
            finally:
                os.close(handle)


def _lock(handle: int) -> bool:
    """Take a file for this process; whether nobody else had it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Raw(io.FileIO):
    """A file whose full disk is told in a sentence, wherever in a library the write happens."""

    def __init__(self, handle: int, path: Path) -> None:
        super().__init__(handle, "w")
        self._path = path

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer; the type for it comes with Python 3.12
        """Write some of the bytes. Raises `OutputUnwritable`."""
        try:
            return super().write(data)
        except OSError as error:
            raise OutputUnwritable(file=self._path, reason=error.strerror) from error
