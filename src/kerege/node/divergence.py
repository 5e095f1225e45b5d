"""`python -m kerege.node.divergence --home DIR`: keep what a member held when its app hash was not the others'.

The engine says so in its log and stops; nobody needs to be there. Whoever supervises the pair shows each line of that
log to a `Watch`, which has the dump made by a process of its own: the pair may be stopped meanwhile. A dump is a small
home, `divergence/HEIGHT/`, that `kerege diff-state` compares with another member's.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from kerege.consensus.agreed import read_agreed
from kerege.consensus.cometbft.server import say
from kerege.consensus.divergence import Incomparable, dump
from kerege.kernel.block import Head
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.home import Home, HomeError, write_private
from kerege.storage.errors import StorageError
from kerege.storage.port import Store
from kerege.storage.rocks import RocksStore
from kerege.storage.secondary import SecondaryStore

SIGNS = ("wrong Block.Header.AppHash", "AppHash does not match AppHash after replay")
"""What engines of these versions say, in a block of the others or when they start."""
WORDS = 400
"""Characters of the engine's line that are kept: the rest is its whole state."""


def is_divergence(line: str) -> bool:
    """Whether a line of an engine's log says that the application came to another state than the others."""
    return any(sign in line for sign in SIGNS)


class Watch:
    """Reads an engine's log, line by line, and has one dump made for each height at which it diverges."""

    def __init__(self, home: Home, tell: Callable[[str], None] = say) -> None:
        self._home = home
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None

    def line(self, line: str) -> None:
        """Look at one line; never waits."""
        if is_divergence(line) and (self._process is None or self._process.poll() is not None):
            self._tell(f"{self._home.path} came to another app hash than the others: its state is being kept")
            command = [
                sys.executable,
                "-m",
                "kerege.node.divergence",
                "--home",
                str(self._home.path),
                "--said",
                line[:WORDS],
            ]
            # A session of its own: what stops the pair must not stop this.
            self._process = subprocess.Popen(command, start_new_session=True)

    def wait(self, seconds: float) -> None:
        """Wait for a dump that is being made."""
        if self._process is not None:
            self._process.wait(seconds)


def keep_state(home: Home, said: str) -> Path:
    """Make the dump of a home as it stands; the folder, also where an earlier call made it."""
    about = home.read_about()
    with SecondaryStore(home.path) as store:
        store.catch_up()
        agreed = read_agreed(store)
        folder = home.divergence / str(0 if agreed is None else agreed.height)
        if folder.exists():
            return folder
        draft = folder.with_name(f".draft-{folder.name}-{os.getpid()}")
        draft.mkdir(parents=True, mode=0o700)
        try:
            _write(store, draft, said)
            write_private(Home(draft).about, json.dumps(about, indent=1, sort_keys=True).encode() + b"\n")
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return folder


def _write(store: Store, draft: Path, said: str) -> None:
    with RocksStore(draft, create=True) as copy:
        head = dump(store, copy)
    write_private(draft / "divergence.json", json.dumps(_told(head, said), indent=1).encode() + b"\n")


def _told(head: Head, said: str) -> dict[str, object]:
    roots = zip(Modules(MODULES).names, (root.hex() for root in head.module_roots), strict=True)
    return {"engine": said, "block": head.height, "app_hash": head.app_hash.hex(), "module_roots": dict(roots)}


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--said", default="", help="the engine's words")
    wanted = parser.parse_args()
    try:
        folder = keep_state(Home(wanted.home), wanted.said)
    except (HomeError, StorageError, Incomparable, OSError) as fault:
        say(f"the state of {wanted.home} could not be kept: {fault}")
        return 1
    compare = f"kerege diff-state {quote(str(folder))} HOME"
    say(f"the state is kept in {folder}: compare it, `{compare}` with another member's home")
    return 0


if __name__ == "__main__":
    sys.exit(main())
