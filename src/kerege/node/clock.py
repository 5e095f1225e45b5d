"""The clock of a running node: the machine's own, until that leaps.

Block time never goes back, so a clock that leaps ahead by years for a moment would let every term run out and every
transaction expire, for ever. A node that runs knows better: it counts how long it has been running.
"""

import threading
import time
from collections.abc import Callable

from kerege.consensus.embedded import Clock, wall_clock

TOLERATED = 5 * 60_000
"""Milliseconds by which the machine's clock may be set while a node runs: what time services correct."""

_DAY, _HOUR, _MINUTE = 86_400_000, 3_600_000, 60_000


def running_clock() -> int:
    """Milliseconds since the machine began, asleep or awake: nobody sets this one."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class SteadyClock:
    """The machine's clock; where it leaps, the time when the node began and what has passed since."""

    def __init__(self, tell: Callable[[str], None], wall: Clock = wall_clock, running: Clock = running_clock) -> None:
        self._tell = tell
        self._wall = wall
        self._running = running
        self._began = wall() - running()
        """When the machine began, by its clock: changes with that clock alone."""
        self._leapt = False
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        with self._lock:
            running = self._running()
            began = self._wall() - running
            leap = began - self._began
            if abs(leap) <= TOLERATED:
                self._began = began
                self._say(leapt=False, sentence="the machine's clock is right again.")
            else:
                self._say(
                    leapt=True,
                    sentence=f"the machine's clock leapt {'ahead' if leap > 0 else 'back'} by {told(abs(leap))}: the "
                    "ledger goes on by its own count; set the clock right, or start the node again where it is right.",
                )
            return self._began + running

    def _say(self, *, leapt: bool, sentence: str) -> None:
        """Each turn is told once."""
        if leapt != self._leapt:
            self._leapt = leapt
            self._tell(sentence)


def behind(newest: int, now: int) -> str:
    """What to tell of a clock that is behind the newest block; empty where it is not."""
    if newest - now <= TOLERATED:
        return ""
    return (
        f"the machine's clock is {told(newest - now)} behind the newest block: block time stands still until it has "
        "caught up; set it right."
    )


def told(milliseconds: int) -> str:
    """A duration in its largest unit, as people tell it."""
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if milliseconds >= 2 * unit:
            return f"{milliseconds // unit} {name}"
    return f"{milliseconds // 1000} seconds"
