"""What the command line needs of a node; `node/__main__.py` brings it, so that `cli` imports no wiring."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from kerege.consensus.door import Door


class CommandError(Exception):
    """A command cannot go on: one sentence with the cure, and the exit code."""

    def __init__(self, sentence: str, code: int = 2) -> None:
        super().__init__(sentence)
        self.code = code


class Signer(Protocol):
    """Somebody who signs transactions."""

    address: bytes

    def transaction(self, body: Any) -> bytes:  # noqa: ANN401 - a kernel body
        """The sealed transaction of a body."""


class Wiring(Protocol):
    """A node as seen from the command line. Every call raises `CommandError` in one sentence."""

    def create_home(self, home: Path, nation: str, *, dev: bool) -> str:
        """Make a home; returns the ledger's id."""

    def open_door(self, home: Path) -> AbstractContextManager[Door]:
        """A running node's socket where one runs, else the store opened here."""

    def serve(self, home: Path, ready: Callable[[str], None]) -> None:
        """Run a node in the foreground until it is interrupted."""

    def signer(self, home: Path, name: str) -> Signer:
        """A throw-away key of the home, `office/role`, or a keystore file."""

    def verify_ledger(self, home: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Replay the ledger; `{"ok": bool, …}`."""

    def check_dossiers(self, home: Path) -> dict[str, int]:
        """Open every commitment: total, missing, wrong, erased, unannounced."""

    def erase_dossier(self, home: Path, about: bytes) -> dict[str, Any]:
        """Destroy the keys of a case's dossier, put the tombstone on the ledger, begin a new epoch of keys."""

    def texts(self, nation: str) -> dict[str, dict[str, str]]:
        """Texts of a nation by language and id."""

    def key_names(self, home: Path) -> Sequence[tuple[str, str]]:
        """(name, address) of the throw-away keys of a home."""


_held: list[Wiring] = []


def hold(wiring: Wiring) -> None:
    """Keep the wiring for the commands of this process."""
    _held[:] = [wiring]


def wiring() -> Wiring:
    """The wiring; raises `CommandError` where the program was started without one."""
    if not _held:
        sentence = "this command needs a node: start it as `kerege`, not through the library."
        raise CommandError(sentence)
    return _held[0]
