"""A connection that is read on a thread of its own, some megabytes ahead of the loop.

The engine's sender must not have to wait for us. While it stands in a write, its timer for flushes goes off again
after 20 nanoseconds, and again: it was meant to be milliseconds. With some hundred kilobytes of transactions on their
way it burnt a processor for as long as a block took to execute, a third of all that the engine used.
"""

import asyncio
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

AHEAD = 2 * 1024 * 1024
"""Bytes that are read before the loop takes them: about a block's. A commit waits until all of them are answered."""
PORTION = 256 * 1024
"""Bytes that the loop takes at once: other connections have their turn in between."""
_PATIENCE = 3_600.0


class Inlet:
    """Takes over the reading of a transport; to be closed with it. `take` and `end` are called on the loop."""

    def __init__(self, transport: asyncio.Transport, take: Callable[[bytes], None], end: Callable[[], None]) -> None:
        transport.pause_reading()
        self._take = take
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._socket.settimeout(_PATIENCE)  # that is: wait outside of `recv`, as the transport needs the socket so
        self._changed = threading.Condition()
        """Guards all that follows."""
        self._portions: deque[bytes] = deque()
        """What was read; an empty one is the end."""
        self._bytes = 0
        self._wanted = True
        self._told = False
        """Whether the loop knows that there is something."""
        self._closed = False
        threading.Thread(target=self._run, name="abci-inlet", daemon=True).start()

    def pause_reading(self) -> None:
        """Give the loop nothing until it is resumed: in between it is read no further than `AHEAD`."""
        self._wanted = False

    def resume_reading(self) -> None:
        """Go on."""
        self._wanted = True
        self._loop.call_soon(self._give)

    def close(self) -> None:
        """Read no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with suppress(OSError):  # the thread has closed it
            self._socket.shutdown(socket.SHUT_RD)

    def _give(self) -> None:
        """One portion, and the next one in the loop's next round."""
        with self._changed:
            self._told = False
            if not self._wanted or self._closed or not self._portions:
                return
            portion = self._portions.popleft()
            self._bytes -= len(portion)
            self._changed.notify_all()
            more = bool(self._portions)
        if not portion:
            self._end()
            return
        if more:
            self._loop.call_soon(self._give)
        self._take(portion)

    def _run(self) -> None:
        with self._socket:
            while (portion := self._read()) and not self._closed:
                self._keep(portion)
        with suppress(RuntimeError):  # the loop has ended
            self._keep(b"")

    def _read(self) -> bytes:
        while True:
            try:
                return self._socket.recv(PORTION)
            except TimeoutError:
                continue
            except OSError:
                return b""

    def _keep(self, portion: bytes) -> None:
        with self._changed:
            self._portions.append(portion)
            self._bytes += len(portion)
            if not self._told and not self._closed:
                self._told = True
                self._loop.call_soon_threadsafe(self._give)
            while self._bytes > AHEAD and not self._closed:
                self._changed.wait()
