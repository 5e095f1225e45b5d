"""What the server does between an engine and an application that is slow, wrong or gone."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.connection import BATCH_MAX
from kerege.consensus.cometbft.inlet import AHEAD
from kerege.consensus.cometbft.listener import CannotListen, listen
from kerege.consensus.cometbft.server import CONNECTIONS_MAX
from kerege.testing.members import wait_for
from tests.consensus.cometbft.client import Caller, framed, hosted
from tests.consensus.cometbft.kvstore import OK, KeyValue

ROOT = Path(__file__).parents[3]


def block(height: int, *txs: bytes) -> m.RequestFinalizeBlock:
    return m.RequestFinalizeBlock(height=height, txs=txs, hash=str(height).encode())


def check(tx: bytes) -> m.RequestCheckTx:
    return m.RequestCheckTx(tx=tx)


# Slow


class SlowReader(KeyValue):
    """Waits in each query until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def query(self, request):
        assert self.go.wait(20)
        return super().query(request)

    load_snapshot_chunk = query


@pytest.mark.parametrize("method", ["query", "load_snapshot_chunk"])
def test_a_slow_reader_stalls_neither_consensus_nor_the_pool(tmp_path, method):
    application = SlowReader()
    with hosted(application, tmp_path / "s") as served:
        reader, consensus, pool = served.connect(), served.connect(), served.connect()
        reader.send(framed(method) + framed("flush") + framed("echo", m.RequestEcho(message="behind")))
        for height in range(1, 50):
            consensus.call("finalize_block", block(height, b"k%d=1" % height))
            consensus.call("commit")
            assert pool.call("check_tx", check(b"a=1")).code == OK
        application.go.set()
        reader.send(framed("flush"))
        kinds = [reader.receive().WhichOneof("value") for _ in range(4)]
        assert kinds == [method, "flush", "echo", "flush"]
        assert application.committed.height == 49


def test_who_leaves_while_his_query_runs_is_forgotten(tmp_path):
    application = SlowReader()
    with hosted(application, tmp_path / "s") as served:
        reader, other = served.connect(), served.connect()
        reader.send(framed("query") + framed("flush"))
        other.call("info")
        reader.close()
        other.call("info")
        application.go.set()
        assert other.call("info").data == "kv"
        assert served.lines == []


def push(caller: Caller, question: bytes) -> int:
    """Write the same again and again until nobody has read for half a second; the bytes that went."""
    caller.socket.setblocking(False)
    sent, last = 0, time.monotonic()
    while sent < 200 << 20 and time.monotonic() < last + 0.5:
        try:
            sent += caller.socket.send(question[sent % len(question) :])
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    caller.socket.settimeout(20)
    return sent


class SlowBlocks(KeyValue):
    """Executes a block until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def finalize_block(self, request):
        assert self.go.wait(20)
        return super().finalize_block(request)


def test_transactions_are_read_while_a_block_executes_and_not_without_end(tmp_path):
    """The engine's sender burns a processor while it stands in a write."""
    application = SlowBlocks()
    with hosted(application, tmp_path / "s") as served:
        consensus, pool, other = served.connect(), served.connect(), served.connect()
        assert pool.call("check_tx", check(b"a=1")).code == OK
        consensus.send(framed("finalize_block", block(1, b"a=1")) + framed("flush"))
        question = framed("check_tx", check(b"k=" + b"x" * 50_000)) + framed("flush")
        sent = push(pool, question)
        assert AHEAD < sent < AHEAD + (2 << 20)
        application.go.set()
        assert consensus.receive().WhichOneof("value") == "finalize_block"
        whole = sent // len(question)
        kinds = [pool.receive().WhichOneof("value") for _ in range(2 * whole)]
        assert kinds == ["check_tx", "flush"] * whole
        pool.send(b"" if sent % len(question) else framed("echo")[:1])
        pool.close()
        wait_for(lambda: served.lines)
        assert served.lines == ["a connection of the engine was closed: it ended in the middle of a message"]
        assert other.call("info").data == "kv"


def test_who_does_not_read_his_answers_is_not_read_either(tmp_path):
    """Otherwise whoever pushes and never reads fills our memory."""
    with hosted(KeyValue(), tmp_path / "s") as served:
        pushing, other = served.connect(), served.connect()
        question = (framed("echo", m.RequestEcho(message="x" * 100_000)) + framed("flush")) * 10
        sent = push(pushing, question)
        assert sent < 20 << 20
        assert other.call("info").data == "kv"


# The pool


class Counting(KeyValue):
    """Remembers how many transactions came together."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def check_txs(self, requests):
        self.batches.append(len(requests))
        return super().check_txs(requests)


def test_transactions_are_checked_together_until_a_flush(tmp_path):
    application = Counting()
    with hosted(application, tmp_path / "s") as served:
        pool = served.connect()
        pool.send(b"".join(framed("check_tx", check(b"k%d=1" % n)) for n in range(500)) + framed("flush"))
        answers = [pool.receive().WhichOneof("value") for _ in range(501)]
        assert answers == ["check_tx"] * 500 + ["flush"]
        assert application.batches == [500]


def test_a_batch_has_an_end_without_a_flush(tmp_path):
    application = Counting()
    with hosted(application, tmp_path / "s") as served:
        pool = served.connect()
        pool.send(framed("check_tx", check(b"a=1")) * (BATCH_MAX + 1) + framed("flush"))
        assert [pool.receive().WhichOneof("value") for _ in range(BATCH_MAX + 2)][-1] == "flush"
        assert application.batches == [BATCH_MAX, 1]


def test_answers_keep_their_order_where_methods_mix_on_one_connection(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        caller = served.connect()
        asked = ["check_tx", "check_tx", "query", "check_tx", "info", "check_tx", "list_snapshots", "echo", "flush"]
        caller.send(b"".join(framed(method) for method in asked))
        assert [caller.receive().WhichOneof("value") for _ in asked] == asked


class Aside(KeyValue):
    """Checks off the loop."""

    def __init__(self, failing: bool) -> None:
        super().__init__()
        self.failing = failing
        self.go = threading.Event()

    async def check_txs(self, requests):  # type: ignore[override]  # the port takes both
        await asyncio.get_running_loop().run_in_executor(None, self.go.wait, 20)
        if self.failing:
            raise ValueError("a broken check")
        return [m.ResponseCheckTx(code=OK) for _ in requests]


@pytest.mark.parametrize("failing", [False, True])
def test_checks_off_the_loop_let_consensus_go_on(tmp_path, failing):
    application = Aside(failing)
    with hosted(application, tmp_path / "s") as served:
        pool, consensus = served.connect(), served.connect()
        pool.send(framed("check_tx", check(b"a=1")) * 3 + framed("flush"))
        consensus.call("finalize_block", block(1, b"b=2"))
        consensus.call("commit")
        application.go.set()
        assert [pool.receive().check_tx.code for _ in range(3)] == [int(failing)] * 3
        assert pool.receive().WhichOneof("value") == "flush"
        assert len(served.lines) == failing


# Wrong


class Failing(KeyValue):
    """Raises in one method, or answers what nobody may answer."""

    def __init__(self, method: str, answer: object = None) -> None:
        super().__init__()

        def fail(_request: object) -> object:
            if answer is None:
                raise ValueError("a reason of ours")
            return answer

        setattr(self, method, fail)


@pytest.mark.parametrize(
    "method",
    [
        "info", "init_chain", "prepare_proposal", "process_proposal", "extend_vote", "verify_vote_extension",
        "finalize_block", "offer_snapshot", "apply_snapshot_chunk",
    ],
)  # fmt: skip
def test_a_failure_where_the_state_is_in_doubt_stops_everything(tmp_path, method):
    with hosted(Failing(method), tmp_path / "s") as served:
        other, caller = served.connect(), served.connect()
        other.call("echo")
        request = block(7) if method == "finalize_block" else None
        caller.send(framed(method, request) + framed("flush"))
        assert f"failed in {method}" in (told := caller.receive().exception.error)
        assert told.endswith("ValueError: a reason of ours")
        assert ("of height 7" in told) == (method == "finalize_block")
        assert caller.is_closed()
        assert other.is_closed()
        served.thread.join(20)
        assert str(served.failure) == told


@pytest.mark.parametrize("method", ["query", "list_snapshots", "load_snapshot_chunk", "check_tx"])
def test_a_failure_that_a_stranger_can_cause_is_told_and_stops_nothing(tmp_path, method):
    with hosted(Failing("check_txs" if method == "check_tx" else method), tmp_path / "s") as served:
        caller = served.connect()
        answer = caller.call(method)
        assert getattr(answer, "code", 1) == 1
        assert "ours" not in str(answer)
        assert "ValueError: a reason of ours" in served.lines[0]
        assert caller.call("echo").message == ""


ACCEPT = m.ResponseProcessProposal.ACCEPT


@pytest.mark.parametrize(
    ("method", "request_", "answer", "reason"),
    [
        ("finalize_block", block(1, b"a=1"), m.ResponseFinalizeBlock(), "0 results for 1 transactions"),
        ("finalize_block", block(1), m.ResponseCommit(), "finalize_block answered ResponseCommit"),
        (
            "prepare_proposal",
            m.RequestPrepareProposal(max_tx_bytes=100),
            m.ResponsePrepareProposal(txs=[b"x" * 99]),
            "101 bytes of transactions, 100 at most",
        ),
        ("process_proposal", None, m.ResponseProcessProposal(), "neither ACCEPT nor REJECT"),
        ("verify_vote_extension", None, m.ResponseVerifyVoteExtension(), "neither ACCEPT nor REJECT"),
        ("info", None, "text", "info answered str"),
    ],
)
def test_an_answer_that_would_kill_consensus_silently_stops_loudly(tmp_path, method, request_, answer, reason):
    with hosted(Failing(method, answer), tmp_path / "s") as served:
        with pytest.raises(RuntimeError, match=reason):
            served.connect().call(method, request_)
        served.thread.join(20)
        assert reason in str(served.failure)


@pytest.mark.parametrize("answers", [[], [m.ResponseCheckTx()] * 2, [m.ResponseQuery()]])
def test_checks_that_are_not_answered_one_by_one_are_refused(tmp_path, answers):
    with hosted(Failing("check_txs", answers), tmp_path / "s") as served:
        assert served.connect().call("check_tx", check(b"a=1")).code == 1
        assert "not answered one by one" in served.lines[0]


# Out of order


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([("finalize_block", block(5)), ("finalize_block", block(6))], "finalize_block between"),
        ([("finalize_block", block(5)), ("process_proposal", None)], "process_proposal between"),
        ([("finalize_block", block(5)), ("commit", None), ("commit", None)], "a commit without"),
        ([("finalize_block", block(5)), ("commit", None), ("finalize_block", block(7))], "height 7 after 5"),
        ([("finalize_block", block(5)), ("commit", None), ("finalize_block", block(5))], "height 5 after 5"),
        ([("finalize_block", block(5)), ("commit", None), ("init_chain", None)], "init_chain after"),
        ([("init_chain", None), ("init_chain", None)], "init_chain after"),
        ([("finalize_block", block(-1))], "height -1"),
    ],
)
def test_what_comes_out_of_order_never_reaches_the_application(tmp_path, asked, reason):
    application = KeyValue()
    with hosted(application, tmp_path / "s") as served:
        consensus = served.connect()
        for method, request in asked[:-1]:
            consensus.call(method, request)
        before = application.committed, application.finalized
        with pytest.raises(EOFError):
            consensus.call(*asked[-1])
        assert reason in served.lines[0]
        assert (application.committed, application.finalized) == before
        again = served.connect()  # an engine that was restarted begins anew
        again.call("finalize_block", block(application.committed.height + 1))


def test_consensus_belongs_to_one_connection(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        first, second = served.connect(), served.connect()
        first.call("init_chain")
        with pytest.raises(EOFError):
            second.call("finalize_block", block(1))
        assert "do two engines run?" in served.lines[0]
        first.call("finalize_block", block(1))
        first.close()
        third = served.connect()
        deadline = time.monotonic() + 120
        while True:  # until the server has seen the first one leave
            try:
                third.call("finalize_block", block(1))
                break
            except EOFError:
                assert time.monotonic() < deadline
                third = served.connect()


def test_connections_have_a_bound(tmp_path):
    with hosted(KeyValue(), tmp_path / "s") as served:
        callers = [served.connect() for _ in range(CONNECTIONS_MAX)]
        for caller in callers:
            caller.call("info")
        assert served.connect().is_closed()
        callers[0].call("info")


# Sockets and processes


def test_addresses_that_cannot_be_served_are_told(tmp_path):
    (tmp_path / "file").touch()
    with hosted(KeyValue(), tmp_path / "live"):
        for address, reason in {
            "tcp://127.0.0.1:26658": "is no address",
            "fd:x": "is no address",
            "fd:²": "is no address",
            f"unix://{tmp_path}/file": "is no socket",
            f"unix://{tmp_path}/live": "is served by another process",
            f"unix://{tmp_path}/none/s": "No such file",
            f"unix://{tmp_path}/{'x' * 200}": "choose a shorter one",
            "fd:999": "is no socket",
        }.items():
            with pytest.raises(CannotListen, match=reason):
                listen(address)


def test_a_connected_socket_is_none_to_listen_on():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as idle, pytest.raises(CannotListen):
        listen(f"fd:{idle.fileno()}")


def test_what_a_killed_process_left_is_replaced_and_belongs_to_its_owner_only(tmp_path):
    path = tmp_path / "s"
    listen(f"unix://{path}").close()
    listener = listen(f"unix://{path}")
    assert path.stat().st_mode & 0o777 == 0o600
    listener.close()


def start_process(address: str, file: Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.consensus.cometbft.kvstore", address, str(file)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, **options
    )


def test_an_inherited_socket_is_served_and_a_signal_ends_it(tmp_path):
    """As a supervisor does that opens the socket before the application runs."""
    listener = listen(f"unix://{tmp_path / 's'}")
    number = listener.fileno()
    with start_process(f"fd:{number}", tmp_path / "state", pass_fds=[number]) as process:
        caller = Caller(tmp_path / "s")
        assert caller.call("info").data == "kv"
        caller.call("finalize_block", block(1, b"a=1"))
        caller.call("commit")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        caller.close()
    listener.close()
    assert KeyValue(tmp_path / "state").committed.pairs == {"a": "1"}


def test_a_failure_ends_the_process_with_a_clear_text(tmp_path):
    listener = listen(f"unix://{tmp_path / 's'}")
    number = listener.fileno()
    with start_process(f"fd:{number}", tmp_path / "none/state", pass_fds=[number]) as process:
        hanging, caller = Caller(tmp_path / "s"), Caller(tmp_path / "s")
        hanging.send(framed("query", m.RequestQuery(path="/hang")) + framed("flush"))  # keeps nobody from ending
        caller.call("finalize_block", block(1))
        with pytest.raises(RuntimeError, match="failed in commit: FileNotFoundError"):
            caller.call("commit")
        assert process.wait(20) == 1
        assert process.stderr is not None
        told = process.stderr.read()
        caller.close()
        hanging.close()
    listener.close()
    assert "FATAL: the application failed in commit: FileNotFoundError" in told.splitlines()[-1]
    assert "Traceback" in told
