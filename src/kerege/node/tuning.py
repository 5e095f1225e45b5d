"""How a process that does one long piece of work with some threads is set for it."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_ARENA_MAX = -8
"""glibc's number of the parameter."""
HEAPS = 1
"""Heaps of all threads together: what one thread freed another takes, instead of a heap for each that stays."""


@contextmanager
def long_work() -> Iterator[None]:
    """Garbage is looked for among what is made from now on.

    Threads take turns after the interpreter's own 5 ms: where two of them compute all the time, turns of half a
    millisecond cost a tenth of an import.
    """
    _keep_memory_together()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _keep_memory_together() -> None:
    """For the life of the process; another C library than glibc does as it likes."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)
