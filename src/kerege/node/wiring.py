"""What the command line gets of a node: homes, doors, keys, dossiers, the replay."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kerege import proofs
from kerege.cli.signing import KeySigner
from kerege.cli.wiring import CommandError, Signer
from kerege.consensus.bodies import next_body
from kerege.consensus.door import Door
from kerege.consensus.embedded import wall_clock
from kerege.consensus.outcomes import refusal_of
from kerege.consensus.replay import verify_ledger
from kerege.kernel.messages import Message
from kerege.modules.disclosure.messages import RecordErasure, StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.node import comparing, devkeys, follower
from kerege.node.faults import in_one_sentence
from kerege.node.home import Home
from kerege.node.interrupts import interrupted
from kerege.node.ledger import open_reader
from kerege.node.reading import open_door
from kerege.node.unfinished import FOUNDED, whole_or_nothing
from kerege.node.wire import reach
from kerege.storage.rocks import RocksStore

if TYPE_CHECKING:
    from kerege.dossiers.controller import Controller
    from kerege.gateways.extracts.wanted import Wanted

PROTECTION = "data-protection-officer"
NOT_ERASED = "nothing was erased"


def _quietly(_done: int, _of: int) -> None:
    """No progress shown."""


def _readmodel() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for: with SQLAlchemy every command would begin half a second later."""
    return import_module("kerege.node.readmodel")


def _upkeep() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for: who asks the ledger opens no dossiers."""
    return import_module("kerege.node.upkeep")


def _workplace() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for: with it all that a nation's pack is read and checked by."""
    return import_module("kerege.node.workplace")


def _network() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for, as the engine's messages take a fifth of a second."""
    return import_module("kerege.node.network.commands")


class NodeWiring:
    """Fills `kerege.cli.wiring.Wiring`."""

    def create_home(self, home: Path, nation: str, *, founders: bytes | None) -> str:
        """See `Wiring`."""
        with in_one_sentence(), whole_or_nothing(Home(home)):
            if founders is None:
                _workplace().create_dev_home(Home(home), nation)
            else:
                import_module("kerege.node.founding").create_founded_home(Home(home), nation, founders)
            return str(Home(home).read_about()["ledger"])

    def prefix(self, home: Path) -> str:
        """See `Wiring`."""
        with in_one_sentence():
            return Home(home).read_about()["prefix"]

    def prefix_of(self, nation: str) -> str:
        """See `Wiring`."""
        with in_one_sentence():
            return str(_workplace().read_nation(nation).nation.prefix)

    def texts(self, home: Path) -> Mapping[str, Mapping[str, str]]:
        """See `Wiring`."""
        with in_one_sentence():
            texts: Mapping[str, Mapping[str, str]] = _workplace().read_nation(Home(home).read_about()["nation"]).texts
            return texts

    def trust(self, home: Path) -> bytes:
        """See `Wiring`."""
        with in_one_sentence():
            Home(home).read_about()
            return Home(home).trust.read_bytes()

    def open_door(self, home: Path) -> AbstractContextManager[Door]:
        """See `Wiring`."""
        return _door(Home(home))

    def serve(
        self, home: Path, ready: Callable[[str], None], port: int | None, database: str | None, *, read_model: bool
    ) -> None:
        """See `Wiring`."""
        beside = {"the read model": lambda: follower.running(Home(home), database)} if read_model else {}
        import_module("kerege.node.running").run_node(Home(home), ready, port, [], beside)

    def signer(self, home: Path, name: str) -> Signer:
        """See `Wiring`."""
        with in_one_sentence():
            return KeySigner(devkeys.read_key(Home(home), name).seed)

    def verify_ledger(self, home: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """See `Wiring`."""
        with (
            in_one_sentence(),
            TemporaryDirectory(prefix="kerege-replay-") as folder,
            RocksStore(Path(folder), create=True) as scratch,
        ):
            modules, store = open_reader(Home(home))
            try:
                trusted = _trust(Home(home))
                report = verify_ledger(
                    store, modules, scratch, genesis=trusted.genesis, progress=lambda p: progress(p.height, p.of)
                )
            finally:
                store.close()
        named = {Home(home).read_about()["ledger"], trusted.ledger}
        if report.sound and named != {report.ledger}:
            sentence = f"the home and its trust file name {', '.join(sorted(named))}, the store is of {report.ledger}."
            raise CommandError(sentence, 1)
        return {
            "ok": report.sound,
            "ledger": report.ledger,
            "genesis": report.genesis.hex(),
            "blocks": report.blocks,
            "transactions": report.transactions,
            "height": None if report.head is None else report.head.height,
            "app_hash": None if report.head is None else report.head.app_hash.hex(),
            "difference": None if report.difference is None else str(report.difference),
        }

    def compare_states(self, one: Path, other: Path, height: int | None, limit: int) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            return comparing.compare_homes(Home(one), Home(other), height, limit)

    def check_dossiers(self, home: Path, signer: Signer | None) -> dict[str, int]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            job = secrets.token_bytes(16)
            _send(door, signer or self._protection(home), StartJob(job, JobKind.CHECK), "nothing was opened")
            told: dict[str, int] = _upkeep().check(door, controller, job)
            return told

    def erase_dossier(self, home: Path, about: bytes, signer: Signer | None) -> dict[str, Any]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            officer = signer or self._protection(home)
            told: dict[str, Any] = _upkeep().erase(
                door, controller, about, lambda tombstone: _send(door, officer, RecordErasure(tombstone), NOT_ERASED)
            )
            return told

    def rotate_keys(self, home: Path) -> dict[str, Any]:
        """See `Wiring`."""
        with self._controller(home) as (_, controller):
            rotation = controller.keys.rotate_epoch()
            due = controller.keys.rotation_due()
        return {
            "epoch": rotation.epoch,
            "rewrapped": rotation.rewrapped,
            "destroyed": rotation.destroyed,
            "next_due": due,
        }

    def tidy_dossiers(self, home: Path) -> dict[str, Any]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            told: dict[str, Any] = _upkeep().tidy(door, controller)
            return told

    @contextmanager
    def open_log(self, home: Path, about: bytes) -> Iterator[tuple[Door, Callable[[bytes, Sequence[bytes]], bool]]]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            yield door, _upkeep().looks_at(controller, about)

    def backup_dossiers(self, home: Path, rows: Path | None, keys: Path | None) -> dict[str, Any]:
        """See `Wiring`."""
        told: dict[str, Any] = {}
        with self._controller(home) as (_, controller):
            if rows is not None:
                controller.backup(rows)
                told["rows"] = str(rows)
            if keys is not None:
                told |= {"keys": str(keys), "keys_expire": controller.keys.backup(keys)}
        return told

    @contextmanager
    def _controller(self, home: Path) -> Iterator[tuple[Door, "Controller"]]:
        """The ledger's door and the dossiers behind it, for this process alone."""
        with in_one_sentence(), _door(Home(home)) as door, _upkeep().opened(Home(home), door) as controller:
            yield door, controller

    def _protection(self, home: Path) -> Signer:
        return self._officer(home, PROTECTION)

    def _officer(self, home: Path, role: str) -> Signer:
        """The throw-away key of somebody of a role; raises `CommandError` where the home has none."""
        name = next((n for n, _ in self.key_names(home) if n.endswith(f"/{role}")), "")
        if not name:
            sentence = f"say whose key puts it on the ledger: --as the key of a {role}."
            raise CommandError(sentence)
        return self.signer(home, name)

    def import_births(
        self, home: Path, wanted: "Wanted", signer: Signer | None, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            Home(home).read_about()  # a wrong home is told as such, before its keys are missed
            importing = import_module("kerege.node.importing")
            officer = signer or self._officer(home, importing.ROLE)
            return asdict(importing.import_births(Home(home), wanted, officer, progress))

    def create_network(self, home: Path, nation: str, validators: int, *, node: bool) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence(), whole_or_nothing(Home(home)):
            told: dict[str, Any] = _network().create(home, nation, validators, node=node)
            return told

    def offer_member(
        self, home: Path, ledger: str, institution: str, host: str, port: int | None, *, votes: bool
    ) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            told: dict[str, Any] = _network().offer(home, ledger, institution, host, port, votes=votes)
            return told

    def collect_offers(
        self,
        nation: str,
        ledger: str,
        offers: Sequence[tuple[str, bytes]],
        founders: bytes | None,
        dev_home: Path | None,
    ) -> bytes:
        """See `Wiring`."""
        with in_one_sentence():
            return bytes(_network().collect(nation, ledger, offers, founders, dev_home))

    def accept_founding(self, home: Path, document: bytes, expected: str, listens: str) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence(), whole_or_nothing(Home(home), FOUNDED):
            told: dict[str, Any] = _network().take_part(home, document, expected, listens)
            return told

    def join_network(
        self, home: Path, document: bytes, trust: bytes, listens: str, *, snapshot: bool
    ) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence(), whole_or_nothing(Home(home), FOUNDED):
            told: dict[str, Any] = _network().join_in(home, document, trust, listens, snapshot=snapshot)
            return told

    def introduce_member(self, home: Path, offer: bytes, source: str) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            told: dict[str, Any] = _network().introduce_to(home, offer, source)
            return told

    def register_offer(self, offer: bytes, source: str) -> list[Message]:
        """See `Wiring`."""
        with in_one_sentence():
            return list(_network().registrations_of(offer, source))

    def seat_offer(self, home: Path, offer: bytes, source: str, power: int) -> list[Message]:
        """See `Wiring`."""
        with in_one_sentence(), _door(Home(home)) as door:
            return [_network().seat(door, offer, source, power)]

    def run_network(self, home: Path, port: int | None, tell: Callable[[str], None]) -> None:
        """See `Wiring`."""
        with in_one_sentence():
            _network().run(home, port, tell)

    def start_network(self, home: Path, port: int | None, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            told: dict[str, Any] = _network().start(home, port, progress)
            return told

    def stop_network(self, home: Path) -> bool:
        """See `Wiring`."""
        with in_one_sentence():
            return bool(_network().stop(home))

    def rejoin_network(
        self, home: Path, member: str, *, snapshot: bool, after_halt: str | None, lost: Sequence[str]
    ) -> int:
        """See `Wiring`."""
        with in_one_sentence():
            return int(_network().begin_anew(home, member, snapshot=snapshot, after_halt=after_halt, lost=lost))

    def network_status(self, home: Path, *, every: bool) -> list[dict[str, Any]]:
        """See `Wiring`."""
        with in_one_sentence():
            told: list[dict[str, Any]] = _network().status(home, every=every)
            return told

    def network_logs(
        self, home: Path, member: str | None, lines: int, *, follow: bool, raw: bool
    ) -> Iterator[tuple[str, str]]:
        """See `Wiring`."""
        with in_one_sentence():
            yield from _network().logs(home, member, lines, follow=follow, raw=raw)

    def rebuild_read_model(
        self, home: Path, database: str | None, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            told: dict[str, Any] = _readmodel().rebuild(Home(home), database, progress)
            return told

    def read_model_status(self, home: Path, database: str | None) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            told: dict[str, Any] = _readmodel().status(Home(home), database)
            return told

    def follow_read_model(self, home: Path, database: str | None) -> dict[str, Any]:
        """See `Wiring`."""
        stop = interrupted()
        with in_one_sentence():
            told: dict[str, Any] = _readmodel().follow(Home(home), database, _quietly, lambda: not stop.is_set())
            return told

    def key_names(self, home: Path) -> Sequence[tuple[str, str]]:
        """See `Wiring`."""
        with in_one_sentence():
            return devkeys.list_keys(Home(home))


def _trust(home: Home) -> proofs.trust.Trust:
    """What verifiers of this home's ledger trust; raises `CommandError`."""
    try:
        return proofs.trust.parse(home.trust.read_bytes())
    except proofs.Malformed as fault:
        sentence = f"{home.trust} is no trust file ({fault}): restore it from a backup of the home."
        raise CommandError(sentence, 1) from None


@contextmanager
def _door(home: Home) -> Iterator[Door]:
    """The socket of a running node, else the store opened by this process."""
    with in_one_sentence():
        home.read_about()
        running = reach(home.socket)
        if running is None:
            with open_door(home) as door:
                yield door
        else:
            with running:
                yield running


def _send(door: Door, signer: Signer, message: Message, otherwise: str) -> None:
    """Sign and submit one message; raises `CommandError` with what follows where it is not applied."""
    body = next_body(door, signer.address, [message], wall_clock())
    (answer,) = door.submit([signer.transaction(body)])
    code = refusal_of(answer)
    if code:
        sentence = f"the ledger refused it ({code}), {otherwise}: sign with the key of an official who may."
        raise CommandError(sentence, 1)
