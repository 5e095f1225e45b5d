"""`kerege import` over a home: the node is used where it runs, and started for the time of the import where not."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from shlex import quote
from tempfile import TemporaryFile
from typing import IO

from kerege.consensus.door import Door
from kerege.consensus.embedded import Stopped
from kerege.dossiers.controller import Controller
from kerege.dossiers.errors import LedgerUnreachable
from kerege.gateways.extracts import births
from kerege.gateways.extracts.doing import open_wanted, run_import
from kerege.gateways.extracts.importer import Importer, Progress, Summary
from kerege.gateways.extracts.journal import Lock
from kerege.gateways.extracts.making import Setting
from kerege.gateways.extracts.sending import Signer
from kerege.gateways.extracts.wanted import Wanted
from kerege.node.child import child
from kerege.node.home import Home, HomeError
from kerege.node.ledger_view import DoorView
from kerege.node.pack import Pack
from kerege.node.tuning import long_work
from kerege.node.wire import SocketDoor, WireFault, reach
from kerege.node.workplace import read_nation

IMPORTS = "imports"
ROLE = "import-officer"
START_SECONDS = 60
ATTEMPTS, AGAIN_AFTER = 4, 1.5
"""How often an import is taken up again whose node went away, and after how many seconds."""


class NodeEnded(HomeError):
    """The node that was started for an import ended before it answered."""


def import_births(home: Home, wanted: Wanted, signer: Signer, progress: Progress) -> Summary:
    """Import a file of births; raises `ExtractError`, `HomeError`, `DossierError` and what the door raises.

    Where the node goes away meanwhile (it was stopped, or was still ending after another import had been killed), the
    import goes on with the next one: what is on the ledger is found there again.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(Stopped, LedgerUnreachable, ConnectionError, NodeEnded):
            return _import_births(home, wanted, signer, progress)
        time.sleep(AGAIN_AFTER)
    return _import_births(home, wanted, signer, progress)


def _import_births(home: Home, wanted: Wanted, signer: Signer, progress: Progress) -> Summary:
    pack = read_nation(home.read_about()["nation"])
    extract = open_wanted(wanted, pack.extracts)
    with (
        Lock(home.path / IMPORTS),
        long_work(),
        open_node(home) as door,
        Controller.open(home.path, DoorView(door)) as controller,
    ):
        importer = Importer(door, controller, signer, setting_of(pack), home.path / IMPORTS)
        return run_import(importer, extract, pack.texts, wanted, progress)


def setting_of(pack: Pack) -> Setting:
    """What an import needs to know of a nation."""
    kinds = {kind.code: kind.roles for kind in pack.office_kinds}
    office = next(o.code for o in pack.offices if ROLE in kinds[o.kind] and o.valid_to is None)
    review = pack.service(births.REVIEW_SERVICE).definition
    deciding = {kind for step in review.steps[1:] for kind in step.office_kinds}
    fields = pack.service(births.SERVICE).definition.record_fields
    return Setting(
        office=office,
        offices=frozenset(o.code for o in pack.offices),
        open_offices=frozenset(o.code for o in pack.offices if o.kind in deciding and o.valid_to is None),
        territory=frozenset(t.code for t in pack.territory),
        offset_minutes=pack.nation.offset_minutes,
        record_fields=tuple(field.code for field in fields),
        review_fields=tuple(field.code for field in (*review.record_fields, *review.request_fields)),
    )


@contextmanager
def open_node(home: Home) -> Iterator[Door]:
    """The running node's door; where none runs, one is started in a process of its own and stopped afterwards.

    The ledger then has a processor of its own while this process judges and seals.
    """
    home.read_about()
    running = _reach(home)
    if running is not None:
        with running:
            yield running
        return
    with (
        TemporaryFile("w+") as told,  # a pipe that nobody reads would stop a node that has much to say
        child(
            *("kerege.node", "up", "--home", str(home.path)),
            patience=None,
            stdout=subprocess.DEVNULL,
            stderr=told,
        ) as node,
        _await(home, node, told) as door,
    ):
        yield door


def _await(home: Home, node: "subprocess.Popen[bytes]", told: IO[str]) -> SocketDoor:
    """The door of a node that is starting; raises `HomeError` with its own words where it does not."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if node.poll() is not None:
            told.seek(0)
            said = told.read().strip()
            raise NodeEnded(said or f"the node ended with code {node.returncode}: run `kerege up` and look.")
        door = _reach(home)
        if door is not None:
            return door
        time.sleep(0.05)
    look = f"kerege up --home {quote(str(home.path))}"
    raise HomeError(f"the node did not answer within {START_SECONDS} s: run `{look}` and look.")


def _reach(home: Home) -> SocketDoor | None:
    """The running node's door; one that is starting or ending answers with anything."""
    try:
        return reach(home.socket)
    except (OSError, WireFault):
        return None
