"""A second, read-only look at a store that another process may be writing: for `verify-ledger` and export."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from kerege.storage import settings
from kerege.storage.errors import HomeMissing, NotWritable, ReadOnlyStore, StorageError, StoreFailed
from kerege.storage.faults import translate
from kerege.storage.port import Area, Batch
from kerege.storage.rocks import FORMAT_KEY, _Opened, check_format, is_store, open_secondary

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocksdict import Rdict

T = TypeVar("T")

CACHE_BYTES = 64 * settings.MIB
"""A reader walks once through everything; a larger cache would hold what it never asks for again."""
ATTEMPTS = 20
PAUSE_SECONDS = 0.05
_REWRITTEN = "rocksdict-config.json"


class SecondaryStore(_Opened):
    """The owner's store as it was at the last `catch_up` (or at opening), unchanged in between.

    What it shows was written whole, and may in the last batch not be on the owner's disk yet. Disturbs nobody, and
    works without an owner too. rocksdict rewrites a small file of its own in the folder; where that may not be written,
    such as in an auditor's copy, it gets a folder of links to the owner's files.
    """

    def __init__(self, home: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Open the store under `home` for reading.

        Errors: `HomeMissing`, `HomeOfAnotherVersion`, `NotWritable` where it may not be read either, `StoreDamaged`,
        `StoreFailed`.
        """
        path = home / "store"
        if not is_store(path):
            raise HomeMissing(path)
        self._links: Path | None = None
        self._scratch = Path(tempfile.mkdtemp(prefix="kerege-secondary-"))
        try:
            super().__init__(path, self._open(path, cache_bytes))
        except StorageError:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        try:
            check_format(path, self.get(Area.META, FORMAT_KEY))
        except StorageError:
            self.close()
            raise

    def _open(self, path: Path, cache_bytes: int) -> Rdict:
        try:
            return _patiently(path, lambda: open_secondary(path, self._scratch, cache_bytes))
        except NotWritable:
            self._links = links = self._scratch / "links"
            _link(path, links)
            return _patiently(path, lambda: open_secondary(links, self._scratch, cache_bytes))

    def catch_up(self) -> None:
        """Move to what the owner has written by now. Scans already open stay where they were."""
        with self._lock:
            if self._reason is not None:
                raise self._reason.with_traceback(None)
            if self._links is not None:
                _link(self.path, self._links)
            _patiently(self.path, self._database.try_catch_up_with_primary)

    def write(self, batch: Batch, *, sync: bool = True) -> NoReturn:  # noqa: ARG002 (the port's signature)
        """Refuse. Errors: `ReadOnlyStore`, always."""
        raise ReadOnlyStore(self.path)

    def close(self) -> None:
        """See `Store.close`."""
        super().close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _link(path: Path, links: Path) -> None:
    """A folder with links to every file of another, and with a copy of what rocksdict writes itself.

    Errors: `NotWritable`.
    """
    try:
        links.mkdir(exist_ok=True)
        for file in path.iterdir():
            link = links / file.name
            if file.name == _REWRITTEN:
                link.write_bytes(file.read_bytes())
            elif not link.is_symlink():
                link.symlink_to(file.resolve())
    except OSError as error:
        raise NotWritable(path, str(error)) from error


def _patiently(path: Path, action: Callable[[], T]) -> T:
    """Do it again where the owner deleted a file between our reading its name and opening it: a race, soon won."""
    for attempt in range(ATTEMPTS):
        try:
            return action()
        except Exception as error:
            reason = translate(error, path)
            passing = isinstance(reason, StoreFailed) and "No such file" in str(error)
            if not passing or attempt == ATTEMPTS - 1:
                raise reason from error
            time.sleep(PAUSE_SECONDS)
    raise AssertionError  # the loop returns or raises
