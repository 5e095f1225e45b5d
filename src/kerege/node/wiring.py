"""What the command line gets of a node: homes, doors, keys, dossiers, the replay."""

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kerege.cli.wiring import CommandError, Signer
from kerege.consensus.door import Door, collect
from kerege.consensus.embedded import Answer, wall_clock
from kerege.consensus.replay import verify_ledger
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folders
from kerege.dossiers.errors import DossierError
from kerege.dossiers.jobs import Committed
from kerege.kernel.codec import decode
from kerege.kernel.machine import next_due
from kerege.kernel.receipts import Receipt
from kerege.kernel.tick import Tick
from kerege.kernel.transaction import Body
from kerege.modules.disclosure.messages import RecordErasure, StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.modules.registries.state import RECORDS
from kerege.modules.services.state import CASES
from kerege.node import devkeys
from kerege.node.home import Home, HomeError
from kerege.node.ledger import Ledger, open_ledger, open_reader
from kerege.node.ledger_view import DoorView
from kerege.node.wire import SocketDoor
from kerege.node.workplace import create_dev_home, read_nation
from kerege.storage.errors import StorageError
from kerege.storage.rocks import RocksStore
from kerege.testing.signers import Ed25519Signer

HOUR = 3_600_000
PROTECTION = "data-protection-officer"
GATEWAY = "/gateway"
TICK_EVERY = 1.0
"""Seconds between two looks at what is due."""


@contextmanager
def _told() -> Iterator[None]:
    """Known faults as one sentence with the cure."""
    try:
        yield
    except (HomeError, DossierError) as fault:
        raise CommandError(str(fault)) from None
    except StorageError as fault:
        sentence = f"{fault} {fault.cure}"
        raise CommandError(sentence) from None
    except PermissionError as fault:
        sentence = (
            f"{fault.filename} is not writable: give this user the right to write there, or choose another --home."
        )
        raise CommandError(sentence) from None
    except OSError as fault:
        sentence = f"{fault.strerror} ({fault.filename}): free space or choose another --home."
        raise CommandError(sentence) from None


class NodeWiring:
    """Fills `kerege.cli.wiring.Wiring`."""

    def create_home(self, home: Path, nation: str, *, dev: bool) -> str:
        """See `Wiring`."""
        if not dev:
            sentence = "founding officials bring their own keys, which this release cannot read yet: use --dev."
            raise CommandError(sentence)
        with _told():
            create_dev_home(Home(home), nation)
            return str(Home(home).read_about()["ledger"])

    def open_door(self, home: Path) -> AbstractContextManager[Door]:
        """See `Wiring`."""
        return _door(Home(home))

    def serve(self, home: Path, ready: Callable[[str], None]) -> None:
        """See `Wiring`."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with _told(), open_ledger(Home(home), alarm=ready) as ledger:
            ledger.serve()
            height = ledger.prover.head().height
            ready(f"{ledger.machine.ledger} at height {height}, socket {ledger.home.socket}; Ctrl-C stops")
            while not stop.wait(TICK_EVERY):
                self._tick(ledger)

    def _tick(self, ledger: Ledger) -> None:
        """Send `kernel.Tick` from the gateway's account where a schedule is due and nobody else makes a block."""
        due = next_due(ledger.modules, ledger.door.context())
        name = next((n for n, _ in self.key_names(ledger.home.path) if n.endswith(GATEWAY)), "")
        if due is not None and name and due <= wall_clock():
            _send(ledger.door, self.signer(ledger.home.path, name), Tick())

    def signer(self, home: Path, name: str) -> Signer:
        """See `Wiring`."""
        if not name:
            sentence = "say whose key signs: --as OFFICE/ROLE; `kerege keys list` names them."
            raise CommandError(sentence)
        with _told():
            return Ed25519Signer(devkeys.read_key(Home(home), name).seed)

    def verify_ledger(self, home: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """See `Wiring`."""
        with (
            _told(),
            TemporaryDirectory(prefix="kerege-replay-") as folder,
            RocksStore(Path(folder), create=True) as scratch,
        ):
            modules, store = open_reader(Home(home))
            try:
                report = verify_ledger(store, modules, scratch, progress=lambda p: progress(p.height, p.of))
            finally:
                store.close()
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

    def check_dossiers(self, home: Path) -> dict[str, int]:
        """See `Wiring`."""
        with _told(), _door(Home(home)) as door, Controller.open(home, DoorView(door)) as controller:
            job = secrets.token_bytes(16)
            _send(door, self._protection(home), StartJob(job, JobKind.CHECK))
            report = controller.dossiers.check(_committed(door, Folders(controller.dossiers)), job)
            return {
                "total": report.total,
                "missing": report.missing,
                "wrong": report.wrong,
                "erased": report.erased,
                "unannounced": report.unannounced,
            }

    def erase_dossier(self, home: Path, about: bytes) -> dict[str, Any]:
        """See `Wiring`."""
        with _told(), _door(Home(home)) as door, Controller.open(home, DoorView(door)) as controller:
            folder = Folders(controller.dossiers).find(about)
            if folder is None:
                sentence = f"there is no dossier of {about.hex()}: check the id of the case or record."
                raise CommandError(sentence, 1)
            tombstone = controller.dossiers.erase(folder.subject, folder.purpose)
            _send(door, self._protection(home), RecordErasure(tombstone))
            rotation = controller.keys.rotate_epoch()
        return {
            "tombstone": tombstone.hex(),
            "purpose": folder.purpose,
            "epoch": rotation.epoch,
            "rewrapped": rotation.rewrapped,
        }

    def _protection(self, home: Path) -> Signer:
        name = next((n for n, _ in self.key_names(home) if n.endswith(PROTECTION)), "")
        return self.signer(home, name)

    def texts(self, nation: str) -> dict[str, dict[str, str]]:
        """See `Wiring`."""
        with _told():
            return read_nation(nation).texts

    def key_names(self, home: Path) -> Sequence[tuple[str, str]]:
        """See `Wiring`."""
        return devkeys.list_keys(Home(home))


@contextmanager
def _door(home: Home) -> Iterator[Door]:
    """The socket of a running node, else the store opened by this process."""
    with _told():
        home.read_about()
        try:
            running = SocketDoor(home.socket)
        except (FileNotFoundError, ConnectionRefusedError):
            with open_ledger(home) as ledger:
                yield ledger.door
        else:
            try:
                yield running
            finally:
                running.close()


def _send(door: Door, signer: Signer, message: Any) -> Answer:  # noqa: ANN401 - any message
    body = Body(
        ledger=door.ledger,
        sender=signer.address,
        lane=0,
        sequence=door.next_sequence(signer.address),
        valid_until=max(door.head().time, wall_clock()) + HOUR,
        salt=os.urandom(16),
        messages=[message],
    )
    (answer,) = door.submit([signer.transaction(body)])
    code = str(answer.reason) if answer.receipt is None else decode(answer.receipt, Receipt).code
    if code:
        sentence = f"the run could not be put on the ledger ({code}): nothing was opened."
        raise CommandError(sentence, 1)
    return answer


def _committed(door: Door, folders: Folders) -> Iterator[Committed]:
    """What the ledger commits to: the content of every record and of every case, in its newest version."""
    for key, raw in collect(door, RECORDS.prefix):
        yield Committed(RECORDS.decode_key(key), 1, RECORDS.decode_value(raw).content, purpose="acts")
    for key, raw in collect(door, CASES.prefix):
        identifier = CASES.decode_key(key)
        folder = folders.find(identifier)
        version = 1 if folder is None else folder.version
        yield Committed(identifier, version, CASES.decode_value(raw).content, purpose="requests")
