"""Ed25519 signatures checked in a process beside, where `kerege_native` and its threads are absent.

libsodium lets go of the interpreter for each check and then waits in line for it behind whoever runs: beside a busy
thread a check takes a switch interval. A process of its own needs no interpreter of ours: blocks go there whole.

`python -m kerege.consensus.checking` is that process: a number, so many bytes of MessagePack, one byte a verdict back.
It ends with its input. A process that is gone costs time, never a verdict: what it owes is checked in line.
"""

import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import IO

import msgspec

from kerege.kernel.crypto import Verifier, ed25519_verify, native_present

Claim = tuple[bytes, bytes, bytes]
"""(key, payload, signature)."""

_LENGTH = 4
_CLAIMS = msgspec.msgpack.Decoder(list[Claim])


def make_verifier(remembered: int = 0) -> Verifier:
    """The best that is present."""
    return Verifier(remembered=remembered, batches=None if native_present() else CheckedBeside())


def verdicts(claims: Sequence[Claim]) -> bytes:
    """One byte each: 1 good, 0 bad."""
    return bytes([ed25519_verify(*claim) for claim in claims])


class CheckedBeside:
    """See `kerege.kernel.crypto.Batches`; the process starts with the first batch."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checking")
        self._open: dict[int, Future[bytes]] = {}
        self._tickets = count(1)
        """Drawn by several threads."""
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        """Ends the process; called at the latest with the last reference to this."""

    def submit(self, items: Sequence[Claim]) -> int:
        """Begin; returns a ticket at once."""
        ticket = next(self._tickets)
        self._open[ticket] = self._thread.submit(self._ask, list(items))
        return ticket

    def done(self, ticket: int) -> bool:
        """Whether `collect` would not wait."""
        return self._open[ticket].done()

    def collect(self, ticket: int) -> bytes:
        """Wait for the verdicts of a ticket, once."""
        return self._open.pop(ticket).result()

    def close(self) -> None:
        """Finish what was begun and end the process."""
        self._thread.shutdown()
        self._end()

    def _ask(self, claims: list[Claim]) -> bytes:
        if self._process is None:
            command = [sys.executable, "-m", "kerege.consensus.checking"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._end = weakref.finalize(self, _end, self._process)
        given, answers = self._process.stdin, self._process.stdout
        try:
            if given is not None and answers is not None:
                send(given, claims)
                found = answers.read(len(claims))
                if len(found) == len(claims):
                    return found
        except (OSError, ValueError):  # broken, or closed by an earlier failure
            pass
        return verdicts(claims)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        process.communicate()


def send(to: IO[bytes], claims: Sequence[Claim]) -> None:
    """Write a batch as the process reads it."""
    raw = msgspec.msgpack.encode(claims)
    to.write(len(raw).to_bytes(_LENGTH, "big") + raw)
    to.flush()


def serve(given: IO[bytes], answers: IO[bytes]) -> None:
    """Answer batches until the input ends."""
    while len(head := given.read(_LENGTH)) == _LENGTH:
        answers.write(verdicts(_CLAIMS.decode(given.read(int.from_bytes(head, "big")))))
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
