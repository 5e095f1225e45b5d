"""`python -m kerege.node.snapshots --home DIR --height H`: make the snapshot of a height, beside a member that runs.

A process of its own that reads the store as it is written: the member goes on making blocks meanwhile.
"""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from kerege.consensus.agreed import read_agreed
from kerege.consensus.cometbft.server import say
from kerege.consensus.past import TooOld, oldest
from kerege.consensus.snapshots.making import CannotMake, make_snapshot
from kerege.consensus.snapshots.shelf import Shelf
from kerege.node.child import child, watch_parent
from kerege.node.home import Home, HomeError
from kerege.storage.errors import StorageError
from kerege.storage.port import Store
from kerege.storage.secondary import SecondaryStore

EVERY = 1_000
"""Heights between two snapshots: the same in all of a network, as those that join compare what members offer."""
NICENESS = 10
"""Blocks come first: a snapshot is made of the processor time that is left."""
STOP_SECONDS = 5


class Maker:
    """Has snapshots made beside a member, one at a time; nothing is made where `every` is 0."""

    def __init__(self, home: Home, shelf: Shelf, every: int = EVERY) -> None:
        self._home = home
        self._shelf = shelf
        self._every = every
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def at_start(self, store: Store) -> None:
        """Make the newest one where the member was stopped before it was made, and its state can still be told."""
        agreed = read_agreed(store)
        height = 0 if agreed is None or not self._every else agreed.height // self._every * self._every
        if height and height not in self._shelf.heights() and height >= oldest(store):
            self._start(height)

    def on_block(self, height: int) -> None:
        """After a durable block."""
        if self._every and height % self._every == 0:
            self._start(height)

    def _start(self, height: int) -> None:
        if self._process is not None and self._process.poll() is None:
            say(f"the snapshot of height {height} is left out: the one before is still being made")
            return
        self._stack.close()
        words = ("--home", str(self._home.path), "--height", str(height))
        try:
            self._process = self._stack.enter_context(child("kerege.node.snapshots", *words, patience=STOP_SECONDS))
        except OSError as fault:  # a member that cannot start another process goes on making blocks
            say(f"the snapshot of height {height} is left out: {fault}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def main() -> int:
    """Run from the command line."""
    watch_parent()
    os.nice(NICENESS)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--height", type=int, required=True)
    wanted = parser.parse_args()
    home = Home(wanted.home)
    try:
        home.read_about()
        with SecondaryStore(home.path) as store:
            store.catch_up()
            made = make_snapshot(store, Shelf(home.snapshots), wanted.height)
    except (HomeError, StorageError, CannotMake, TooOld, OSError) as fault:
        say(f"no snapshot of height {wanted.height}: {fault}")
        return 1
    say(f"snapshot of height {made.manifest.height}: {made.manifest.chunks} chunks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
