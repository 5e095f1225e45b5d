"""What the controller does with dossiers beside the cases: check, erase, tidy up what is due, tell who looked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kerege.cli.wiring import CommandError
from kerege.consensus.door import Door, collect
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folder, Folders
from kerege.dossiers.expiry import settle_expired
from kerege.dossiers.jobs import Committed
from kerege.dossiers.ports import Entry
from kerege.kernel.types import Hash, Identifier
from kerege.modules.disclosure.state import TOMBSTONES
from kerege.modules.registries.state import EPOCHS, RECORDS
from kerege.modules.registries.types import RecordStatus
from kerege.modules.services.state import CASES
from kerege.modules.services.types import CaseStatus
from kerege.node.home import Home
from kerege.node.ledger_view import DoorView

ROTATION_AHEAD = 7 * 24 * 3_600_000
"""An epoch of keys ends so long before the erasures under it must be complete: a week of failures harms nobody."""
NEEDED = (CaseStatus.OPEN, CaseStatus.SUSPENDED, CaseStatus.APPEALED)
"""Where a case stands while somebody still has to read what it asks for."""


@contextmanager
def opened(home: Home, door: Door) -> Iterator[Controller]:
    """The dossiers of a home behind its ledger's door, for this process alone."""
    with Controller.open(home.path, DoorView(door)) as controller:
        yield controller


def check(door: Door, controller: Controller, job: Identifier) -> dict[str, int]:
    """Open every commitment under a job that is on the ledger; see `Wiring.check_dossiers`."""
    report = controller.dossiers.check(_committed(door, Folders(controller)), job)
    return {
        "total": report.total,
        "missing": report.missing,
        "wrong": report.wrong,
        "erased": report.erased,
        "unannounced": report.unannounced,
    }


def _committed(door: Door, folders: Folders) -> Iterator[Committed]:
    """What the ledger commits to: the content of every record and of every case, in its newest version."""
    for key, raw in collect(door, RECORDS.prefix):
        yield Committed(RECORDS.decode_key(key), 1, RECORDS.decode_value(raw).content, purpose="acts")
    for key, raw in collect(door, CASES.prefix):
        identifier = CASES.decode_key(key)
        folder = folders.find(identifier)
        version = 1 if folder is None else folder.version
        yield Committed(identifier, version, CASES.decode_value(raw).content, purpose="requests")


def folder_of(controller: Controller, about: Identifier) -> Folder:
    """The dossier of a case or a record; raises `CommandError` where there is none."""
    found = Folders(controller).find(about)
    if found is None:
        sentence = f"there is no dossier of {about.hex()}: check the id of the case or record."
        raise CommandError(sentence, 1)
    return found


def erase(door: Door, controller: Controller, about: Identifier, record: Callable[[Hash], None]) -> dict[str, Any]:
    """Put the tombstone of an ended case's dossier on the ledger, then destroy its keys and begin a new epoch.

    `record` sends the tombstone and raises where it is not applied: nothing has been destroyed then. What is cut off
    after it is finished by `tidy`.
    """
    folder = folder_of(controller, about)
    tombstone = controller.dossiers.tombstone(folder.subject, folder.purpose)
    raw = door.state(CASES.encode_key(about))
    status = None if raw is None else CASES.decode_value(raw).status
    if status in NEEDED:
        sentence = f"the case {about.hex()} is {status.value}: what it asks for is erasable once it has ended."
        raise CommandError(sentence, 1)
    if door.state(TOMBSTONES.encode_key(tombstone)) is None:
        record(tombstone)
    controller.dossiers.erase(folder.subject, folder.purpose)
    rotation = controller.keys.rotate_epoch()
    return {
        "tombstone": tombstone.hex(),
        "purpose": folder.purpose,
        "epoch": rotation.epoch,
        "rewrapped": rotation.rewrapped,
    }


def tidy(door: Door, controller: Controller) -> dict[str, Any]:
    """Do what time makes due; see `Wiring.tidy_dossiers`."""
    now, registries = door.head().time, [EPOCHS.decode_key(key) for key, _ in collect(door, EPOCHS.prefix)]
    orphans = controller.dossiers.collect_orphans(now, _reached(door, Folders(controller)))
    returned = settle_expired(controller, registries)
    tombstones = [TOMBSTONES.decode_key(key) for key, _ in collect(door, TOMBSTONES.prefix)]
    erased = controller.dossiers.reapply(tombstones) if tombstones else 0
    absent, due = controller.keys.expire_backups(), controller.keys.rotation_due()
    rotation = controller.keys.rotate_epoch() if due is not None and due - now < ROTATION_AHEAD else None
    return {
        "confirmed": orphans.confirmed,
        "collected": orphans.collected,
        "numbers_returned": returned,
        "erasures_finished": erased,
        "backups_not_found": [str(folder) for folder in absent],
        "epoch": None if rotation is None else rotation.epoch,
        "rotation_due": due if rotation is None else None,
    }


def _reached(door: Door, folders: Folders) -> Callable[[Entry], bool]:
    """Whether the transaction that a dossier was written for is on the ledger, or is still to come.

    An act by its record; a request up to the version that stands; a link from an act as soon as the act is closed, for
    the rest of that amendment can be sent at any time.
    """

    def reached(entry: Entry) -> bool:
        case, record = door.states([CASES.encode_key(entry.record), RECORDS.encode_key(entry.record)])
        if case is not None:
            standing = folders.find(entry.record)
            return standing is None or entry.version <= standing.version
        if record is None:
            return False
        return entry.purpose == "acts" or RECORDS.decode_value(record).status is not RecordStatus.LIVE

    return reached


def looks_at(controller: Controller, about: Identifier) -> Callable[[Identifier, Sequence[Hash]], bool]:
    """Tells of looks on the ledger, by id and references, whether they were at the dossier of a case or record."""
    folder, folders = folder_of(controller, about), Folders(controller)
    return lambda access, references: folders.reference(folder, access) in references
