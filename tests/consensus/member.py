"""One member of a network in the test's own process: a replica with its engine (a real one), and what submits to it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from nacl.signing import SigningKey

from kerege.consensus import rows
from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.listener import listen
from kerege.consensus.cometbft.server import Server
from kerege.consensus.door import CommittedReader
from kerege.consensus.embedded import Clock, wall_clock
from kerege.consensus.replica import Replica
from kerege.consensus.replicated import ReplicatedEngine
from kerege.consensus.trees import open_trees
from kerege.kernel.codec import encode
from kerege.kernel.crypto import Verifier
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Message
from kerege.kernel.module import Modules
from kerege.kernel.transaction import Body
from kerege.modules import MODULES
from kerege.modules.authority.messages import RegisterNodeKey
from kerege.modules.authority.rules import possession_payload
from kerege.modules.authority.types import NodeKeyKind
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.state import BALANCES
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area, Store
from kerege.testing import names
from kerege.testing.cometbft import Engine, Rpc
from kerege.testing.country import found
from tools.engine import DEFAULT, binary

LEDGER, HOUR = "kg-test", 3_600_000
MONEY = 1_000_000
CLASSES = ["accounts.=1", "bank.=3"]


OPERATOR, INSTITUTION = "operator", "north"
"""Who registers the keys of nodes, and of which institution."""
GATEWAY = SigningKey(sha256(b"gateway").digest())


def genesis(people: Sequence[str], rules: Mapping[str, object] | None = None) -> Genesis:
    rules = {"kernel.proposal_classes": CLASSES, "accounts.rate_burst": 1_000_000, **(rules or {})}
    posts = {OPERATOR: ("system-operator", f"{INSTITUTION}-1")}
    modules = found(people, posts, money=dict.fromkeys(people, MONEY), rules=rules)
    return Genesis(LEDGER, "kg", wall_clock() - HOUR, list(modules))


def signed(
    sender: str, *messages: Message, sequence: int = 0, until: int | None = None, salt: int = 0, lane: int = 0
) -> bytes:
    signer = names.signer(sender)
    until = wall_clock() + HOUR if until is None else until
    return signer.transaction(
        Body(LEDGER, signer.address, lane, sequence, until, salt.to_bytes(16, "big"), list(messages))
    )


def pay(sender: str, receiver: str, sequence: int = 0, amount: int = 5, **more: Any) -> bytes:
    return signed(sender, Transfer(names.address(receiver), "KGS", amount), sequence=sequence, **more)


def register(key: SigningKey = GATEWAY, *, sequence: int = 0, kind: NodeKeyKind = NodeKeyKind.GATEWAY) -> bytes:
    """The transaction that registers a node's key."""
    public = bytes(key.verify_key)
    possession = key.sign(possession_payload(LEDGER, kind, INSTITUTION, public)).signature
    return signed(OPERATOR, RegisterNodeKey(INSTITUTION, kind, public, possession, None), sequence=sequence)


class TimedReplica(Replica):
    """Notes how long each block waits from its execution until it is committed: what the engine's pool holds up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waits: list[float] = []
        self._executed_at = 0.0

    def finalize_block(self, request: m.RequestFinalizeBlock) -> m.ResponseFinalizeBlock:
        """As it is."""
        answer = super().finalize_block(request)
        self._executed_at = time.monotonic()
        return answer

    def commit(self, request: m.RequestCommit) -> m.ResponseCommit:
        """As it is."""
        self.waits.append(time.monotonic() - self._executed_at)
        return super().commit(request)


def replica_on(
    store: Store,
    now: Clock = wall_clock,
    alarm: Callable[[str], None] = lambda _text: None,
    verifier: Verifier | None = None,
) -> TimedReplica:
    """A process over a store: where it stands is read from there."""
    modules, head = Modules(MODULES), rows.read_head(store)
    machine = Machine(
        modules,
        ledger=LEDGER,
        prefix="kg",
        reader=CommittedReader(store),
        read_tile=lambda level, index: store.get(Area.LOG, rows.tile_key(level, index)) or b"",
        head=head,
        trees=None if head is None else open_trees(modules, store, head, None, lambda *_: None),
        verifier=verifier or Verifier(remembered=100_000),
    )
    return TimedReplica(machine, store, now=now, alarm=alarm)


def app_state(began: Genesis) -> str:
    """A genesis as it stands in the engine's file."""
    return encode(began).hex()


def balance(store: Store, who: str) -> int:
    raw = store.get(Area.STATE, BALANCES.encode_key((names.address(who), "KGS")))
    return 0 if raw is None else BALANCES.decode_value(raw)


class Member:
    """`engine` is CometBFT's process, `submitting` the engine that tests submit to. A context manager."""

    def __init__(
        self,
        folder: Path,
        began: Genesis,
        store: Store | None = None,
        settings: Mapping[tuple[str, str], str] | None = None,
        **options: Any,
    ) -> None:
        self.store = store or MemoryStore()
        self.began = began
        self.alarms: list[str] = []
        self.heights: list[tuple[float, int, int]] = []
        """(when, height, outcomes) of each commit."""
        socket = folder / "s"
        self.replica = replica_on(self.store, alarm=self.alarms.append)
        self.replica.listen(
            lambda height, _block, outcomes: self.heights.append((time.monotonic(), height, len(outcomes)))
        )
        self.engine = Engine(binary(DEFAULT), folder / "engine", f"unix://{socket}", settings)
        file = folder / "engine" / "config" / "genesis.json"
        told = json.loads(file.read_text())
        told["consensus_params"]["block"]["max_bytes"] = "-1"  # the application sees all that waits
        file.write_text(json.dumps({**told, "app_state": app_state(began)}))
        self.submitting = ReplicatedEngine(
            self.replica, rpc=f"unix://{folder}/engine/rpc", alarm=self.alarms.append, **options
        )
        self.rpc: Rpc
        self._loop = asyncio.new_event_loop()
        self._server: Server
        self._thread = threading.Thread(target=self._serve, args=(socket,), daemon=True)
        self._serving = threading.Event()

    def _serve(self, socket: Path) -> None:
        asyncio.set_event_loop(self._loop)

        async def serve() -> None:
            self._server = Server(self.replica, alarm=self.alarms.append)
            await self._server.start(listen(f"unix://{socket}"))
            self._serving.set()
            await self._server.finished()

        self._loop.run_until_complete(serve())
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._serving.wait()
        self.rpc = self.engine.start()
        self.submitting.start()
        return self

    def restart_engine(self, pause: float = 0.0) -> None:
        """Kill the engine as a power cut would, and start it again after a pause."""
        self.engine.kill()
        time.sleep(pause)
        self.rpc = self.engine.start()

    def __exit__(self, *_: object) -> None:
        self.submitting.stop()
        self.engine.kill()
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join()
