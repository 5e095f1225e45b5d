"""A node that is filled from a snapshot refuses whoever reads or submits, at every door, until its ledger is whole."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from kerege.api import create_app
from kerege.api.octets import to_base64url
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, origin_of
from kerege.consensus.cometbft import messages as m
from kerege.consensus.door import Door, LocalDoor
from kerege.consensus.replicated import ReplicatedEngine
from kerege.consensus.snapshots import restoring
from kerege.consensus.snapshots.shelf import Shelf
from kerege.consensus.whole import BeingRestored
from kerege.dossiers.errors import LedgerUnreachable
from kerege.modules.accounts.state import USAGE
from kerege.node import readmodel
from kerege.node.async_wire import AsyncSubmitter
from kerege.node.home import Home
from kerege.node.ledger import Ledger, trust_file
from kerege.node.ledger_view import DoorView
from kerege.node.network.node import prover_over
from kerege.node.replica import create_replica
from kerege.node.running import run_node
from kerege.node.wire import DoorServer, SocketDoor
from kerege.node.workplace import read_nation
from kerege.portal.pages import Portal, routes
from kerege.readmodel.errors import NotBuilt
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from tests.api.serving import OCTETS, listening
from tests.cli.program import kerege
from tests.consensus.test_replica import GENESIS, START, pay
from tests.consensus.test_snapshots import APPLY, Given, Joining, run

pytestmark = pytest.mark.filterwarnings("ignore:.*declared using deprecated")

ALICE = names.address("alice")
USED = USAGE.encode_key(ALICE)
NOBODY = "unix:///nowhere"
HEIGHT = 50

READS: dict[str, Callable[[Door], Any]] = {
    "find": lambda door: door.find(bytes(32)),
    "next_sequence": lambda door: door.next_sequence(ALICE),
    "head": lambda door: door.head(),
    "block": lambda door: door.block(1),
    "state": lambda door: door.state(USED),
    "states": lambda door: door.states([USED]),
    "scan": lambda door: door.scan(USAGE.prefix),
    "checkpoint": lambda door: door.checkpoint(),
    "bundle": lambda door: door.bundle(bytes(32), None),
    "prove": lambda door: door.prove(USED),
    "submit": lambda door: door.submit([pay("alice", 17)]),
    "accept": lambda door: door.accept([pay("alice", 17)]),
}

ADDRESSES = [
    "/health/ready",
    "/ledger",
    "/checkpoint",
    "/blocks/1",
    "/receipts",
    f"/transactions/{bytes(32).hex()}",
    f"/transactions/{bytes(32).hex()}/proof",
    "/state/accounts/usage",
    "/events",
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Given:
    store = MemoryStore()
    run(store, 60)
    return Given(store, Shelf(tmp_path_factory.mktemp("snapshots")), HEIGHT)


class Node:
    """A node's home, its doors and its pages, over a store that is filled from a snapshot chunk by chunk."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        create_replica(self.home, GENESIS, nation="kg", dev=True)
        self.store = RocksStore(folder)
        self.joining = Joining(self.store)
        replica = self.joining.replica
        key = CheckpointKey(f"{origin_of('kg-test')}/operator", bytes(32))
        self.home.trust.write_bytes(trust_file(GENESIS, key))
        prover = prover_over(replica, OwnCheckpoints("kg-test", [key]))
        self.engine = ReplicatedEngine(replica, rpc=NOBODY, now=lambda: START)
        self.engine.start()
        self.door = LocalDoor(replica.machine.modules, self.store, prover, "kg-test", "kg", self.engine)
        self.server = DoorServer(self.door, self.home.socket)

    def fill(self, snapshot: Given, until: int | None = None) -> None:
        """Take chunks up to one of them, all by default."""
        if until is not None:
            assert snapshot.offer(self.joining) == m.ResponseOfferSnapshot.ACCEPT
            for index, chunk in enumerate(snapshot.chunks[:until]):
                assert self.joining.apply(index, chunk).result == APPLY.ACCEPT
        else:
            assert snapshot.join(self.joining) == APPLY.ACCEPT

    def close(self) -> None:
        self.server.close()
        self.engine.stop()
        self.store.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "home")
    yield node
    node.close()


@pytest.fixture
def half(node: Node, snapshot: Given, monkeypatch: pytest.MonkeyPatch) -> Node:
    """All blocks are there, and most of the state: the last chunk is missing."""
    monkeypatch.setattr(restoring, "BATCH_BYTES", 100)
    node.fill(snapshot, len(snapshot.chunks) - 1)
    assert next(node.store.scan(Area.STATE), None) is not None
    return node


@pytest.fixture
def http(half: Node, tmp_path: Path) -> Iterator[httpx.Client]:
    pack, trust = read_nation("kg"), half.home.trust.read_bytes()
    with SocketDoor(half.home.socket) as door:
        portal = Portal(door, pack.texts, {}, trust, tmp_path, pack.nation.offset_minutes)
        submitter = AsyncSubmitter(half.home.socket)
        app = create_app(
            lambda: door, pack.texts, trust, submitter=submitter, pages=routes(portal), refused_page=portal.refused
        )
        with listening(app) as (port, _), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield client


@pytest.mark.parametrize("read", READS)
def test_both_doors_refuse_whoever_asks_until_the_last_chunk(half: Node, snapshot: Given, read: str) -> None:
    with SocketDoor(half.home.socket) as socket:
        for door in (half.door, socket):
            with pytest.raises(BeingRestored, match=f"a snapshot of height {HEIGHT} is being restored") as refused:
                READS[read](door)
            assert (refused.value.height, refused.value.retry_after) == (HEIGHT, 5)
        half.fill(snapshot)
        assert socket.head().height == half.door.head().height == snapshot.manifest.head.height
        assert socket.next_sequence(ALICE) == 17
        assert socket.state(USED) == half.store.get(Area.STATE, USED)


def test_a_read_that_a_restoring_overtakes_is_refused(
    node: Node, snapshot: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be answered from rows of two ledgers."""
    node.fill(snapshot)
    get, begun = node.store.get, list[bytes]()

    def overtaken(area: Area, key: bytes) -> bytes | None:
        if area is Area.STATE and not begun:
            begun.append(key)
            node.fill(snapshot, 2)
        return get(area, key)

    monkeypatch.setattr(node.store, "get", overtaken)
    with pytest.raises(BeingRestored):
        node.door.state(USED)
    assert begun


def test_between_two_attempts_nothing_is_told_either(half: Node, snapshot: Given) -> None:
    """A snapshot turned out wrong and the store was emptied: that holds nothing under any key, and tells nobody so."""
    last = len(snapshot.chunks) - 1
    rejected = half.joining.replica.apply_snapshot_chunk(m.RequestApplySnapshotChunk(index=last, chunk=b"", sender="p"))
    assert rejected.result == APPLY.RETRY
    half.joining.offer(b"no manifest", 1, bytes(32))
    assert next(half.store.scan(Area.STATE), None) is None
    with pytest.raises(BeingRestored, match="no ledger is here yet"):
        half.door.state(USED)


def test_what_was_submitted_before_waits_and_is_judged_by_the_whole_ledger(
    node: Node, snapshot: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against half the rows it would be no transaction of anybody, and be answered so for good."""
    node.fill(snapshot)
    judged, go_on = threading.Event(), threading.Event()
    look = node.engine._admission.look

    def slowly(*given: Any) -> Any:
        judged.set()
        go_on.wait(10)
        return look(*given)

    monkeypatch.setattr(node.engine._admission, "look", slowly)
    sent = node.engine.submit([pay("alice", 3)])
    assert judged.wait(10)
    node.fill(snapshot, 2)
    go_on.set()
    with pytest.raises(TimeoutError):
        sent.wait(1)
    node.fill(snapshot)
    (answer,) = sent.wait(20)
    assert answer.receipt is not None, "the restored ledger had it already"


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_api_answers_503_with_a_type_and_when_to_ask_again(http: httpx.Client, address: str) -> None:
    refused(http.get(f"/api/v1{address}"))


def test_the_api_takes_nothing_meanwhile(http: httpx.Client) -> None:
    raw = pay("alice", 17)
    refused(http.post("/api/v1/transactions", content=raw, headers=OCTETS))
    refused(http.post("/api/v1/transactions", content=raw, headers={**OCTETS, "prefer": "respond-async"}))
    refused(http.post("/api/v1/transactions/batch", json={"transactions": [to_base64url(raw)]}))
    assert http.get("/api/v1/health/live").status_code == 200


def test_a_page_says_so_and_when_to_come_again(http: httpx.Client) -> None:
    shown = http.get("/", headers={"accept": "text/html"})
    assert (shown.status_code, shown.headers["retry-after"]) == (503, "5")
    assert "<html" in shown.text
    refused(http.get("/live.json"))


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "5"
    told = answer.json()
    assert told["type"] == "urn:kerege:problem:restoring"
    assert f"A snapshot of height {HEIGHT} is being restored" in told["detail"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "head"),
        ("show", "parameter", "accounts.rate"),
        ("checkpoint",),
        ("verify-ledger",),
        ("export", "--out", "/dev/null"),
        ("readmodel", "status"),
    ],
    ids=" ".join,
)
def test_a_command_says_it_in_one_sentence(half: Node, words: tuple[str, ...]) -> None:
    done = kerege(*words, "--home", half.home.path)
    done.one_sentence(f"a snapshot of height {HEIGHT} is being restored", "try again after 5 s")


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers of this process, put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_node_that_starts_meanwhile_says_so_and_goes_on(
    half: Node, snapshot: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where something that it does beside fails, which is told once."""
    told, looks = list[str](), list[int]()
    door, prover = half.door, half.door._prover
    ledger = Ledger(half.home, door.modules, half.store, half.joining.replica.machine, half.engine, prover, door)

    def look(_ledger: Ledger) -> None:
        """After the node has looked what is due: while it is restored, and when it was."""
        looks.append(0)
        if len(looks) == 1:
            half.fill(snapshot)
        else:
            signal.raise_signal(signal.SIGTERM)

    def fail(_ledger: Ledger) -> None:
        raise RuntimeError("a disk fell off")

    run_node(half.home, told.append, None, [fail, look], opened=lambda _stop: nullcontext(ledger))
    assert told[0].startswith("kg-test is being restored from a snapshot, socket ")
    assert len(looks) == 2
    assert capsys.readouterr().err.count("RuntimeError: a disk fell off") == 1
    assert ledger.server is not None
    ledger.server.close()


def test_no_key_of_a_dossier_is_released_by_half_a_ledger(half: Node) -> None:
    with pytest.raises(LedgerUnreachable):
        DoorView(half.door).access_granted(bytes(16))


def test_the_read_model_waits_for_the_whole_ledger(half: Node, snapshot: Given) -> None:
    told: list[dict[str, Any]] = []
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: told.append(readmodel.follow(half.home, None, lambda *_: None, lambda: not stop.is_set()))
    )
    thread.start()
    thread.join(1.5)
    half.fill(snapshot)
    until = time.monotonic() + 20
    while not told_of(half.home):
        assert time.monotonic() < until
        time.sleep(0.2)
    stop.set()
    thread.join(20)
    assert told[0]["height"] == snapshot.manifest.head.height


def told_of(home: Home) -> bool:
    """Whether the tables are where the ledger is."""
    with suppress(NotBuilt):
        return bool(readmodel.status(home, None)["behind"] == 0)
    return False
