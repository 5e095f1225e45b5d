"""Being asked to stop."""

import signal
import threading


def interrupted() -> threading.Event:
    """Set by Ctrl-C and by the signal to stop."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
