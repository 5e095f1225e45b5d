"""`python -m kerege.node.network.node --home DIR --socket PATH --port N`: the member that serves clients.

The same as a node of an embedded ledger, but its blocks come from the network's engine, and its checkpoints are signed
by the validators. The dossiers lie in its home; it does not vote.
"""

import argparse
import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from kerege.cli.wiring import CommandError
from kerege.consensus.checkpoints import Checkpoints, origin_of
from kerege.consensus.cometbft.listener import CannotListen, listen
from kerege.consensus.cometbft.server import Server
from kerege.consensus.door import LocalDoor, committed_context
from kerege.consensus.embedded import wall_clock
from kerege.consensus.gathering import GatheredCheckpoints, Witness, Witnesses
from kerege.consensus.outbox import Outbox
from kerege.consensus.prover import Prover
from kerege.consensus.replica import Replica
from kerege.consensus.replicated import ReplicatedEngine
from kerege.consensus.whole import whole
from kerege.kernel.module import Modules
from kerege.modules.authority.keeper import Nodes
from kerege.node import follower
from kerege.node.child import watch_parent
from kerege.node.home import Home, HomeError
from kerege.node.ledger import GATEWAY_KEY, Ledger
from kerege.node.logs import Log
from kerege.node.network.layout import NODE, Network, read_network
from kerege.node.network.trusting import trust_network
from kerege.node.replica import open_replica
from kerege.node.running import run_node
from kerege.node.watching.figures import Figures
from kerege.node.watching.member import watched
from kerege.storage.port import Store

TRUST_EVERY = 0.5
OUTBOX = "outbox.sqlite"
"""What was accepted and is not final, in the node's home."""
REMEMBERED = 200_000
"""Verdicts on signatures kept from the door until the same comes back in a parcel: each is checked once."""


def witnesses_of(network: Network, modules: Modules, store: Store) -> Witnesses:
    """The validators that sign checkpoints, as the state names them, and where each is asked.

    One that came by law and is not in the network's file has no address: its power counts, and it cannot be asked.
    """
    origin, places = origin_of(network.ledger), {member.name: member.rpc_url for member in network.validators}

    def at(height: int) -> list[Witness]:
        with whole(store):
            signing = committed_context(modules, store, network.ledger).use(Nodes).signing(height)
        return [
            Witness(
                f"{origin}/{seat.institution}",
                seat.checkpoint_key,
                seat.power,
                places.get(seat.institution, ""),
                seat.consensus_key,
            )
            for seat in (() if signing is None else signing.validators)
        ]

    return at


def prover_over(replica: Replica, checkpoints: Checkpoints) -> Prover:
    """Proves what a member holds, also after it was filled from a snapshot: its machine is another one then."""
    machine = replica.machine
    return Prover(machine.modules, replica.store, lambda: replica.machine.trees, machine.ledger, checkpoints)


@contextmanager
def open_node(home: Home, network: Network, socket: Path, log: Log, stop: threading.Event) -> Iterator[Ledger]:
    """The ledger of the node, with its engine served beside, once its trust file is known; raises `HomeError`.

    `stop` ends the wait for the network's first block.
    """
    node = network.node
    if node is None:
        reason = f"the network of {home.path} has no node: found it with one."
        raise HomeError(reason)
    with open_replica(home, log.alarm, remembered=REMEMBERED) as replica, watched(replica, log, node.place) as figures:
        machine, store = replica.machine, replica.store
        outbox = Outbox(home.path / OUTBOX)
        key = (home.secrets / GATEWAY_KEY).read_bytes()
        engine = ReplicatedEngine(replica, rpc=node.rpc_url, key=key, now=wall_clock, alarm=log.alarm, outbox=outbox)
        checkpoints = GatheredCheckpoints(machine.ledger, witnesses_of(network, machine.modules, store), node.rpc_url)
        prover = prover_over(replica, checkpoints)
        door = LocalDoor(machine.modules, store, prover, machine.ledger, machine.prefix, engine)
        ledger = Ledger(home, machine.modules, store, machine, engine, prover, door)
        _show(figures, engine, checkpoints)
        with _Serving(Server(replica, alarm=log.alarm, observe=figures.observe), socket, engine):
            engine.start()
            try:
                while not trust_network(network) and not stop.wait(TRUST_EVERY):
                    pass  # the validators do not show the first header yet
                yield ledger
            finally:
                if ledger.server is not None:
                    ledger.server.close()
                engine.stop()


def _show(figures: Figures, engine: ReplicatedEngine, checkpoints: GatheredCheckpoints) -> None:
    """What only the node has: transactions without an answer, and the signatures that it gathers for proofs."""
    figures.gauge("kerege_node_unanswered", "Transactions without an answer.", lambda: engine.unanswered)
    figures.gauge("kerege_checkpoint_height", "Newest block with enough signatures.", lambda: checkpoints.newest[0])
    figures.gauge("kerege_checkpoint_signatures", "How many it has.", lambda: checkpoints.newest[1])


class _Serving:
    """An application served to its engine by a thread with a loop of its own."""

    def __init__(self, server: Server, socket: Path, engine: ReplicatedEngine) -> None:
        self._server = server
        self._listener = listen(f"unix://{socket}")
        self._engine = engine
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="application", daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as failure:  # noqa: BLE001 - told by who watches the engine
                self._engine.failure = failure

    async def _serve(self) -> None:
        await self._server.start(self._listener)
        await self._server.finished()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join()


def main() -> int:
    """Run from the command line."""
    watch_parent()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--port", type=int)
    wanted = parser.parse_args()
    home, log = Home(wanted.home), Log(NODE)
    try:
        network = read_network(home.path)
        run_node(
            home,
            log.tell,
            wanted.port,
            [],
            {"the read model": lambda: follower.running(home, None)},
            opened=lambda stop: open_node(home, network, wanted.socket, log, stop),
        )
    except (CommandError, HomeError, CannotListen) as fault:
        log.alarm(str(fault))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
