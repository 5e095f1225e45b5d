"""One connection of the engine: requests in, answers out in the same order, written when the engine flushes.

The engine opens four, for consensus, the pool, queries and snapshots; they differ only by what is asked on them. What
may be slow is answered on another thread; meanwhile its own connection waits and the others go on.
"""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Protocol, cast

from google.protobuf.message import DecodeError, Message

from kerege.consensus.cometbft import answers
from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.application import Application
from kerege.consensus.cometbft.contract import ContractBroken, check_answer
from kerege.consensus.cometbft.framing import Frames, Malformed
from kerege.consensus.cometbft.inlet import Inlet
from kerege.consensus.cometbft.order import CONSENSUS, Order

HARMLESS = frozenset({"query", "list_snapshots", "load_snapshot_chunk"})
"""Methods on another thread whose failure changes nothing."""
ASIDE = HARMLESS | {"offer_snapshot", "apply_snapshot_chunk"}
"""Methods that are called on another thread."""
BATCH_MAX = 2_000
"""Transactions that are checked together at most, where no flush comes before."""
CORKED_MAX = 1024 * 1024
"""Bytes of answers that wait for a flush at most."""


Observe = Callable[[str, float], None]
"""Told a method and the seconds of one call of it, on the thread that called: it must return at once."""


class Host(Protocol):
    """What a connection asks of its server."""

    @property
    def application(self) -> Application:
        """Whose answers these are."""

    @property
    def executor(self) -> Executor:
        """The threads for what may be slow."""

    @property
    def observe(self) -> Observe | None:
        """Told how long each call took, where somebody measures."""

    @property
    def message_max(self) -> int:
        """Bytes of one request at most."""

    def alarm(self, text: str, error: Exception | None = None) -> None:
        """Tell the operator."""

    def fail(self, text: str, error: Exception) -> None:
        """The application must not be asked anything any more: stop."""

    def opened(self, connection: "Connection") -> bool:
        """Whether one more connection is taken."""

    def closed(self, connection: "Connection") -> None:
        """This connection is gone."""

    def claim_consensus(self, connection: "Connection") -> bool:
        """Whether consensus is this connection's: it belongs to the first that asks, while that lives."""


class Connection(asyncio.Protocol):
    """A client of the server; of no use to anybody but the loop."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._frames = Frames(host.message_max)
        self._order = Order()
        self._checks: list[m.RequestCheckTx] = []
        """Transactions to be checked together, at the next flush."""
        self._corked: list[bytes] = []
        """Answers that wait for the next flush."""
        self._corked_bytes = 0
        self._job: asyncio.Future[Any] | None = None
        """What is being answered elsewhere; nothing behind it is begun."""
        self._held: tuple[str, m.Request] | None = None
        """A request that waits until the transactions before it are checked."""
        self._clogged = False
        """Whether the engine reads too slowly for us to answer more."""
        self._reading = True
        self._busy = False
        self._transport: asyncio.Transport
        self._inlet: Inlet | None = None
        """Who reads, once transactions come this way."""
        self._open = False
        self._methods: dict[str, Callable[[Any], Message]] = _methods(host.application, host.observe)

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._open = True
        if not self._host.opened(self):
            self._close("more connections than one engine opens")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._frames.feed(data)
        self._go_on()

    def eof_received(self) -> None:
        """The engine has gone; where it was cut off in the middle of a message, say so."""
        if self._open and self._frames.cut_off and self._job is None and not self._clogged:
            self._close("it ended in the middle of a message")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything that nobody waits for any more."""
        del exc
        self._open = False
        if self._inlet is not None:
            self._inlet.close()
        if self._job is not None:
            self._job.cancel()
        self._host.closed(self)

    def _ended(self) -> None:
        """The inlet has come to the end."""
        self.eof_received()
        self._transport.close()

    def pause_writing(self) -> None:
        """The engine does not read: answer no more until it does."""
        self._clogged = True
        self._set_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._clogged = False
        self._go_on()

    def close(self) -> None:
        """Close once what was written has gone out."""
        if self._open:
            self._open = False
            self._transport.close()

    def abort(self) -> None:
        """Close although something was not taken."""
        self._transport.abort()

    # One request after another

    def _go_on(self) -> None:
        """Answer what came, until something must be waited for."""
        if self._busy:  # a loop may tell from inside a write that writing goes on
            return
        self._busy = True
        try:
            while self._open and self._job is None and not self._clogged:
                asked, self._held = self._held or self._take(), None
                if asked is None:
                    break
                if self._checks and asked[0] != "check_tx":
                    self._held = asked
                    self._check()
                else:
                    self._handle(*asked)
        except Malformed as reason:
            self._close(str(reason))
        finally:
            self._busy = False
        self._set_reading()

    def _set_reading(self) -> None:
        """Read only where what is read will be answered: otherwise the engine's pushing would fill our memory."""
        wanted = self._job is None and not self._clogged
        if self._open and wanted is not self._reading:
            self._reading = wanted
            source = self._inlet or self._transport
            if wanted:
                source.resume_reading()
            else:
                source.pause_reading()

    def _take(self) -> tuple[str, m.Request] | None:
        """The next request with the name of its method."""
        body = self._frames.take()
        if body is None:
            return None
        try:
            request = m.Request.FromString(body)
        except DecodeError:
            raise Malformed(f"{len(body)} bytes that are no request") from None
        method = request.WhichOneof("value")
        if method is None:
            raise Malformed("a request of an unknown kind" if body else "an empty request")
        return method, request

    def _handle(self, method: str, request: m.Request) -> None:
        if method == "flush":
            self._corked.append(answers.FLUSHED)
            self._write()
        elif method == "check_tx":
            if self._inlet is None:
                self._inlet = Inlet(self._transport, self.data_received, self._ended)
            self._checks.append(request.check_tx)
            if len(self._checks) == BATCH_MAX:
                self._check()
        elif method in ASIDE:
            self._aside(method, getattr(request, method))
        else:
            self._at_once(method, request)

    def _at_once(self, method: str, request: m.Request) -> None:
        """Answer on this thread."""
        if method in CONSENSUS:
            if not self._host.claim_consensus(self):
                raise Malformed(f"{method}, while another connection has consensus: do two engines run?")
            self._order.check(method, request)
        inner = getattr(request, method)
        try:
            self._put(method, inner, self._methods[method](inner))
        except Exception as error:  # noqa: BLE001 - whatever it was, the state is in doubt
            self._fail(method, inner, error)

    # What may be answered later

    def _aside(self, method: str, request: Message) -> None:
        """Answer on another thread; this connection waits."""
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._host.executor, self._methods[method], request)
        self._wait_for(job, lambda: self._put_aside(method, request, job))

    def _put_aside(self, method: str, request: Message, job: asyncio.Future[Message]) -> None:
        try:
            self._put(method, request, job.result())
        except Exception as error:  # noqa: BLE001 - told, and answered
            if method not in HARMLESS:
                self._fail(method, request, error)
                return
            self._host.alarm(f"the application failed in {method}, which was answered without it", error)
            self._put(method, request, answers.apology(method))

    def _check(self) -> None:
        """Ask about the gathered transactions together."""
        checks, self._checks = self._checks, []
        try:
            answered = self._host.application.check_txs(checks)
        except Exception as error:  # noqa: BLE001 - no stranger's transaction may stop a validator
            self._refuse(checks, error)
            return
        if inspect.isawaitable(answered):
            job = asyncio.ensure_future(answered)
            self._wait_for(job, lambda: self._put_checks_of(checks, job))
        else:
            self._put_checks(checks, answered)

    def _put_checks_of(self, checks: list[m.RequestCheckTx], job: asyncio.Future[Sequence[m.ResponseCheckTx]]) -> None:
        try:
            answered = job.result()
        except Exception as error:  # noqa: BLE001 - as above
            self._refuse(checks, error)
        else:
            self._put_checks(checks, answered)

    def _put_checks(self, checks: list[m.RequestCheckTx], answered: Sequence[m.ResponseCheckTx]) -> None:
        if len(answered) != len(checks) or not all(isinstance(answer, m.ResponseCheckTx) for answer in answered):
            self._refuse(checks, ContractBroken(f"{len(checks)} transactions were not answered one by one"))
            return
        for check, answer in zip(checks, answered, strict=True):
            self._put("check_tx", check, answer)

    def _refuse(self, checks: list[m.RequestCheckTx], error: Exception) -> None:
        self._host.alarm(f"the application failed in check_txs: {len(checks)} transactions were refused", error)
        for check in checks:
            self._put("check_tx", check, answers.apology("check_tx"))

    def _wait_for(self, job: asyncio.Future[Any], then: Callable[[], None]) -> None:
        """Begin nothing more until a job is done; forget it where the connection is gone meanwhile."""
        self._job = job

        def arrived(job: asyncio.Future[Any]) -> None:
            self._job = None
            if self._open and not job.cancelled():
                then()
                self._go_on()
            elif not job.cancelled():
                job.exception()  # asked for, so that the loop does not complain that nobody did

        job.add_done_callback(arrived)

    # Answers

    def _put(self, method: str, request: Message, answer: Message) -> None:
        """Keep an answer for the next flush; raises `ContractBroken` for one that would stop the engine."""
        if not isinstance(answer, answers.TYPES[method]):
            raise ContractBroken(f"{method} answered {type(answer).__name__}")
        frame, size = answers.encode(method, answer)
        check_answer(request, answer, size)
        self._corked.append(frame)
        self._corked_bytes += len(frame)
        if self._corked_bytes > CORKED_MAX:
            self._write()

    def _write(self) -> None:
        corked, self._corked, self._corked_bytes = self._corked, [], 0
        if self._open:
            self._transport.write(b"".join(corked))

    def _fail(self, method: str, request: Message, error: Exception) -> None:
        """Tell the engine and the operator, and stop."""
        height = getattr(request, "height", 0)
        where = f"{method} of height {height}" if height else method
        text = f"the application failed in {where}: {type(error).__name__}: {error}"
        self._corked.append(answers.exception(text))
        self._write()
        self._host.fail(text, error)

    def _close(self, reason: str) -> None:
        """Close because of what came, with one line; what was asked before it is not answered any more."""
        self._host.alarm(f"a connection of the engine was closed: {reason}")
        self.close()


def _methods(application: Application, observe: Observe | None) -> dict[str, Callable[[Any], Message]]:
    def echo(request: m.RequestEcho) -> m.ResponseEcho:
        return m.ResponseEcho(message=request.message)

    methods: dict[str, Callable[[Any], Message]] = {
        "echo": echo,
        "info": application.info,
        "query": application.query,
        "init_chain": application.init_chain,
        "prepare_proposal": application.prepare_proposal,
        "process_proposal": application.process_proposal,
        "extend_vote": application.extend_vote,
        "verify_vote_extension": application.verify_vote_extension,
        "finalize_block": application.finalize_block,
        "commit": application.commit,
        "list_snapshots": application.list_snapshots,
        "load_snapshot_chunk": application.load_snapshot_chunk,
        "offer_snapshot": application.offer_snapshot,
        "apply_snapshot_chunk": application.apply_snapshot_chunk,
    }
    return methods if observe is None else {name: _timed(name, call, observe) for name, call in methods.items()}


def _timed(name: str, call: Callable[[Any], Message], observe: Observe) -> Callable[[Any], Message]:
    def timed(request: Any) -> Message:  # noqa: ANN401 - the request of the method
        started = perf_counter()
        answer = call(request)
        observe(name, perf_counter() - started)
        return answer

    return timed
