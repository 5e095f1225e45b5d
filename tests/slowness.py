"""How slow this machine is now, for bounds in seconds that were drawn for a usual one."""

import time

from nacl.bindings import crypto_sign_open
from nacl.signing import SigningKey

USUAL = 0.00005
"""Seconds in which libsodium verifies a signature on a usual processor."""


def median(run, rounds=51):
    """Seconds that a call takes."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sorted(times)[rounds // 2]


def slowness():
    """How many times slower than usual its processors are; at least one."""
    key = SigningKey(bytes(32))
    signed, public = bytes(key.sign(bytes(52))), bytes(key.verify_key)
    return max(1.0, median(lambda: crypto_sign_open(signed, public)) / USUAL)
