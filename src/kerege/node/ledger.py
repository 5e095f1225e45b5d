"""Opening a ledger: the one place where store, machine, engine, prover and dossiers are joined."""

import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.beside import reading_beside
from kerege.consensus.checking import make_verifier
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, origin_of
from kerege.consensus.door import CommittedReader, LocalDoor
from kerege.consensus.embedded import Clock, EmbeddedEngine, wall_clock
from kerege.consensus.prover import Prover
from kerege.consensus.trees import Progress, dump_trees, open_trees
from kerege.consensus.whole import check_whole
from kerege.kernel.block import Head
from kerege.kernel.codec import decode
from kerege.kernel.crypto import Verifier
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.kernel.machine import Machine
from kerege.kernel.module import Modules
from kerege.kernel.tree import StateTree
from kerege.modules import MODULES
from kerege.node.home import Home, HomeError, write_private
from kerege.node.memory import cached_values
from kerege.node.wire import DoorServer
from kerege.storage.errors import HomeOfAnotherVersion, StoreDamaged, StoreFailed
from kerege.storage.port import Area, Store
from kerege.storage.rocks import RocksStore, is_store
from kerege.storage.secondary import SecondaryStore

if TYPE_CHECKING:  # with it the engine's messages, a fifth of a second at every command
    from kerege.consensus.replicated import ReplicatedEngine

CHECKPOINT_KEY = "checkpoint.key"
GATEWAY_KEY = "gateway.key"
SEED_BYTES = 32


def quiet(_what: str, _done: int) -> None:
    """No progress shown."""


@dataclass(slots=True)
class Ledger:
    """An open ledger. Close it, or use it as a context manager; closing keeps the trees for a quick start."""

    home: Home
    modules: Modules
    store: Store
    machine: Machine
    engine: "EmbeddedEngine | ReplicatedEngine"
    prover: Prover
    door: LocalDoor
    server: DoorServer | None = None

    def serve(self) -> None:
        """Answer other processes of this machine at the home's socket."""
        self.server = DoorServer(self.door, self.home.socket)

    def close(self) -> None:
        """Finish what was accepted, keep the trees, close the store."""
        if self.server is not None:
            self.server.close()
        self.engine.stop()
        if self.engine.failure is None:
            dump_trees(self.modules, self.store, self.machine.trees, self.home.trees)
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_ledger(home: Home, genesis: Genesis, *, nation: str, dev: bool) -> None:
    """A new home with a ledger and nothing beside it; raises `HomeError` where one exists."""
    begin_ledger(home, genesis)
    home.write_about(genesis.ledger, nation, genesis.prefix, dev=dev)


def begin_ledger(home: Home, genesis: Genesis) -> None:
    """Write block 0 and the node's keys; raises `HomeError` where there is a home.

    A home it is with `Home.write_about`, which comes last of all.
    """
    if home.about.exists():
        reason = f"{home.path} is a home already: choose another folder, or remove this one with all it holds."
        raise HomeError(reason)
    home.path.mkdir(parents=True, exist_ok=True)
    modules = Modules(MODULES)
    seed = secrets.token_bytes(SEED_BYTES)
    write_private(home.secrets / CHECKPOINT_KEY, seed)
    with RocksStore(home.path, create=True) as store:
        machine = open_machine(modules, store, genesis.ledger, genesis.prefix, None)
        EmbeddedEngine(machine, store).begin(genesis)
    write_private(home.trust, trust_file(genesis, checkpoint_key(home, genesis.ledger)), mode=0o644)


def _told_member(home: Home) -> str:
    if (home.secrets / GATEWAY_KEY).exists():
        cure = "run `kerege network up`; where that runs already, its node answers in a moment."
        return f"{home.path} is of a network, whose blocks no member makes alone: {cure}"
    return f"{home.path} is a validator's, which serves no clients: name the network's own folder, its node does."


def open_ledger(
    home: Home,
    *,
    clock: Clock = wall_clock,
    alarm: Callable[[str], None] = lambda _text: None,
    progress: Progress = quiet,
) -> Ledger:
    """Open a home for writing and start its engine; raises `HomeError` and what the store raises."""
    about = home.read_about()
    if "engine" in about:
        raise HomeError(_told_member(home))
    modules = Modules(MODULES)
    store = RocksStore(home.path)
    try:
        check_same_ledger(home, read_genesis(store))
        machine = open_machine(modules, store, about["ledger"], about["prefix"], home, progress)
        engine = EmbeddedEngine(machine, store, now=clock, alarm=alarm)
        key = checkpoint_key(home, machine.ledger)
        _check_trusted(home, key)
        prover = Prover(modules, store, lambda: machine.trees, machine.ledger, OwnCheckpoints(machine.ledger, [key]))
        door = LocalDoor(modules, store, prover, machine.ledger, machine.prefix, engine)
        engine.start()
    except BaseException:
        store.close()
        raise
    return Ledger(home, modules, store, machine, engine, prover, door)


def check_same_ledger(home: Home, genesis: Genesis) -> None:
    """Raise `HomeError` where the home names another ledger than its store: it would sign the wrong one."""
    about = home.read_about()
    if (genesis.ledger, genesis.prefix) != (about["ledger"], about["prefix"]):
        reason = f"{home.about} says {about['ledger']}, the store is of {genesis.ledger}: restore both together."
        raise HomeError(reason)


def remove_home(folder: Path, home: Home) -> None:
    """Remove a folder with a home in it; raises `HomeLocked` while a node has it open."""
    if is_store(home.path / "store"):
        with suppress(StoreDamaged, StoreFailed, HomeOfAnotherVersion):
            RocksStore(home.path).close()
    shutil.rmtree(folder, ignore_errors=True)


def open_reader(home: Home) -> tuple[Modules, SecondaryStore]:
    """Open a home for reading only, also while a node writes it; raises `BeingRestored`."""
    home.read_about()
    store = SecondaryStore(home.path)
    try:
        store.catch_up()
        check_whole(store)
    except BaseException:
        store.close()
        raise
    return Modules(MODULES), store


def read_genesis(store: Store) -> Genesis:
    """The ledger's first bytes; raises `HomeError` where the store has none."""
    raw = rows.read_genesis(store)
    if raw is None:
        reason = "the store holds no genesis: it is damaged, restore it from a backup."
        raise HomeError(reason)
    return decode(raw, Genesis)


def trust_file(genesis: Genesis, key: CheckpointKey) -> bytes:
    """What a verifier needs to trust, and nothing else: ids, origin, checkpoint keys with threshold and validity."""
    trusted = proofs.TrustedKey(key.name, key.public, genesis.time, None)
    return proofs.trust.make(
        ledger=genesis.ledger,
        genesis=genesis_hash(genesis),
        origin=origin_of(genesis.ledger),
        threshold=1,
        keys=[trusted],
    )


def new_ledger_id(nation: str, *, dev: bool) -> str:
    """Id of a new ledger: a throw-away one is random, so that nothing signed for it runs elsewhere."""
    return f"{nation}-dev-{os.urandom(4).hex()}" if dev else f"{nation}-{time.strftime('%Y', time.gmtime())}"


def checkpoint_key(home: Home, ledger: str, name: str = "operator") -> CheckpointKey:
    """The key in a home that signs checkpoints under a name; raises `HomeError`."""
    path: Path = home.secrets / CHECKPOINT_KEY
    try:
        seed = path.read_bytes()
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}): restore the home's node folder from a backup."
        raise HomeError(reason) from None
    if len(seed) != SEED_BYTES:
        reason = f"{path} holds {len(seed)} bytes where a key has {SEED_BYTES}: restore it from a backup of the home."
        raise HomeError(reason)
    return CheckpointKey(f"{origin_of(ledger)}/{name}", seed)


def _check_trusted(home: Home, key: CheckpointKey) -> None:
    """Raise `HomeError` where the home's own trust file does not know the key: no verifier would accept its notes."""
    try:
        trusted = proofs.trust.parse(home.trust.read_bytes())
    except (OSError, proofs.Malformed):  # verifiers have copies; commands that read it say what is wrong
        return
    if key.public not in {known.key for known in trusted.keys}:
        path = home.secrets / CHECKPOINT_KEY
        reason = f"{path} is not the key in {home.trust}: another ledger's? Restore both from one backup of the home."
        raise HomeError(reason)


def open_machine(
    modules: Modules,
    store: Store,
    ledger: str,
    prefix: str,
    home: Home | None,
    progress: Progress = quiet,
    verifier: Verifier | None = None,
) -> Machine:
    """The machine where its store stands, with the trees of its home."""
    head = rows.read_head(store)
    trees = None
    if head is not None and home is not None:
        trees = open_trees(modules, store, head, home.trees, progress)
    return machine_at(modules, store, ledger, prefix, head, trees, verifier)


def machine_at(
    modules: Modules,
    store: Store,
    ledger: str,
    prefix: str,
    head: Head | None,
    trees: list[StateTree] | None,
    verifier: Verifier | None = None,
) -> Machine:
    """The machine over a store at a head whose trees are there."""

    def read_tile(level: int, index: int) -> bytes:
        tile = store.get(Area.LOG, rows.tile_key(level, index))
        if tile is None:
            reason = f"tile {level}/{index} of the log is missing: the store is damaged, restore it from a backup."
            raise HomeError(reason)
        return tile

    return Machine(
        modules,
        ledger=ledger,
        prefix=prefix,
        reader=CommittedReader(store),
        read_tile=read_tile,
        head=head,
        trees=trees,
        cache_limit=cached_values(),
        verifier=verifier or make_verifier(),
        beside=reading_beside(),
    )
