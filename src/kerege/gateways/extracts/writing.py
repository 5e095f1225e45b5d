"""Writing a file so that its name stands for the old contents or the new ones, never for half of them."""

import os
import secrets
from pathlib import Path
from typing import BinaryIO

from kerege.gateways.extracts.errors import OutputUnwritable


class Replacement:
    """A file in the making: written beside its place, readable by its owner only, moved there when complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    def open(self) -> BinaryIO:
        """The stream to write to. Raises `OutputUnwritable`."""
        try:
            handle = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutputUnwritable(file=self._path, reason=error.strerror) from error
        self._file = os.fdopen(handle, "w+b", 1 << 16)
        return self._file

    def close(self, *, keep: bool) -> None:
        """Put the file in its place, durably, or throw it away. Raises `OutputUnwritable`."""
        try:
            if keep:
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if keep:
                self._beside.replace(self._path)
        except OSError as error:
            keep = False
            raise OutputUnwritable(file=self._path, reason=error.strerror) from error
        finally:
            if not keep:
                self._beside.unlink(missing_ok=True)
