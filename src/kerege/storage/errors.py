"""What can go wrong between the ledger and its disk: one class per cause, with its facts and the cure.

Every message is one sentence on what happened and one with the cure, so that a command line may print it as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class StorageError(Exception):
    """The store cannot do what was asked; `facts` say with which values, `cure` says what to do."""

    cure: ClassVar[str] = "See the facts."

    def __init__(self, what: str, **facts: str | int | None) -> None:
        super().__init__(f"{what} {self.cure}")
        self.what = what
        self.facts: dict[str, str | int | None] = facts


class HomeLocked(StorageError):
    """Another process has the store open for writing. `pid` is its process id, None where the system does not tell."""

    cure = "Stop the process that holds it, or use a command that asks the running node."

    def __init__(self, path: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(f"The store {path} is in use by {who}.", path=str(path), pid=pid)
        self.path = path
        self.pid = pid


class HomeOfAnotherVersion(StorageError):
    """The store was written in a format that this program does not know; `found` is None where it names none."""

    cure = "Use the program version that made it, or export from there and import here."

    def __init__(self, path: Path, found: str | None, expected: str) -> None:
        made = f"has the format {found!r}" if found is not None else "names no format of ours"
        super().__init__(
            f"The store {path} {made}; this program reads {expected!r}.", path=str(path), found=found, expected=expected
        )
        self.path = path
        self.found = found
        self.expected = expected


class HomeMissing(StorageError):
    """There is no store at this place, and nobody asked for a new one."""

    cure = "Check the path, or make a new home with `kerege init --home DIR`."

    def __init__(self, path: Path) -> None:
        super().__init__(f"There is no store at {path}.", path=str(path))
        self.path = path


class DiskFull(StorageError):
    """No room on the volume (or in the quota, or under the file size limit). What was acknowledged before is intact.

    Opening needs room too: what the write-ahead log holds (about 128 MiB at most) is written out as tables first.
    """

    cure = "Free at least 256 MiB, then start again; everything acknowledged before is intact."

    def __init__(self, path: Path, detail: str, free_bytes: int | None) -> None:
        left = f" ({free_bytes} bytes free)" if free_bytes is not None else ""
        super().__init__(f"No room to write the store {path}{left}: {detail}.", path=str(path), free_bytes=free_bytes)
        self.path = path
        self.free_bytes = free_bytes


class NotWritable(StorageError):
    """The operating system forbids writing at this place (permissions, a read-only volume, a file in the way)."""

    cure = "Give the account that runs the node write access to the folder, or choose another home."

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"The store {path} cannot be written: {detail}.", path=str(path), detail=detail)
        self.path = path


class StoreDamaged(StorageError):
    """Bytes on the disk fail their checksum or are missing: the disk or somebody changed them."""

    cure = "Do not repair in place: restore the home from a backup or sync it again, and check the disk."

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"The store {path} is damaged: {detail}.", path=str(path), detail=detail)
        self.path = path


class StoreFailed(StorageError):
    """The operating system or the store engine failed in another way; the text is theirs."""

    cure = "Stop the node, look at the disk and the system log, then start again."

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"The store {path} failed: {detail}.", path=str(path), detail=detail)
        self.path = path


class StoreClosed(StorageError):
    """The store was closed by this process before this call, or before a scan was at its end."""

    cure = "Open it again."

    def __init__(self) -> None:
        super().__init__("The store is closed.")


class ReadOnlyStore(StorageError):
    """A write was asked of a secondary, which only reads."""

    cure = "Send the change through the node that owns the store."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The store {path} is open for reading only.", path=str(path))
        self.path = path
