"""What it takes that a file is still there after a power cut; for every layer that writes some."""

import os
from pathlib import Path

PRIVATE_FOLDER = 0o700
"""Mode of a folder that only its owner can enter."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: else files may be kept and what they are called lost."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner can enter, durably; an existing one is left as it is."""
    if path.is_dir():
        return
    path.mkdir(mode=PRIVATE_FOLDER, parents=True)
    sync_folder(path.parent)
