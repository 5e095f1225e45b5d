"""Files that must survive a power cut or be gone for good, and the lock that keeps a second writer out."""

import contextlib
import fcntl
import os
import secrets
import stat
import time
from pathlib import Path

from kerege.dossiers.errors import DossiersLocked, KeysExposed
from kerege.durable import sync_folder

PRIVATE_FILE = 0o600
PATIENCE = 5.0
"""Seconds to wait for a folder: most who hold one need it for a moment only."""
_LOOKS = 0.05


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 that is there whole and durable, or not at all.

    It never replaces: raises `FileExistsError` where the name is taken, so that no key is ever overwritten.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)
        finally:
            temporary.unlink()
    finally:
        sync_folder(path.parent)


def shred(path: Path) -> None:
    """Overwrite a file, make that durable, and remove it; one that is gone already is no error.

    A copy-on-write or flash medium may keep the old bytes all the same. That is why a key's epoch ends, why its
    backups expire first, and why a production key service sits in hardware.
    """
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def check_private(folder: Path, *, besides: Path) -> None:
    """Raise `KeysExposed` where the folder or something in it is open to group or others.

    What is in the folder `besides` is closed by that folder: an engine makes its files as it likes.
    """
    for path in (folder, *sorted(path for path in folder.rglob("*") if path.parent != besides)):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeysExposed(path=path, mode=oct(mode))


class FolderLock:
    """An exclusive lock on a folder, held by one process until closed; the kernel drops it when the process dies."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        """Wait `patience` seconds at most; raises `DossiersLocked`."""
        self._path = folder / "lock"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            _take(descriptor, time.monotonic() + patience)
        except OSError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise DossiersLocked(folder=folder, process=holder or "unknown") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Let the folder go; twice is no error."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _take(descriptor: int, until: float) -> None:
    """Lock a file; raises `OSError` where another process holds it for longer."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOOKS)
        else:
            return
