"""Files that a command reads and writes; what fails is one sentence with the cure."""

import os
from pathlib import Path

from kerege.cli.wiring import CommandError

MAXIMUM_INPUT = 16 * 1024 * 1024
"""Bytes of an input file: far above any message, far below the machine's memory."""


def read_bytes(path: Path) -> bytes:
    """The whole of an input file; raises `CommandError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAXIMUM_INPUT + 1)
    except OSError as error:
        sentence = f"{path} cannot be read ({error.strerror}): check the path and its rights."
        raise CommandError(sentence) from None
    if len(raw) > MAXIMUM_INPUT:
        sentence = f"{path} is longer than {MAXIMUM_INPUT} bytes: no input of this command is."
        raise CommandError(sentence)
    return raw


def read_text(path: Path) -> str:
    """The whole of an input file in UTF-8; raises `CommandError`."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        sentence = f"{path} is not UTF-8 text: save it as UTF-8."
        raise CommandError(sentence) from None


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that does not exist yet, whole and durably, with these rights; raises `CommandError`."""
    draft = path.with_name(f".{path.name}.draft-{os.getpid()}")
    try:
        _write_durably(draft, content, mode)
        try:
            os.link(draft, path)  # unlike a rename, never replaces what is there
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        sentence = f"{path} exists already: choose another name, nothing was overwritten."
        raise CommandError(sentence) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def write_over(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file whole and durably, in place of one that may be there; raises `CommandError`."""
    draft = path.with_name(f".{path.name}.draft-{os.getpid()}")
    try:
        _write_durably(draft, content, mode)
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def make_private(folder: Path) -> None:
    """A folder for its owner only, with its parents; raises `CommandError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _write_durably(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # else a power cut may keep the file and lose its name
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be written ({error.strerror}): check its folder, its rights and free space.")
