"""A home while it is being made: whole in the end, or nothing of it, also where the process is killed."""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kerege.node.home import Home, HomeError
from kerege.node.wire import LONGEST_PATH

MARK = ".unfinished"
"""File that stands in a folder while a home is made there; its maker holds a lock on it, which ends with the process.

`home.json` is written last: a folder with this file and without that one holds what a killed process left.
"""
PARTS = (
    *("store", "trees", "node", "dossiers", "keys", "dev-keys", "run"),
    *("trust.json", "offer.json", "engine", "network"),
)
"""What making a home writes, beside `home.json`."""
FOUNDED = ("store", "trees", "dossiers", "keys", "run", "trust.json")
"""What is written into the home of a network's node whose keys and engine were there before the founding."""


@contextmanager
def whole_or_nothing(home: Home, parts: Sequence[str] = PARTS) -> Iterator[None]:
    """Make a home inside, in a folder that holds none; raises `HomeError`. What was there before stays.

    `parts`: what is made, and must not be there.
    """
    _check_name(home)
    _check_socket(home)
    fresh = not home.path.exists()
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    marked = (home.path / MARK).exists()
    with _mark(home.path):
        if marked and not home.about.exists():
            _remove(home.path, parts)
        before = {path.name for path in home.path.iterdir()} - {MARK}
        try:
            _check_free(home, before & set(parts))
            yield
        except BaseException:
            _remove(home.path, {path.name for path in home.path.iterdir()} - before)
            if fresh:
                home.path.rmdir()
            raise
        (home.path / MARK).unlink()


@contextmanager
def _mark(folder: Path) -> Iterator[None]:
    """Hold the mark; raises `HomeError` where another process does."""
    handle = os.open(folder / MARK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _is_ours(folder / MARK, handle):
            reason = f"another process is making a home in {folder}: wait until it has, or choose another folder."
            raise HomeError(reason)
        yield
    finally:
        os.close(handle)


def _is_ours(mark: Path, handle: int) -> bool:
    """Lock the mark. One that another process removed meanwhile, its home being whole, marks nothing any more."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return mark.stat().st_ino == os.fstat(handle).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _check_name(home: Home) -> None:
    """The stores take names in UTF-8 only."""
    try:
        str(home.path.absolute()).encode()
    except UnicodeEncodeError:
        reason = f"{home.path.absolute()} is no name in UTF-8, as the stores need one: choose a home with another path."
        raise HomeError(reason) from None


def _check_socket(home: Home) -> None:
    """A home that no command reaches while its node runs is none to begin with."""
    over = len(os.fsencode(home.socket.absolute())) - LONGEST_PATH
    if over > 0:
        path = home.path.absolute()
        reason = (
            f"{path} has {len(str(path))} characters, {over} bytes too many for the socket that its node answers at: "
            "choose a home with a shorter path."
        )
        raise HomeError(reason)


def _check_free(home: Home, held: Collection[str]) -> None:
    """A home's parts without its `home.json` may be all that is left of a ledger: nothing is written over them."""
    if home.about.exists():
        reason = f"{home.path} is a home already: choose another folder, or remove this one with all it holds."
        raise HomeError(reason)
    if held:
        what = f"{home.path} holds {', '.join(sorted(held))} but no home.json"
        reason = f"{what}: restore it from a backup, or choose another folder."
        raise HomeError(reason)


def _remove(folder: Path, names: Iterable[str]) -> None:
    for path in (folder / name for name in names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
