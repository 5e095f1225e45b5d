"""How a process is set for what it does: one long piece of work with some threads, or block after block."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_ARENA_MAX = -8
"""glibc's number of the parameter."""
HEAPS = 1
"""Heaps of all threads together: what one thread freed another takes, instead of a heap for each that stays."""
YOUNG, OLDER, ALL = 500_000, 20, 1_000
"""Objects made before garbage is looked for among them, such looks before one among older ones, and those before one
among all. What waits in a pool stays for seconds and blocks make next to no cycles: with the interpreter's 700, 10, 10
a member spent a seventh of its time looking."""
TURN = 0.001
"""Seconds of a turn of a thread (`kerege.turns`) in a process in which one makes blocks and others answer.

A read waits for some turns on its way: with the interpreter's 5 ms they took most of its time beside a loaded maker."""


@contextmanager
def long_work() -> Iterator[None]:
    """For a process with one piece of work, whose rows come and go by the thousand: memory is given back, too.

    Threads take turns after the interpreter's own 5 ms: where two of them compute all the time, turns of half a
    millisecond cost a tenth of an import.
    """
    _keep_memory_together()
    with steady_work():
        yield


@contextmanager
def steady_work() -> Iterator[None]:
    """Garbage is looked for seldom, and never in what is there now."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, ALL)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _keep_memory_together() -> None:
    """For the life of the process; another C library than glibc does as it likes."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)
