"""The door, in this process and through the socket: bounded answers, strict requests, nobody waits for the writer."""

import socket
import stat
import statistics
import struct
import threading
import time
from contextlib import ExitStack, nullcontext, suppress
from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerege import proofs
from kerege.consensus import embedded, rows
from kerege.consensus.checkpoints import Unprovable
from kerege.consensus.door import PAGE, LocalDoor, collect
from kerege.consensus.embedded import Busy, Stopped
from kerege.kernel.errors import NotCanonical, TooManyWaiting, WrongSequence
from kerege.kernel.genesis import genesis_hash
from kerege.node.wire import MAXIMUM_FRAME, DoorServer, NodeFailed, SocketDoor, WireFault, read_frame, write_frame
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from kerege.storage.secondary import SecondaryStore
from tests.consensus.support import KEY, Opened, Signing, ToldStore, rocks
from tests.kernel import toy
from tests.kernel.bench import LEDGER, PREFIX, START, address, genesis, known

PAY = toy.Pay(address("bob"), "KGS", 1)
LONG = 120.0


class Served:
    """A ledger behind a socket."""

    def __init__(self, store, path) -> None:
        self.ledger = Opened(store)
        self.path = path
        self.server = DoorServer(self.ledger.door, path)
        self.ledger.engine.start()

    def close(self) -> None:
        self.server.close()
        self.ledger.engine.stop()


@pytest.fixture
def served(tmp_path):
    served = Served(MemoryStore(), tmp_path / "run" / "ledger.sock")
    yield served
    served.close()


@pytest.fixture(params=["local", "socket"])
def door(request, served):
    if request.param == "local":
        yield served.ledger.door
        return
    door = SocketDoor(served.path)
    yield door
    door.close()


@pytest.fixture
def signing() -> Signing:
    return Signing()


def test_both_doors_answer_alike(door, served, signing):
    assert (door.ledger, door.prefix) == (LEDGER, PREFIX)
    assert door.head().height == 0
    assert door.next_sequence(address("alice")) == 0
    issue = signing.tx("alice", toy.Issue(b"c" * 16, b"b" * 16))
    answers = door.submit([issue, b"junk", signing.tx("alice", PAY, sequence=7), signing.tx("erlan", PAY)])
    assert [type(a.reason) for a in answers] == [type(None), NotCanonical, WrongSequence, type(None)]
    assert answers[2].reason is not None
    assert dict(answers[2].reason.facts()) == {"lane": 0, "sequence": 7, "expected": 1}
    assert door.find(answers[0].id) == answers[0]
    assert door.find(b"x" * 32) is None
    assert door.next_sequence(address("alice"), 0) == 1
    assert door.head() == served.ledger.machine.head
    assert known(door.block(1)).leaves[0] == answers[0].receipt
    assert door.block(2) is None
    key = toy.CERTIFICATES.encode_key(b"c" * 16)
    assert door.state(key) == served.ledger.store.get(Area.STATE, key)
    assert door.state(key + b"x") is None
    assert door.checkpoint().startswith("kerege/kg-toy\n3\n") or door.checkpoint().splitlines()[1] == "4"
    trusted = proofs.TrustedKey(KEY.name, KEY.public, START, None)
    trust = proofs.trust.make(
        ledger=LEDGER,
        genesis=genesis_hash(genesis()),
        origin="kerege/kg-toy",
        threshold=1,
        keys=[trusted],
    )
    bundle = door.bundle(answers[0].id, key)
    assert proofs.verify(bundle, trust, now=START + 10).exit is proofs.Exit.VALID
    for wrong in (lambda: door.bundle(b"x" * 32, None), lambda: door.bundle(answers[0].id, b"x")):
        with pytest.raises(Unprovable):
            wrong()


def test_pages_of_the_state(door, signing, served):
    served.ledger.engine.submit([signing.tx("dina", toy.Note("n", 900, "x"), lane=lane) for lane in range(3)]).wait(
        LONG
    )
    found = list(collect(door, toy.NOTES.encode_prefix("n")))
    assert len(found) == 2_700
    assert found == list(served.ledger.store.scan(Area.STATE, b"purse.note\0n\0", b"purse.note\0n\x01"))
    assert len(door.scan(toy.NOTES.prefix)) == PAGE
    assert door.scan(toy.NOTES.prefix, found[4][0], 2) == found[5:7]
    for wrong in (b"", b"\xff\xff"):
        with pytest.raises((ValueError, WireFault)):
            door.scan(wrong)


def test_views_read_committed_state(served, signing):
    served.ledger.engine.send(signing.tx("alice", PAY))
    context = served.ledger.door.context()
    assert context.use(toy.Purse).balance(address("bob"), "KGS") == 10**12 + 1
    assert context.time == served.ledger.machine.last[1]


def test_a_door_without_an_engine_only_reads(served, signing):
    closed = LocalDoor(toy.MODULES, served.ledger.store, served.ledger.prover, LEDGER, PREFIX, None)
    assert closed.head().height == 0
    with pytest.raises(Stopped):
        closed.submit([signing.tx("alice", PAY)])


# The socket


def test_the_socket_is_its_owner_s_alone(served):
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(served.path.parent.stat().st_mode) == 0o700


def test_a_stale_socket_file_is_replaced(tmp_path):
    path = tmp_path / "ledger.sock"
    path.write_bytes(b"")
    served = Served(MemoryStore(), path)
    SocketDoor(path).close()
    served.close()
    assert not path.exists()


def test_a_path_too_long_for_a_socket_is_told(served, tmp_path):
    path = tmp_path / ("x" * 120) / "ledger.sock"
    for opening in (SocketDoor, lambda p: DoorServer(served.ledger.door, p)):
        with pytest.raises(WireFault, match="bytes where 107 fit"):
            opening(path)


def raw_connection(served) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(10)
    connection.connect(str(served.path))
    return connection


def ask(served, raw: bytes):
    with raw_connection(served) as connection:
        write_frame(connection, raw)
        return msgspec.msgpack.decode(read_frame(connection))


def alive(served) -> bool:
    door = SocketDoor(served.path)
    door.close()
    return bool(door.ledger == LEDGER)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc0",
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\x81\x01\x01",
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode(["nothing", []]),
        msgspec.msgpack.encode(["__class__", []]),
        msgspec.msgpack.encode(["head"]),
        msgspec.msgpack.encode(["head", [1]]),
        msgspec.msgpack.encode(["head", None]),
        msgspec.msgpack.encode([["head"], []]),
        msgspec.msgpack.encode(["find", [b"short"]]),
        msgspec.msgpack.encode(["find", ["x" * 32]]),
        msgspec.msgpack.encode(["block", [-1]]),
        msgspec.msgpack.encode(["block", [2**63]]),
        msgspec.msgpack.encode(["block", ["1"]]),
        msgspec.msgpack.encode(["state", [5]]),
        msgspec.msgpack.encode(["scan", [b"", b"", 5]]),
        msgspec.msgpack.encode(["scan", [b"\xff", b"", 5]]),
        msgspec.msgpack.encode(["scan", [b"purse.", b"", 0]]),
        msgspec.msgpack.encode(["scan", [b"purse.", b"", 10**6]]),
        msgspec.msgpack.encode(["scan", [b"purse.", b"", -1]]),
        msgspec.msgpack.encode(["next_sequence", [b"x" * 20, 16]]),
        msgspec.msgpack.encode(["next_sequence", [b"x" * 19, 0]]),
        msgspec.msgpack.encode(["submit", [[5]]]),
        msgspec.msgpack.encode(["submit", [None]]),
        msgspec.msgpack.encode(["bundle", [b"x" * 32, None, [["f", "v"]]]]),
    ],
)
def test_a_hostile_frame_is_answered_and_hurts_nobody(served, raw):
    good, name, told = ask(served, raw)
    assert (good, name) == (False, "WireFault")
    assert told[0]
    assert alive(served)


def test_a_frame_above_the_bound_is_not_read(served):
    with raw_connection(served) as connection:
        connection.sendall(struct.pack(">I", MAXIMUM_FRAME + 1))
        good, name, _ = msgspec.msgpack.decode(read_frame(connection))
        assert (good, name) == (False, "WireFault")
        assert connection.recv(1) == b""
    assert alive(served)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=100), cut=st.booleans())
def test_any_bytes_on_the_wire(served, raw, cut):
    with raw_connection(served) as connection:
        connection.sendall(raw if cut else struct.pack(">I", len(raw)) + raw)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while connection.recv(4096):
                pass
    assert served.ledger.engine.failure is None


def test_hanging_up_in_the_middle_hurts_nobody(served, signing):
    for lane in range(10):  # of one lane, a later one could be taken first
        connection = raw_connection(served)
        connection.sendall(struct.pack(">I", 1000) + b"x")
        connection.close()
        connection = raw_connection(served)
        write_frame(connection, msgspec.msgpack.encode(["submit", [[signing.tx("alice", PAY, lane=lane)]]]))
        connection.close()
    deadline = time.monotonic() + LONG
    sequences = partial(map, partial(served.ledger.door.next_sequence, address("alice")), range(10))
    while sum(sequences()) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sum(sequences()) == 10, "accepted is executed, though nobody waits"
    assert alive(served)


def test_concurrent_clients_over_one_door_and_over_many(served, signing):
    shared = SocketDoor(served.path)
    lanes = {lane: [signing.tx("alice", PAY, lane=lane) for _ in range(30)] for lane in range(8)}
    failures: list[BaseException] = []

    def client(lane):
        own = nullcontext(shared) if lane % 2 else SocketDoor(served.path)
        try:
            run(own, lane)
        except BaseException as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    def run(own, lane):
        with own as door:
            for number, raw in enumerate(lanes[lane]):
                answer = door.submit([raw])[0]
                assert door.find(answer.id) == answer
                assert door.next_sequence(address("alice"), lane) == number + 1
                assert door.head().height >= answer.height

    threads = [threading.Thread(target=client, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    shared.close()


def test_who_floods_a_node_is_told_over_the_socket_and_nobody_else(tmp_path, signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_OF_ONE", 2)
    served = Served(MemoryStore(), tmp_path / "s")
    with SocketDoor(served.path) as door:
        answers = door.submit([*[signing.tx("alice", PAY) for _ in range(3)], signing.tx("bob", PAY)])
    assert [answer.receipt is not None for answer in answers] == [True, True, False, True]
    reason = answers[2].reason
    assert isinstance(reason, TooManyWaiting)
    assert (reason.sender, reason.waiting, reason.limit) == (address("alice"), 2, 2)
    served.close()


def test_a_busy_and_a_stopped_node_say_so(tmp_path, signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_WAITING_BYTES", 2_000)
    monkeypatch.setattr(embedded, "MAXIMUM_TRANSACTIONS", 1)
    store = ToldStore()
    served = Served(store, tmp_path / "s")
    stack = ExitStack()
    doors = [stack.enter_context(SocketDoor(served.path)) for _ in range(2)]
    store.go.clear()
    raws = [signing.tx("alice", PAY) for _ in range(30)]
    first = threading.Thread(target=doors[0].submit, args=(raws,))
    first.start()
    time.sleep(0.1)
    with pytest.raises(Busy) as busy:
        doors[1].submit([signing.tx("bob", PAY)])
    assert busy.value.retry_after == 200
    store.go.set()
    first.join(LONG)
    served.ledger.engine.stop()
    with pytest.raises(Stopped):
        doors[1].submit([signing.tx("bob", PAY)])
    store.close()
    with pytest.raises(NodeFailed, match="closed"):
        doors[1].head()
    served.server.close()
    stack.close()
    with pytest.raises(OSError):
        SocketDoor(served.path)


def test_a_node_that_dies_is_told(served):
    door = SocketDoor(served.path)
    left, right = socket.socketpair()
    door._idle.append(left)

    def die():
        with right:
            read_frame(right)

    threading.Thread(target=die).start()
    with pytest.raises(Stopped, match="hung up"):
        door.head()
    assert door.head().height == 0, "the next request has a connection of its own"
    door.close()


# Beside the writer


def test_readers_do_not_wait_for_the_writer(tmp_path, signing):
    """The disk is stuck in a write; everything that is committed is still read and proven."""
    store = ToldStore()
    with Opened(store) as ledger:
        raw = signing.tx("alice", toy.Issue(b"c" * 16, b"b" * 16))
        done = ledger.engine.send(raw)
        store.go.clear()
        waiting = ledger.engine.submit([signing.tx("alice", PAY) for _ in range(500)])
        time.sleep(0.05)
        taken = []
        for _ in range(50):
            before = time.perf_counter()
            assert ledger.door.head().height == 1
            assert ledger.door.find(done.id) == done
            assert ledger.door.next_sequence(address("alice")) == 1
            assert ledger.door.bundle(done.id, toy.CERTIFICATES.encode_key(b"c" * 16))
            taken.append(time.perf_counter() - before)
        assert not waiting.settled
        store.go.set()
        assert len(waiting.wait(LONG)) == 500
    assert statistics.median(taken) < 0.02


@pytest.mark.parametrize("kind", ["", "plain"])
def test_proofs_are_right_while_blocks_go_on(signing, kind):
    trusted = proofs.TrustedKey(KEY.name, KEY.public, START, None)
    trust = proofs.trust.make(
        ledger=LEDGER, genesis=genesis_hash(genesis()), origin="kerege/kg-toy", threshold=1, keys=[trusted]
    )
    with Opened(MemoryStore(), kind=kind) as ledger:
        identifiers = [
            ledger.engine.send(signing.tx("bob", toy.Issue(bytes([n]) * 16, b"b" * 16))).id for n in range(8)
        ]
        raws = [[signing.tx("alice", PAY) for _ in range(40)] for _ in range(150)]
        submissions = [ledger.engine.submit(each) for each in raws]
        proven, wrong = 0, []
        while not submissions[-1].settled:
            n = proven % 8
            bundle = ledger.door.bundle(identifiers[n], toy.CERTIFICATES.encode_key(bytes([n]) * 16))
            verdict = proofs.verify(bundle, trust, now=ledger.time + 1000)
            if verdict.exit is not proofs.Exit.VALID:
                wrong.append(verdict)
            proven += 1
        assert wrong == []
        assert proven


def test_a_secondary_reads_beside_the_node(tmp_path, signing):
    with rocks(tmp_path) as store, Opened(store) as ledger, SecondaryStore(tmp_path) as secondary:
        for number in range(1, 6):
            ledger.engine.send(signing.tx("alice", PAY))
            assert known(rows.read_head(secondary)).height == number - 1
            secondary.catch_up()
            head = known(rows.read_head(secondary))
            assert head == ledger.machine.head
            assert known(rows.read_block(secondary, number)).head == head
