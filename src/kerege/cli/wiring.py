"""What the command line needs of a node; `node/__main__.py` brings it, so that `cli` imports no wiring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # what asks no node would load the ledger with them
    from kerege.consensus.door import Door
    from kerege.gateways.extracts.wanted import Wanted
    from kerege.kernel.messages import Message
    from kerege.kernel.transaction import Body


class CommandError(Exception):
    """A command cannot go on: one sentence with the cure, and the exit code."""

    def __init__(self, sentence: str, code: int = 2) -> None:
        super().__init__(sentence)
        self.code = code


class Signer(Protocol):
    """Somebody who signs transactions."""

    address: bytes

    def transaction(self, body: Body) -> bytes:
        """The signed transaction of a body."""


class Wiring(Protocol):
    """A node as seen from the command line. Every call raises `CommandError` in one sentence."""

    def create_home(self, home: Path, nation: str, *, founders: bytes | None) -> str:
        """Make a home; returns the ledger's id.

        `founders`: the file with the founding officials' public keys; None for throw-away keys of every office.
        """

    def prefix(self, home: Path) -> str:
        """Prefix of the addresses of a home's ledger."""

    def prefix_of(self, nation: str) -> str:
        """Prefix of the addresses of a nation."""

    def texts(self, home: Path) -> Mapping[str, Mapping[str, str]]:
        """Texts of a home's nation by language and id."""

    def trust(self, home: Path) -> bytes:
        """The trust file of a home's ledger."""

    def open_door(self, home: Path) -> AbstractContextManager[Door]:
        """A running node's socket where one runs, else the store opened here."""

    def serve(
        self, home: Path, ready: Callable[[str], None], port: int | None, database: str | None, *, read_model: bool
    ) -> None:
        """Run a node in the foreground until it is interrupted.

        With a port also its pages and API over HTTP; with `read_model` also the SQL tables, in `database` or in a file
        of the home.
        """

    def signer(self, home: Path, name: str) -> Signer:
        """A throw-away key of the home, `office/role`."""

    def key_names(self, home: Path) -> Sequence[tuple[str, str]]:
        """(name, address) of the throw-away keys of a home; no address where a file is spoilt."""

    def verify_ledger(self, home: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Replay the ledger; `{"ok": bool, …}`."""

    def compare_states(self, one: Path, other: Path, height: int | None, limit: int) -> dict[str, Any]:
        """Where the ledgers of two homes part; `{"equal": bool, …}` with the first rows that differ in `rows`.

        `height` None: the newest that both have.
        """

    def check_dossiers(self, home: Path, signer: Signer | None) -> dict[str, int]:
        """Open every commitment: total, missing, wrong, erased, unannounced.

        `signer` puts the run on the ledger before it begins; None for the home's throw-away key of the office for
        data protection.
        """

    def erase_dossier(self, home: Path, about: bytes, signer: Signer | None) -> dict[str, Any]:
        """Put the tombstone of an ended case's dossier on the ledger, destroy its keys, begin a new epoch of keys."""

    def rotate_keys(self, home: Path) -> dict[str, Any]:
        """Begin a new epoch of the dossiers' keys and destroy the old ones."""

    def tidy_dossiers(self, home: Path) -> dict[str, Any]:
        """What time makes due: dossiers that no transaction can commit to, numbers set aside, erasures cut off, backups
        past their term, a key epoch.
        """

    def open_log(
        self, home: Path, about: bytes
    ) -> AbstractContextManager[tuple[Door, Callable[[bytes, Sequence[bytes]], bool]]]:
        """The ledger's door, and whether a look (id, references) was at the dossier of this case or record."""

    def backup_dossiers(self, home: Path, rows: Path | None, keys: Path | None) -> dict[str, Any]:
        """Copy the sealed rows, the keys, or each to a folder of its own."""

    def rebuild_read_model(
        self, home: Path, database: str | None, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """Build the SQL tables anew; where they are then. `database` None: a file in the home."""

    def read_model_status(self, home: Path, database: str | None) -> dict[str, Any]:
        """Database, ledger, height of the tables, height of the ledger, blocks between."""

    def follow_read_model(self, home: Path, database: str | None) -> dict[str, Any]:
        """Keep the SQL tables where the ledger is until interrupted."""

    def create_network(self, home: Path, nation: str, validators: int, *, node: bool) -> dict[str, Any]:
        """Found a network of so many validators, and with `node` the one with the dossiers that does not vote."""

    def offer_member(
        self, home: Path, ledger: str, institution: str, host: str, port: int | None, *, votes: bool
    ) -> dict[str, Any]:
        """Draw the keys of an institution's validator, or else of the node, in a home, and write its offer there.

        `port`: the first of the member's neighbouring ports; None for some that are free.
        """

    def collect_offers(
        self,
        nation: str,
        ledger: str,
        offers: Sequence[tuple[str, bytes]],
        founders: bytes | None,
        dev_home: Path | None,
    ) -> bytes:
        """The founding document of offers (file, content).

        `founders`: the file with the founding officials' public keys; else throw-away keys of every office are drawn
        in `dev_home`.
        """

    def accept_founding(self, home: Path, document: bytes, expected: str, listens: str) -> dict[str, Any]:
        """Check a founding document and lay out the members that a home offered.

        `expected`: the hash it must have, empty for any; `listens`: this machine's own address, empty for the offered.
        """

    def join_network(
        self, home: Path, document: bytes, trust: bytes, listens: str, *, snapshot: bool
    ) -> dict[str, Any]:
        """Lay out a validator that was not at the founding; with `snapshot` it does not fetch all blocks."""

    def introduce_member(self, home: Path, offer: bytes, source: str) -> dict[str, Any]:
        """Let the members of a home know the address of one that came later."""

    def register_offer(self, offer: bytes, source: str) -> list[Message]:
        """What registers the keys of an offer on the ledger."""

    def seat_offer(self, home: Path, offer: bytes, source: str, power: int) -> list[Message]:
        """What gives an offer's validator a vote of this power."""

    def run_network(self, home: Path, port: int | None, tell: Callable[[str], None]) -> None:
        """Run a network in the foreground until it is interrupted; with a port the node's pages and API too."""

    def start_network(self, home: Path, port: int | None, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Start a network in the background and wait until every member has a block."""

    def stop_network(self, home: Path) -> bool:
        """Stop a network; False where none ran."""

    def rejoin_network(
        self, home: Path, member: str, *, snapshot: bool, after_halt: str | None, lost: Sequence[str]
    ) -> int:
        """Let a member that lost its disk begin anew, by a snapshot at will; the height from which it votes again.

        Of a ledger that stands still: `after_halt` is the height and round that all institutions confirmed, `lost` who
        has no memory of its votes beside it.
        """

    def network_status(self, home: Path, *, every: bool) -> list[dict[str, Any]]:
        """How the validators stand, and with `every` the node beside them."""

    def network_logs(
        self, home: Path, member: str | None, lines: int, *, follow: bool, raw: bool
    ) -> Iterator[tuple[str, str]]:
        """(who, line) of the newest lines of the logs, and with `follow` of what is written from now on.

        `raw`: as they were written, for programs; else for people.
        """

    def import_births(
        self, home: Path, wanted: Wanted, signer: Signer | None, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """Import an extract of an old registry of births.

        `signer`: an import officer; None for the home's throw-away key of one. Returns the import's number, rows,
        outcomes, transactions sent, how many rows an earlier run had done, and whether the last line has no end.
        """


_held: list[Callable[[], Wiring]] = []


def hold(make: Callable[[], Wiring]) -> None:
    """Keep what makes the wiring for the commands of this process."""
    _held[:] = [make]


def wiring() -> Wiring:
    """The wiring; raises `CommandError` where the program was started without one."""
    if not _held:
        sentence = "this command needs a node: start it as `kerege`, not through the library."
        raise CommandError(sentence)
    return _held[0]()
