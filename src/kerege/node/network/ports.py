"""Addresses of a member: four neighbouring ports, written down so that it keeps them."""

import socket
from contextlib import ExitStack
from random import SystemRandom

from kerege.node.home import HomeError
from kerege.node.network.layout import HOST

EACH = 4
"""Ports of a member, in this order: other engines, the engine's questions, its measurements, the application's."""
_PORTS = range(21_000, 31_000)
"""Below those that the operating system gives to callers."""
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Neighbouring ports that nobody listens on now; raises `HomeError`."""
    chance = SystemRandom()
    for _ in range(_TRIES):
        first = chance.randrange(_PORTS.start, _PORTS.stop - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind((HOST, port))
            except OSError:
                continue
        return list(range(first, first + count))
    reason = f"no {count} neighbouring ports are free on {HOST}: stop what listens there."
    raise HomeError(reason)
