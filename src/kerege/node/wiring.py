"""What the command line gets of a node: homes, doors, keys, dossiers, the replay."""

import errno
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from kerege import proofs
from kerege.cli.signing import KeySigner
from kerege.cli.wiring import CommandError, Signer
from kerege.consensus.bodies import next_body
from kerege.consensus.checkpoints import NoCommit, Unprovable
from kerege.consensus.door import Door, collect
from kerege.consensus.embedded import Busy, Stopped, wall_clock
from kerege.consensus.outcomes import refusal_of
from kerege.consensus.replay import verify_ledger
from kerege.consensus.trees import Damaged
from kerege.consensus.whole import BeingRestored
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folders
from kerege.dossiers.errors import DossierError
from kerege.dossiers.jobs import Committed
from kerege.gateways.extracts.errors import ExtractError
from kerege.gateways.extracts.wanted import Wanted
from kerege.kernel.errors import KernelFault
from kerege.kernel.messages import Message
from kerege.modules.disclosure.messages import RecordErasure, StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.modules.registries.state import RECORDS
from kerege.modules.services.state import CASES
from kerege.node import comparing, devkeys, follower, importing, upkeep, web
from kerege.node.chores import Chore
from kerege.node.clock import SteadyClock, behind
from kerege.node.founding import create_founded_home
from kerege.node.home import Home, HomeError
from kerege.node.interrupts import interrupted
from kerege.node.kept import Kept, Start
from kerege.node.ledger import Ledger, open_ledger, open_reader
from kerege.node.ledger_view import DoorView
from kerege.node.reading import open_door
from kerege.node.ticking import Ticker
from kerege.node.tuning import TURN
from kerege.node.unfinished import FOUNDED, whole_or_nothing
from kerege.node.wire import NodeFailed, WireFault, reach
from kerege.node.workplace import create_dev_home, read_nation
from kerege.readmodel.errors import ReadModelError
from kerege.storage.errors import StorageError
from kerege.storage.rocks import RocksStore
from kerege.turns import turns_of

PROTECTION = "data-protection-officer"
GATEWAY = "/gateway"
NOT_ERASED = "nothing was erased"
TICK_EVERY = 1.0
"""Seconds between two looks at what is due."""


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Known faults as one sentence with the cure."""
    try:
        yield
    except (HomeError, DossierError, ExtractError, ReadModelError, StorageError, Damaged) as fault:
        raise CommandError(str(fault)) from None
    except NoCommit as fault:
        sentence = f"no proof with the engine's commit: {fault}; leave out --with-commit."
        raise CommandError(sentence, 1) from None
    except Unprovable as fault:
        sentence = f"no proof of this: {str(fault).rstrip('.')}; check the id and the home."
        raise CommandError(sentence, 1) from None
    except (Busy, Stopped) as fault:
        sentence = f"the ledger did not answer ({fault}): ask again when it runs."
        raise CommandError(sentence, 1) from None
    except BeingRestored as restored:
        sentence = f"{restored}: until the ledger is whole nothing is read of it."
        raise CommandError(sentence) from None
    except (NodeFailed, WireFault) as fault:
        sentence = f"the node cannot answer ({str(fault).rstrip('.')}): look at what it prints."
        raise CommandError(sentence) from None
    except KernelFault as fault:
        sentence = f"the ledger itself is wrong ({fault}): stop, and run `kerege verify-ledger`."
        raise CommandError(sentence) from None
    except OSError as fault:
        raise CommandError(_explain(fault)) from None


def _explain(fault: OSError) -> str:
    """What the operating system refused, with the cure."""
    place = fault.filename or "the home"
    if fault.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}:
        return f"{place} is not writable ({fault.strerror}): give this user the right to it, or choose another --home."
    if fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"the disk is full ({fault.strerror}, {place}): free space, or choose another --home."
    return f"{place}: {fault.strerror or fault}; check the path and the disk, or choose another --home."


def _warn(text: str) -> None:
    """Tell whoever runs the node, on standard error."""
    sys.stderr.write(f"kerege: {text}\n")
    sys.stderr.flush()


def _quietly(_done: int, _of: int) -> None:
    """No progress shown."""


def _readmodel() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for: with SQLAlchemy every command would begin half a second later."""
    return import_module("kerege.node.readmodel")


def _network() -> Any:  # noqa: ANN401 - a module
    """Loaded when asked for, as the engine's messages take a fifth of a second."""
    return import_module("kerege.node.network.commands")


class NodeWiring:
    """Fills `kerege.cli.wiring.Wiring`."""

    def create_home(self, home: Path, nation: str, *, founders: bytes | None) -> str:
        """See `Wiring`."""
        with in_one_sentence(), whole_or_nothing(Home(home)):
            if founders is None:
                create_dev_home(Home(home), nation)
            else:
                create_founded_home(Home(home), nation, founders)
            return str(Home(home).read_about()["ledger"])

    def prefix(self, home: Path) -> str:
        """See `Wiring`."""
        with in_one_sentence():
            return Home(home).read_about()["prefix"]

    def prefix_of(self, nation: str) -> str:
        """See `Wiring`."""
        with in_one_sentence():
            return read_nation(nation).nation.prefix

    def texts(self, home: Path) -> Mapping[str, Mapping[str, str]]:
        """See `Wiring`."""
        with in_one_sentence():
            return read_nation(Home(home).read_about()["nation"]).texts

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
        self.run_node(Home(home), ready, port, [], beside)

    def run_node(
        self,
        home: Home,
        ready: Callable[[str], None],
        port: int | None,
        chores: Sequence[Callable[[Ledger], None]],
        beside: Mapping[str, Start] = MappingProxyType({}),
        public: Path | None = None,
        opened: Callable[[threading.Event], AbstractContextManager[Ledger]] | None = None,
    ) -> None:
        """Run a node, with a web worker where a port is given, until it is interrupted.

        `chores` run each second, and a failure of theirs is told; `beside` are processes, by what they do, that live
        as long as the node and are started again where they end by themselves; `public` holds files that the pages
        offer, None: the home's own folder of that name. `opened` opens the ledger where it is not this home's alone;
        it is given what is set when the node is told to stop.
        """
        stop = interrupted()
        with in_one_sentence(), ExitStack() as stack:
            if port is not None:
                web.check_port(port)
            own = partial(open_ledger, home, clock=SteadyClock(_warn), alarm=ready)
            if opened is None:  # the blocks are made in this process
                stack.enter_context(turns_of(TURN))
            ledger = stack.enter_context(own() if opened is None else opened(stop))
            ledger.serve()
            starts = dict(beside)
            if port is not None:
                starts["the web worker"] = lambda: web.web_worker(home, port, public)
            kept = [stack.enter_context(Kept(name, start, _warn)) for name, start in starts.items()]
            where = f"socket {ledger.home.socket}"
            if port is not None:
                where = f"{web.address_of(port)} · {where}"
            ticker, guarded = Ticker(_warn), [Chore(each, _warn) for each in chores]
            ready(f"{ledger.machine.ledger} {_standing(ledger)}, {where}; Ctrl-C stops")
            while not stop.wait(TICK_EVERY):
                if ledger.engine.failure is not None:
                    sentence = f"the ledger stopped: {ledger.engine.failure}"
                    raise CommandError(sentence, 1)
                ticker.tick(ledger, lambda: self._gateway(ledger.home.path))
                for chore in guarded:
                    chore(ledger)
                for each in kept:
                    each.tend()

    def _gateway(self, home: Path) -> Signer | None:
        """Who ticks for this node: the account of its gateway, where it holds its key."""
        name = next((n for n, _ in self.key_names(home) if n.endswith(GATEWAY)), None)
        return None if name is None else self.signer(home, name)

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
            report = controller.dossiers.check(_committed(door, Folders(controller)), job)
            return {
                "total": report.total,
                "missing": report.missing,
                "wrong": report.wrong,
                "erased": report.erased,
                "unannounced": report.unannounced,
            }

    def erase_dossier(self, home: Path, about: bytes, signer: Signer | None) -> dict[str, Any]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            officer = signer or self._protection(home)
            return upkeep.erase(
                door, controller, about, lambda tombstone: _send(door, officer, RecordErasure(tombstone), NOT_ERASED)
            )

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
            return upkeep.tidy(door, controller)

    @contextmanager
    def open_log(self, home: Path, about: bytes) -> Iterator[tuple[Door, Callable[[bytes, Sequence[bytes]], bool]]]:
        """See `Wiring`."""
        with self._controller(home) as (door, controller):
            yield door, upkeep.looks_at(controller, about)

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
    def _controller(self, home: Path) -> Iterator[tuple[Door, Controller]]:
        """The ledger's door and the dossiers behind it, for this process alone."""
        with in_one_sentence(), _door(Home(home)) as door, Controller.open(home, DoorView(door)) as controller:
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
        self, home: Path, wanted: Wanted, signer: Signer | None, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """See `Wiring`."""
        with in_one_sentence():
            Home(home).read_about()  # a wrong home is told as such, before its keys are missed
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


def _standing(ledger: Ledger) -> str:
    """Where a node begins, in words; a clock that is behind is told on standard error."""
    try:
        head = ledger.door.head()
    except BeingRestored:
        return "is being restored from a snapshot"
    late = behind(head.time, ledger.engine.now())
    if late:
        _warn(late)
    return f"at height {head.height}"


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


def _committed(door: Door, folders: Folders) -> Iterator[Committed]:
    """What the ledger commits to: the content of every record and of every case, in its newest version."""
    for key, raw in collect(door, RECORDS.prefix):
        yield Committed(RECORDS.decode_key(key), 1, RECORDS.decode_value(raw).content, purpose="acts")
    for key, raw in collect(door, CASES.prefix):
        identifier = CASES.decode_key(key)
        folder = folders.find(identifier)
        version = 1 if folder is None else folder.version
        yield Committed(identifier, version, CASES.decode_value(raw).content, purpose="requests")
