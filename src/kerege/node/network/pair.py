"""One member's two processes, application and engine: started together, ended together.

The engine does not reconnect to its application, and ends with code 0 when that is gone; mostly, for in one of about
fifteen kills under load it waits for ever. So whatever ends, both are ended, and both are started again.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from kerege.node.child import child
from kerege.node.divergence import Watch
from kerege.node.memory import share
from kerege.node.network.layout import Member, Network

LOG_LIMIT = 32 * 1024 * 1024
"""Bytes of a log above which it is set aside; one older is kept."""
PATIENCE = 10.0
"""Seconds to stop in when asked to."""
GRACE = 2.0
"""Seconds for an engine to end by itself once its application is gone."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the pair is started again, doubled each time it does not last."""
LASTED = 60.0
"""Seconds after which a start counts as a success: the next wait is short again."""
_BROKEN = b"CONSENSUS FAILURE!!!"
_PR_SET_PDEATHSIG = 1


class Commands(NamedTuple):
    """How a member's two parts are started."""

    application: Sequence[str]
    """Python module and its own words; where the home is and the socket is told after them."""
    engine: Sequence[str]
    """The engine's program, and before it what it is to run in."""


class Pair:
    """Application and engine of a member. `tend` is called now and then; `close` ends both."""

    def __init__(self, network: Network, member: Member, commands: Commands, sockets: Path) -> None:
        """`sockets` is a folder with a short path."""
        self.member = member
        self.height = 0
        """What the supervisor saw last."""
        self.moved = time.monotonic()
        """When it saw the height grow."""
        self._network = network
        self._socket = sockets / f"{member.peers}.sock"
        self._commands = commands
        self._application: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()
        self._started = 0.0
        self._again: float | None = 0.0
        self._wait = FIRST_WAIT
        self._read = 0
        self._watch = Watch(network.home(member))
        self._turn = threading.RLock()
        """Held while the processes are looked at or changed."""

    @property
    def runs(self) -> bool:
        """Whether both live."""
        return _lives(self._application) and _lives(self._process)

    def tend(self) -> str:
        """Start what is due, notice what ended; a sentence where there is something to tell.

        A disk without room, or a folder that is away, is waited for like a process that ended.
        """
        with self._turn:
            try:
                return self._tend()
            except OSError as error:
                return self._restart(f"it could not be started or looked at ({error})")

    def _tend(self) -> str:
        if self._again is not None:
            if time.monotonic() >= self._again and not _lives(self._process):
                self._start()
            return ""
        if _lives(self._application) and self._process is None and self._socket.exists():
            self._process = self._stack.enter_context(self._run_engine())
        broken = self._consensus_failed()
        self._set_logs_aside()
        ended = next((name for name, process in self._parts() if process is not None and not _lives(process)), "")
        if broken or ended:
            return self._restart("its consensus failed" if broken else f"its {ended} ended")
        return ""

    def restart(self, reason: str) -> str:
        """End both and start them after a while; the sentence that says so."""
        with self._turn:
            return self._restart(reason)

    def _restart(self, reason: str) -> str:
        lasted = time.monotonic() - self._started > LASTED
        self._wait = FIRST_WAIT if lasted else min(2 * self._wait, LONGEST_WAIT)
        self._end(GRACE)
        self._again = time.monotonic() + self._wait
        return f"{reason}; both parts start again in {self._wait:.1f} s"

    def close(self) -> None:
        """End both, the engine first, so that no block is left half done; they stay away until `open`."""
        with self._turn:
            self._end(PATIENCE)
            self._again = None

    def open(self) -> None:
        """Start both again at the next look."""
        with self._turn:
            self._again, self._wait = 0.0, FIRST_WAIT

    def processes(self) -> list[int]:
        """The numbers of the living ones: application, engine."""
        return [process.pid for _, process in self._parts() if process is not None and _lives(process)]

    def _start(self) -> None:
        self._again, self._started = None, time.monotonic()
        self.moved = self._started
        self._check_key()
        application_log, engine_log = self._network.logs(self.member)
        application_log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._read = _size(engine_log)
        self._socket.unlink(missing_ok=True)
        told = self._stack.enter_context(application_log.open("a", encoding="utf-8"))
        module, *own = self._commands.application
        words = ["--home", str(self._network.home(self.member).path), "--socket", str(self._socket), *own]
        self._application = self._stack.enter_context(
            child(
                module,
                *words,
                patience=PATIENCE,
                environment=share(len(self._network.members)),
                stdout=told.fileno(),
                stderr=told,
            )
        )

    def _check_key(self) -> None:
        """Raise `OSError` where a validator's key is lost: the engine would draw another that counts nothing."""
        key = self._network.engine(self.member) / "config" / "priv_validator_key.json"
        if self.member.votes and not key.is_file():
            raise FileNotFoundError(f"{key}, the key of its votes, is lost: restore it from its backup")

    def _run_engine(self) -> "_Engine":
        log = self._network.logs(self.member)[1]
        return _Engine(
            [
                *(*self._commands.engine, "start", "--home", str(self._network.engine(self.member))),
                *("--proxy_app", f"unix://{self._socket}", "--log_level", "error"),
            ],
            log,
        )

    def _parts(self) -> list[tuple[str, "subprocess.Popen[bytes] | None"]]:
        return [("application", self._application), ("engine", self._process)]

    def _set_logs_aside(self) -> None:
        """Copy what has grown large and go on with an empty file: both parts write at its end, wherever that is."""
        for log in self._network.logs(self.member):
            if log.exists() and log.stat().st_size > LOG_LIMIT:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)
        self._read = min(self._read, _size(self._network.logs(self.member)[1]))

    def _consensus_failed(self) -> bool:
        """Whether the engine has written that its consensus is dead: the process would go on answering.

        Every new line is looked at; one that says that the application came to another state has that state kept.
        """
        log = self._network.logs(self.member)[1]
        if _size(log) <= self._read:
            return False
        with log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        for line in new.decode(errors="replace").splitlines():
            self._watch.line(line)
        return _BROKEN in new

    def _end(self, seconds: float) -> None:
        if self._process is not None:
            if _lives(self._application):
                self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._stack.close()
        with suppress(OSError):
            self._consensus_failed()  # its last words
        self._application = self._process = None


class _Engine:
    """The engine's process; killed where the supervisor dies, as nobody else would end it."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has no other thread while it starts one
            )
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _lives(process: "subprocess.Popen[bytes] | None") -> bool:
    return process is not None and process.poll() is None


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
