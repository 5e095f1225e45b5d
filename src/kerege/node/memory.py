"""How much of the state a process keeps decoded in memory: by the machine, or as it is told.

A larger cache spares reads of the store, which a loaded node makes ahead and a lone transaction waits for; it never
changes a result. It fills by use alone: a small ledger takes little whatever the bound.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kerege.node.home import HomeError

VARIABLE = "KEREGE_CACHE_MIB"
"""Memory for decoded state, where the machine's own share is not what an operator wants."""
PART = 8
"""One part in so many of a machine's memory is for decoded state, of all members of a network on it together."""
VALUE_BYTES = 400
"""What a decoded value takes with its key, about: a balance 190 bytes, sequences 370, an account 650 (measured)."""
LEAST, MOST = 100_000, 5_000_000
"""Values kept on the smallest and on the largest machine: beyond the second, 2 GB, a node rather lets the system cache
its files."""

_MIB = 1 << 20
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def cached_values(environment: Mapping[str, str] = os.environ) -> int:
    """Bound of the decoded values that this process keeps; raises `HomeError` where the variable is no number."""
    told = environment.get(VARIABLE)
    if told is None:
        return min(MOST, max(LEAST, machine_bytes() // PART // VALUE_BYTES))
    if not told.isascii() or not told.isdigit():
        reason = f"{VARIABLE} is {told!r}: give the MiB that decoded state may take, as in {VARIABLE}=512."
        raise HomeError(reason)
    return max(LEAST, int(told) * _MIB // VALUE_BYTES)


def share(members: int, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What tells each of several members on one machine its part; nothing where the operator has told them."""
    if VARIABLE in environment:
        return {}
    room = min(MOST * VALUE_BYTES, machine_bytes() // PART // members)
    return {VARIABLE: str(room // _MIB)}


def machine_bytes() -> int:
    """Memory of the machine, or of the container that this runs in."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        found = min(found, int(_CGROUP.read_text(encoding="ascii")))
    return found
