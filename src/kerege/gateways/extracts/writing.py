"""Writing a file so that its name stands for the old contents or the new ones, never for half of them."""

import io
import os
import secrets
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
            self._beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part")
            handle = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
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
                self._file.close()
                self._beside.replace(self._path)
                placed = True
        except OSError as error:
            raise OutputUnwritable(file=self._path, reason=error.strerror) from error
        finally:
            if not placed:
                self._file.raw.close()
                self._beside.unlink(missing_ok=True)


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
