"""Files that a command reads and writes; what fails is one sentence with the cure."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from kerege.cli.wiring import CommandError
from kerege.durable import sync_folder

MAXIMUM_INPUT = 16 * 1024 * 1024
"""Bytes of an input file: far above any message, far below the machine's memory."""
_HOME, _TRUST = "home.json", "trust.json"
"""Files in the top folder of every home."""


def read_bytes(path: Path) -> bytes:
    """The whole of an input file; raises `CommandError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAXIMUM_INPUT + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(raw) > MAXIMUM_INPUT:
        sentence = f"{path} is longer than {MAXIMUM_INPUT} bytes: no input of this command is."
        raise CommandError(sentence)
    return raw


def unreadable(path: Path, error: OSError) -> CommandError:
    """What to say of an input file that does not open."""
    return CommandError(f"{path} cannot be read ({error.strerror}): check the path and its rights.")


def outside_homes(path: Path | None) -> Path | None:
    """Where a command may write; raises `CommandError` for a place that belongs to a ledger.

    A home holds what nothing can bring back (blocks, keys, dossiers): no result of a command takes the place of that.
    """
    if path is None:
        return None
    target = Path(os.path.realpath(path))
    for folder in target.parents:
        if (folder / _HOME).is_file() and (target.parent != folder or target.name in {_HOME, _TRUST}):
            sentence = f"{path} belongs to the ledger in {folder}, and would be lost: choose a place outside of it."
            raise CommandError(sentence)
    return path


def read_text(path: Path) -> str:
    """The whole of an input file in UTF-8; raises `CommandError`."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        sentence = f"{path} is not UTF-8 text: save it as UTF-8."
        raise CommandError(sentence) from None


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that does not exist yet, whole and durably, with these rights; raises `CommandError`."""
    with _placed(path, mode, os.link) as draft:  # unlike a rename, never replaces what is there
        draft.write(content)


def write_over(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file whole and durably, in place of one that may be there; raises `CommandError`."""
    with replacing(path, mode=mode) as draft:
        draft.write(content)


def replacing(path: Path, *, mode: int = 0o644) -> AbstractContextManager[IO[bytes]]:
    """A draft that takes the path's place at the end, durably; what fails meanwhile leaves the path as it was.

    A link stays one: what it points to is replaced. A terminal, a pipe or a device is written to as it stands.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        return _straight(path)
    return _placed(path.resolve() if path.is_symlink() else path, mode, os.replace)


def make_private(folder: Path) -> None:
    """A folder for its owner only, with its parents; raises `CommandError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from None


@contextmanager
def _straight(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def _placed(path: Path, mode: int, place: Callable[[Path, Path], None]) -> Iterator[IO[bytes]]:
    """A draft beside a path that `place` puts there; raises `CommandError`."""
    draft = path.parent / f".{path.name}.draft-{os.getpid()}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        place(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        sentence = f"{path} exists already: choose another name, nothing was overwritten."
        raise CommandError(sentence) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink()


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be written ({error.strerror}): check its folder, its rights and free space.")
