"""`python -m kerege.node.replica --home DIR --socket PATH [--name NAME]`: the ledger of one member, for its engine.

The home holds the store and what it is; no dossiers, no keys of offices. The first block comes from the engine.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kerege.consensus.checking import make_verifier
from kerege.consensus.checkpoints import CheckpointKey
from kerege.consensus.cometbft.listener import CannotListen, listen
from kerege.consensus.cometbft.server import run
from kerege.consensus.embedded import wall_clock
from kerege.consensus.replica import Replica
from kerege.consensus.snapshots.restoring import Restoring
from kerege.consensus.snapshots.shelf import Shelf
from kerege.consensus.trees import Damaged, dump_trees
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.child import watch_parent
from kerege.node.home import Home, HomeError
from kerege.node.ledger import checkpoint_key, machine_at, open_machine
from kerege.node.logs import Log
from kerege.node.snapshots import EVERY, Maker
from kerege.node.tuning import steady_work
from kerege.node.watching.member import watched
from kerege.node.watching.place import Place, add_words, place_of
from kerege.storage.errors import StorageError
from kerege.storage.rocks import RocksStore

ENGINE = "cometbft"
"""What the home of a member says of itself: blocks come from this engine, and nobody else may make any."""


def create_replica(home: Home, genesis: Genesis, *, nation: str, dev: bool) -> None:
    """Make the home of a member: an empty store, which its engine or a snapshot fills.

    Raises `HomeError` where a home is there.
    """
    if home.about.exists():
        reason = f"{home.path} is a home already: choose another folder, or remove this one with all it holds."
        raise HomeError(reason)
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    RocksStore(home.path, create=True).close()
    home.write_about(genesis.ledger, nation, genesis.prefix, dev=dev, engine=ENGINE)


def begin_replica(home: Home, genesis: Genesis) -> None:
    """A store with block 0, which the engine would ask for: what serves clients has a newest block from the start."""
    with RocksStore(home.path, create=True) as store:
        machine = open_machine(Modules(MODULES), store, genesis.ledger, genesis.prefix, None)
        Replica(machine, store, now=wall_clock).begin(genesis)


@contextmanager
def open_replica(
    home: Home,
    alarm: Callable[[str], None],
    keys: Sequence[CheckpointKey] = (),
    kind: type[Replica] = Replica,
    snapshot_every: int = EVERY,
    remembered: int = 0,
) -> Iterator[Replica]:
    """A member's ledger for its engine; closing keeps the trees for a quick start. Raises `HomeError`.

    `remembered`: verdicts kept for transactions that come to their block by another way than the engine's pool.
    """
    about, modules = home.read_about(), Modules(MODULES)
    with RocksStore(home.path) as store, Maker(home, Shelf(home.snapshots), snapshot_every) as maker:
        verifier = make_verifier(remembered)
        reopen = partial(machine_at, modules, store, about["ledger"], about["prefix"], verifier=verifier)
        restoring = Restoring(modules, store, about["ledger"], reopen, tell=alarm)
        machine = open_machine(modules, store, about["ledger"], about["prefix"], home, verifier=verifier)
        replica = kind(
            machine,
            store,
            now=wall_clock,
            alarm=alarm,
            checkpoint_keys=keys,
            on_block=lambda height, *_: maker.on_block(height),
            shelf=Shelf(home.snapshots),
            restoring=restoring,
        )
        maker.at_start(store)
        with steady_work():
            yield replica
        if replica.machine.head is not None and not replica.undecided:
            dump_trees(modules, store, replica.machine.trees, home.trees)


def serve(
    home: Home,
    socket: Path,
    name: str | None,
    log: Log,
    kind: type[Replica] = Replica,
    place: Place | None = None,
    snapshot_every: int = EVERY,
) -> int:
    """Serve the engine at a socket until told to stop; the exit code. A validator signs checkpoints by its name.

    `place`: where it is watched.
    """
    keys = [] if name is None else [checkpoint_key(home, home.read_about()["ledger"], name)]
    with (
        open_replica(home, log.alarm, keys, kind, snapshot_every) as replica,
        watched(replica, log, place) as figures,
    ):
        return run(replica, listen(f"unix://{socket}"), alarm=log.alarm, observe=figures.observe)


def main(kind: type[Replica] = Replica) -> int:
    """Run from the command line."""
    watch_parent()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--name", help="of the validator, as the trust file has it")
    parser.add_argument("--snapshot-every", type=int, default=EVERY, help="heights; 0 for none")
    add_words(parser)
    wanted = parser.parse_args()
    log = Log(wanted.name or "member")
    try:
        own = Home(wanted.home), wanted.socket, wanted.name
        return serve(*own, log, kind, place_of(wanted), wanted.snapshot_every)
    except (HomeError, StorageError, Damaged, CannotListen) as fault:
        log.alarm(str(fault))
        return 2


if __name__ == "__main__":
    sys.exit(main())
