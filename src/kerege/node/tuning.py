"""How a process that does one long piece of work with some threads is set for it."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that waits gets its turn: one that comes back from sealing or from the medium has little
to do before it is there again, and the interpreter's 5 ms would be most of its time."""
M_ARENA_MAX = -8
"""glibc's number of the parameter."""
HEAPS = 1
"""Heaps of all threads together: what one thread freed another takes, instead of a heap for each that stays."""


@contextmanager
def long_work() -> Iterator[None]:
    """Threads take turns soon, and garbage is looked for among what is made from now on."""
    _keep_memory_together()
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


def _keep_memory_together() -> None:
    """For the life of the process; another C library than glibc does as it likes."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)
