"""`python -m kerege.node.replica --home DIR --socket PATH`: the ledger of one member of a network, for its engine.

The home holds the store and what it is; no dossiers, no keys of offices. The first block comes from the engine.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from kerege.consensus.cometbft.listener import listen
from kerege.consensus.cometbft.server import run, say
from kerege.consensus.embedded import wall_clock
from kerege.consensus.replica import Replica
from kerege.consensus.snapshots.restoring import Restoring
from kerege.consensus.snapshots.shelf import Shelf
from kerege.consensus.trees import dump_trees
from kerege.kernel.crypto import Verifier
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.home import Home, HomeError
from kerege.node.ledger import machine_at, open_machine
from kerege.node.snapshots import EVERY, Maker
from kerege.storage.errors import StorageError
from kerege.storage.rocks import RocksStore

REMEMBERED = 200_000
"""Verdicts on signatures kept from admission until a block executes: each is checked once."""


def create_replica(home: Home, genesis: Genesis, *, nation: str, dev: bool) -> None:
    """Make the home of a member: an empty store; raises `HomeError` where a home is there."""
    if home.about.exists():
        reason = f"{home.path} is a home already: choose another folder, or remove this one with all it holds."
        raise HomeError(reason)
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    RocksStore(home.path, create=True).close()
    home.write_about(genesis.ledger, nation, genesis.prefix, dev=dev)


def serve(home: Home, socket: Path, snapshot_every: int = EVERY) -> int:
    """Serve the engine at a socket until told to stop; the exit code."""
    about, modules = home.read_about(), Modules(MODULES)
    with RocksStore(home.path) as store, Maker(home, Shelf(home.snapshots), snapshot_every) as maker:
        verifier = Verifier(remembered=REMEMBERED)
        reopen = partial(machine_at, modules, store, about["ledger"], about["prefix"], verifier=verifier)
        restoring = Restoring(modules, store, about["ledger"], reopen, tell=say)
        machine = open_machine(modules, store, about["ledger"], about["prefix"], home, verifier=verifier)
        replica = Replica(
            machine,
            store,
            now=wall_clock,
            alarm=say,
            on_block=lambda height, *_: maker.on_block(height),
            shelf=Shelf(home.snapshots),
            restoring=restoring,
        )
        maker.at_start(store)
        code = run(replica, listen(f"unix://{socket}"))
        if code == 0 and replica.machine.head is not None and not replica.undecided:
            dump_trees(modules, store, replica.machine.trees, home.trees)
    return code


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--snapshot-every", type=int, default=EVERY, help="heights; 0 for none")
    wanted = parser.parse_args()
    try:
        return serve(Home(wanted.home), wanted.socket, wanted.snapshot_every)
    except (HomeError, StorageError) as fault:
        say(str(fault))
        return 2


if __name__ == "__main__":
    sys.exit(main())
